"""Whether noise on the gradients gets a deep head going from a start that stands still."""

import numpy as np
import torch
from jaxtyping import Float, Int

from zoo_eval.errors import InputError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score
from zoo_eval.scores._student import mean_with_interval
from zoo_eval.scores.initialisation._deep_head import STARTS, DeepHead
from zoo_eval.scores.initialisation._heads import (
    AnnealedNoise,
    accuracies,
    coordinates,
    cross_entropies,
    descend,
    few_labels,
)

_AXES = 64  # principal axes that heads see: they are small, however wide the network
_WIDTH = 32  # units of a hidden layer
_RATE = 0.1
_LONGEST = 10.0  # gradients are shortened to it
_MEASURES = ("success", "accuracy")


@score(unit="fraction", higher_is_better=None, bounds=(-1.0, 1.0))
def gradient_noise_gain(
    centred_svd: ThinSvd,
    labels: Int[np.ndarray, " n"],
    *,
    start: str = "zeros",
    measure: str = "success",
    layers: int = 10,
    eta: float = 0.3,
    shots: int = 10,
    steps: int = 200,
    heads: int = 10,
    seed: int = 0,
) -> float:
    """Share of deep heads that learn with noise on their gradients, less that without.

    A head is a chain of linear layers with ReLU between, 32 units wide. It is trained on `shots`
    images of each class by plain gradient descent on the cross-entropy of all of them, at rate
    0.1. Step t = 0, 1, … adds normal noise of variance η / (1 + t)^0.55 to every gradient, after
    gradients longer than 10 have been shortened to 10; or adds none. With all weights at 0 no
    gradient but that of the last bias differs from 0, so only noise can get a deep head going.
    A head has learned if it gets more than half of what is possible above chance right of the
    images it is trained on: more than (1 + 1/C) / 2 with C classes. Each repetition draws images,
    start and noise anew.

    The embeddings have their mean taken off, are reduced to their first 64 principal axes and
    scaled so that the largest variance is 1. Classes of no more than `shots` images take no part.

    A weak mapping: the paper trains 20 layers on images, and says nothing about embeddings. With
    one layer the loss is convex, and noise can only do harm.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        start: `"zeros"`, or normal weights: `"tiny"`, of deviation 0.01, or `"he"`, of variance
            2 / inputs.
        measure: `"success"`; or `"accuracy"`, on the images that were not trained on.
        layers: Linear layers, at least 1.
        eta: η; 0 gives 0.
        shots: Images of each class to train on.
        steps: Steps of gradient descent.
        heads: Repetitions, at least 2.
        seed: Start of the draws.

    Returns:
        Difference of two shares, from −1 to 1; positive where optimisation and not the embeddings
        kept the head from learning. Its interval is Student's over the repetitions, at 95 %.

    Raises:
        InputError: an option is too small, or start or measure is none of those.
        ScoreUndefinedError: fewer than two classes have more than `shots` images, or all
            embeddings are equal.

    References:
        Neelakantan et al., "Adding Gradient Noise Improves Learning for Very Deep Networks", 2015,
        https://arxiv.org/abs/1511.06807

    >>> classes = np.arange(60) % 3
    >>> gradient_noise_gain(embeddings=np.eye(3)[classes], labels=classes, layers=1, steps=50)
    0.0
    """
    for name, value, least in (("layers", layers, 1), ("steps", steps, 0), ("eta", eta, 0)):
        if value < least:
            raise InputError(f"{name} must be ≥ {least}, but is {value}.")
    for name, value, known in (("start", start, tuple(STARTS)), ("measure", measure, _MEASURES)):
        if value not in known:
            raise InputError(f"{name} must be one of {', '.join(known)}, but is {value!r}.")
    few = few_labels(labels, "A deep head", shots=shots, heads=heads, seed=seed)
    z = coordinates(centred_svd, _AXES)[few.kept]
    x, y = torch.from_numpy(z[few.train]), torch.from_numpy(few.ids[few.train])
    judged, right = torch.from_numpy(z[few.test]), torch.from_numpy(few.ids[few.test])
    head = DeepHead(z.shape[1], _WIDTH, few.n_classes, layers)
    enough = (1 + 1 / few.n_classes) / 2

    def after_training(variance: float) -> Float[np.ndarray, " heads"]:
        generators = [np.random.default_rng([seed, one]) for one in range(heads)]
        ends = descend(
            head.new(start, generators),
            lambda now: cross_entropies(head(now, x), y),
            rate=_RATE,
            steps=steps,
            longest=_LONGEST,
            noise=AnnealedNoise(variance, generators) if variance else None,
        )
        if measure == "accuracy":
            return accuracies(head(ends, judged), right)
        return (accuracies(head(ends, x), y) > enough).astype(np.float64)

    return mean_with_interval(after_training(eta) - after_training(0.0), (-1.0, 1.0))
