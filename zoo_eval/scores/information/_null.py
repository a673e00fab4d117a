"""What an estimate of I(Z; Y) gives when the classes have nothing to do with the images."""

from collections.abc import Callable

import numpy as np
from jaxtyping import Float, Integer

from zoo_eval.errors import InputError

Information = Callable[[np.ndarray], float]


def permutation_null(
    information: Information,
    sizes: Integer[np.ndarray, " classes"],
    order_by: Float[np.ndarray, " n"],
    *,
    permutations: int,
    seed: int,
) -> float:
    """Mean of `information(ids)` over random permutations of the labels; 0 without any.

    The labels are dealt out to the images in the order of `order_by`, the classes in the order
    of their sizes, so the value depends on no order of images (but for ties) or class names.

    Args:
        information: The estimate, from the class of each image.
        sizes: Number of images of each class.
        order_by: A property of each image, such as its distance from the mean.
        permutations: How many.
        seed: Start of the permutations.

    Raises:
        InputError: permutations is negative.
    """
    if permutations < 0:
        raise InputError(
            f"permutations must be ≥ 1, or 0 to take off no null, but is {permutations}."
        )
    if permutations == 0:
        return 0.0
    images = np.argsort(order_by, kind="stable")
    labels = np.repeat(np.arange(len(sizes)), np.sort(sizes))
    rng = np.random.default_rng(seed)
    ids = np.empty(len(labels), dtype=np.int64)
    total = 0.0
    for _ in range(permutations):
        ids[images] = rng.permutation(labels)
        total += information(ids)
    return total / permutations
