"""Cuts images into those that choose and those that judge."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int

from zoo_eval.errors import InputError


class Halves(NamedTuple):
    """Places of images; every image is in one of the two, in their order."""

    choosing: Int[np.ndarray, " chosen"]
    judging: Int[np.ndarray, " judged"]


def halves(labels: Int[np.ndarray, " n"], seed: int = 0) -> Halves:
    """Two random halves with as many images of each class, give or take one.

    Args:
        labels: Class of each image.
        seed: Another one cuts otherwise.

    Raises:
        InputError: there are fewer than two images.
    """
    n = len(labels)
    if n < 2:
        raise InputError(f"Two halves take two images at least, but there are {n}.")
    order = np.random.default_rng(seed).permutation(n)
    order = order[np.argsort(labels[order], kind="stable")]
    return Halves(np.sort(order[::2]), np.sort(order[1::2]))
