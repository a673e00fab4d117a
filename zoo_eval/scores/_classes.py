"""Class bookkeeping that the scores with labels share."""

import numpy as np
from jaxtyping import Float, Int
from scipy.sparse import csr_array

from zoo_eval.errors import ScoreUndefinedError


def class_ids(
    labels: Int[np.ndarray, " n"], score_name: str, groups: str = "classes"
) -> tuple[Int[np.ndarray, " n"], Int[np.ndarray, " classes"]]:
    """Class of each image, renumbered 0 … C−1 without gaps, and the size of each class.

    Raises:
        ScoreUndefinedError: all images have the same class.
    """
    _, ids, sizes = np.unique(labels, return_inverse=True, return_counts=True)
    if len(sizes) < 2:
        raise ScoreUndefinedError(
            f"{score_name} compares images of two or more {groups}, but all {len(labels)} images "
            f"are of one. Take a dataset with more {groups}."
        )
    return ids, sizes


def class_sums(
    values: Float[np.ndarray, "n k"], ids: Int[np.ndarray, " n"], n_classes: int
) -> Float[np.ndarray, "classes k"]:
    """Sum of the rows of each class, in O(n k): the one-hot matrix is sparse."""
    n = len(ids)
    one_hot = csr_array((np.ones(n), (ids, np.arange(n))), shape=(n_classes, n))
    return np.asarray(one_hot @ values)
