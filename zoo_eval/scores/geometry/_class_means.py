"""Class means, and what is left of the embeddings without them."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Int, Shaped

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.scores._classes import class_ids, class_sums


class ClassMeans(NamedTuple):
    """Embeddings split into class means and residuals."""

    offsets: np.ndarray  # (C, d): class means less the mean of the class means
    residuals: np.ndarray  # (n, d): embeddings less the mean of their class
    ids: np.ndarray  # (n,): class of each image, 0 … C − 1
    sizes: np.ndarray  # (C,): images of each class
    rounding: float  # a singular value of the offsets up to this is none


def class_means(
    embeddings: Shaped[np.ndarray, "n d"], labels: Int[np.ndarray, " n"], score_name: str
) -> ClassMeans:
    """Split embeddings, in any basis, in float64; every class counts alike in the mean of means.

    Raises:
        ScoreUndefinedError: there is one class only, no class has two images, or all class means
            are equal.
    """
    ids, sizes = class_ids(labels, score_name)
    n, n_classes = len(ids), len(sizes)
    if n == n_classes:
        raise ScoreUndefinedError(
            f"{score_name} needs the spread within classes, but each of the {n} images is the only "
            "one of its class. Take more images."
        )
    z = embeddings.astype(np.float64)
    length = np.linalg.norm(z) / np.sqrt(n)  # before the mean is taken off: its rounding stays
    z -= z.mean(axis=0)
    means = class_sums(z, ids, n_classes) / sizes[:, None]
    offsets = means - means.mean(axis=0)
    rounding = float(np.sqrt(n_classes) * length * max(n, z.shape[1]) * np.finfo(np.float64).eps)
    if np.linalg.norm(offsets) <= rounding:
        raise ScoreUndefinedError(
            f"{score_name} needs class means that differ, but all {n_classes} are equal. "
            "Are the weights damaged?"
        )
    return ClassMeans(offsets, z - means[ids], ids, sizes, rounding)
