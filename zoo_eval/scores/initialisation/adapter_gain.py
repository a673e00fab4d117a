"""What an adapter that begins as nothing adds to a linear probe."""

import numpy as np
import torch
from jaxtyping import Float, Int

from zoo_eval.errors import InputError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score
from zoo_eval.scores._student import mean_with_interval
from zoo_eval.scores.initialisation._adapter import AXES, RATE, AdaptedProbe
from zoo_eval.scores.initialisation._heads import (
    Logits,
    accuracies,
    coordinates,
    cross_entropies,
    descend,
    few_labels,
)


@score(unit="fraction", higher_is_better=None, bounds=(-1.0, 1.0))
def adapter_gain(
    centred_svd: ThinSvd,
    labels: Int[np.ndarray, " n"],
    *,
    shots: int = 10,
    rank: int = 16,
    steps: int = 100,
    heads: int = 5,
    seed: int = 0,
) -> float:
    """Accuracy of a probe with an adapter that starts at zero, less that of the probe alone.

    The adapter adds Z ReLU(A z) to an embedding z, with A normal of variance 1/d and Z = 0, so
    that at first it changes nothing. Adapter and linear probe (W and bias, from 0) are trained
    together on `shots` images of each class, by as many steps of plain gradient descent on the
    cross-entropy of all of them, at rate 1, as the probe alone. All other images judge both. Each
    repetition draws images and A anew.

    The embeddings have their mean taken off, are reduced to their first 256 principal axes and
    scaled so that the largest variance is 1. Classes of no more than `shots` images take no part.

    A weak mapping: of the paper this keeps only a plug-in that cannot do harm before it is
    trained; afterwards it can, where labels are few, and a negative value is no error.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        shots: Images of each class to train on.
        rank: Rows of A.
        steps: Steps of gradient descent; 0 gives 0.
        heads: Repetitions, at least 2.
        seed: Start of the draws.

    Returns:
        Difference of two accuracies, from −1 to 1; positive if there is room for adaptation that
        a linear probe leaves. Its interval is Student's over the repetitions, at 95 %.

    Raises:
        InputError: an option is too small.
        ScoreUndefinedError: fewer than two classes have more than `shots` images, or all
            embeddings are equal.

    References:
        Wu et al., "VMix: Improving Text-to-Image Diffusion Model with Cross-Attention Mixing
        Control", 2024 (zero-initialised plug-in), https://arxiv.org/abs/2412.20800

    >>> classes = np.arange(60) % 3
    >>> adapter_gain(embeddings=np.eye(3)[classes], labels=classes)  # the probe is always right
    0.0
    """
    for name, value, least in (("rank", rank, 1), ("steps", steps, 0)):
        if value < least:
            raise InputError(f"{name} must be ≥ {least}, but is {value}.")
    few = few_labels(labels, "The adapter", shots=shots, heads=heads, seed=seed)
    z = coordinates(centred_svd, AXES)[few.kept]
    x, y = torch.from_numpy(z[few.train]), torch.from_numpy(few.ids[few.train])
    judged, right = torch.from_numpy(z[few.test]), torch.from_numpy(few.ids[few.test])
    head = AdaptedProbe(z.shape[1], few.n_classes, rank)
    start = head.new(heads, seed)

    def after_training(logits: Logits) -> Float[np.ndarray, " heads"]:
        ends = descend(
            start, lambda now: cross_entropies(logits(now, x), y), rate=RATE, steps=steps
        )
        return accuracies(logits(ends, judged), right)

    gains = after_training(head.adapted) - after_training(head.plain)
    return mean_with_interval(gains, (-1.0, 1.0))
