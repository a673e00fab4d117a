"""Linear probes that differ in nothing but chance: their start, and a bootstrap of the images."""

from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float, Int

from zoo_eval.errors import InputError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores.initialisation._adapter import AXES, RATE
from zoo_eval.scores.initialisation._heads import (
    coordinates,
    cross_entropies,
    descend,
    few_labels,
    parts,
)


class Answers(NamedTuple):
    """Probabilities that some heads give, and the right classes."""

    probabilities: Float[np.ndarray, "heads n classes"]
    ids: Int[np.ndarray, " n"]

    @property
    def spread(self) -> Float[np.ndarray, " n"]:
        """Standard deviation over the heads of the probability of the class they decide for."""
        decided = self.probabilities.mean(axis=0).argmax(axis=1)
        of_decided = self.probabilities[:, np.arange(len(decided)), decided]
        return of_decided.std(axis=0, ddof=1)

    @property
    def errors(self) -> Float[np.ndarray, " n"]:
        """1 less the mean over the heads of the probability of the right class."""
        return 1 - self.probabilities.mean(axis=0)[np.arange(len(self.ids)), self.ids]


def bootstrapped_answers(
    svd: ThinSvd,
    labels: Int[np.ndarray, " n"],
    *,
    shots: int,
    steps: int,
    heads: int,
    seed: int,
) -> Answers:
    """Train each head on a bootstrap of the same images and ask it about all others.

    Args:
        svd: Of the centred embeddings.
        labels: Class of each image.
        shots: Images of each class to draw the bootstraps from.
        steps: Steps of gradient descent.
        heads: Number of heads, at least 2.
        seed: Start of the draws.

    Raises:
        InputError: an option is too small.
        ScoreUndefinedError: fewer than two classes have more than `shots` images, or all
            embeddings are equal.
    """
    if steps < 0:
        raise InputError(f"steps must be ≥ 0, but is {steps}.")
    few = few_labels(labels, "A linear head", shots=shots, heads=heads, seed=seed)
    z = coordinates(svd, AXES)[few.kept]
    train, test = few.train[0], few.test[0]
    shapes = [(z.shape[1], few.n_classes), (1, few.n_classes)]
    starts, bootstraps = [], []
    for head in range(heads):
        rng = np.random.default_rng([seed, head])
        weights = rng.normal(0, z.shape[1] ** -0.5, size=z.shape[1] * few.n_classes)
        starts.append(np.pad(weights, (0, few.n_classes)))
        bootstraps.append(rng.choice(train, len(train)))
    places = np.stack(bootstraps)
    x, y = torch.from_numpy(z[places]), torch.from_numpy(few.ids[places])

    def logits(now: torch.Tensor, inputs: torch.Tensor) -> torch.Tensor:
        weights, bias = parts(now, shapes)
        return inputs @ weights + bias

    ends = descend(
        torch.from_numpy(np.stack(starts)).float(),
        lambda now: cross_entropies(logits(now, x), y),
        rate=RATE,
        steps=steps,
    )
    asked = torch.softmax(logits(ends, torch.from_numpy(z[test])).double(), dim=2)
    return Answers(asked.numpy(), few.ids[test])
