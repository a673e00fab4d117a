"""A score and the accuracy with the size of the network held fixed."""

import numpy as np
from jaxtyping import Float

from zoo_eval.correlation.ties import midranks


def at_equal_size(
    score: Float[np.ndarray, " n"],
    accuracy: Float[np.ndarray, " n"],
    size: Float[np.ndarray, " n"],
) -> tuple[Float[np.ndarray, " n"], Float[np.ndarray, " n"]]:
    """Ranks of score and accuracy, less what a linear fit to the ranks of the size explains.

    Pearson's correlation of the two is the partial ρ; so a scatter of them shows it.

    Returns:
        In ranks: by how many places a model stands higher than its size lets expect.
    """
    ranks = midranks(np.stack([score, accuracy, size])).T
    ranks -= ranks.mean(axis=0)
    held = ranks[:, 2:]
    spread = float((held * held).sum())
    slopes = (held * ranks[:, :2]).sum(axis=0) / spread if spread else np.zeros(2)
    left = ranks[:, :2] - held * slopes
    return left[:, 0], left[:, 1]
