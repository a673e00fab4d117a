"""CDNV, the class-distance normalised variance."""

import numpy as np
from jaxtyping import Int, Shaped

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.distances import squared_distances
from zoo_eval.scores._classes import class_sums
from zoo_eval.scores._score import score
from zoo_eval.scores.geometry._class_means import class_means


@score(unit="dimensionless", higher_is_better=False, bounds=(0.0, np.inf))
def cdnv(embeddings: Shaped[np.ndarray, "n d"], labels: Int[np.ndarray, " n"]) -> float:
    """Variance of two classes in units of the distance of their means, mean over all pairs.

    With the mean μ_c and the variance V_c = mean of ‖z − μ_c‖² over the images of class c, the
    value of a pair is (V_a + V_b) / (2 ‖μ_a − μ_b‖²).

    Implementations agree. V_c is divided by n_c, so small classes are taken for tighter than they
    are, and a class of one image has V_c = 0. A single pair of classes with close means can
    dominate the mean.

    Args:
        embeddings: One row per image.
        labels: Class of each image.

    Returns:
        From 0 (all images of a class are equal). Unchanged by rotation, translation, scale,
        reordering images and renaming classes.

    Raises:
        ScoreUndefinedError: there is one class only, no class has two images, or two classes have
            the same mean.

    References:
        Galanti, György and Hutter, "On the Role of Neural Collapse in Transfer Learning", ICLR
        2022, https://arxiv.org/abs/2112.15121
        rhubarbwu/neural-collapse, neural_collapse/measure.py.

    >>> z = np.array([[3.0, 1.0], [3.0, -1.0], [-3.0, 1.0], [-3.0, -1.0]])
    >>> round(cdnv(z, np.array([0, 0, 1, 1])), 6)  # (1 + 1) / (2 · 36)
    0.027778
    """
    means = class_means(embeddings, labels, "CDNV")
    first, second = np.triu_indices(len(means.sizes), k=1)
    distances = squared_distances(means.offsets)[first, second]
    n_equal = int(np.sum(distances <= means.rounding**2))
    if n_equal:
        raise ScoreUndefinedError(
            f"CDNV divides by the distance of two class means, but in {n_equal} of "
            f"{len(distances)} pairs of classes they are equal."
        )
    squares = np.sum(means.residuals**2, axis=1, keepdims=True)
    variances = class_sums(squares, means.ids, len(means.sizes))[:, 0] / means.sizes
    return float(np.mean((variances[first] + variances[second]) / (2 * distances)))
