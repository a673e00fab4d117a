"""How often a probe is right, and how sure that is."""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool
from scipy.stats import binomtest


@dataclass(frozen=True)
class Accuracy:
    """Share of right answers on images like those that the probe was fitted on.

    Each of them is predicted from all others. The interval is Wilson's at 95 %: it covers that
    these images are a sample of such images; not that new ones may come from elsewhere, nor that
    copies among them are predicted from one another.
    """

    value: float
    low: float
    high: float
    n_images: int


def accuracy_of(right: Bool[np.ndarray, " n"]) -> Accuracy:
    """The accuracy where each image was predicted from the others.

    Args:
        right: Whether each prediction is right.
    """
    n = len(right)
    interval = binomtest(int(right.sum()), n).proportion_ci(method="wilson")
    return Accuracy(float(right.mean()), float(interval.low), float(interval.high), n)
