"""ETran's second part: how sure the nearest class mean is of the right class."""

import numpy as np
from jaxtyping import Int, Shaped
from scipy.special import softmax

from zoo_eval.scores._classes import class_ids, class_sums
from zoo_eval.scores._score import score


@score(unit="probability", higher_is_better=True, bounds=(0.0, 1.0))
def etran_classification(
    embeddings: Shaped[np.ndarray, "n d"], labels: Int[np.ndarray, " n"]
) -> float:
    """Mean probability of the right class under a softmax over distances to the class means.

    (1/n) Σᵢ p(yᵢ | zᵢ), p(c | z) ∝ (n_c / n) exp(−½ ‖z − μ_c‖²), with μ_c the class means, fitted
    on the images that they are judged on.

    Paper and code call this linear discriminant analysis. But the official code takes the
    eigenvectors of W⁻¹B with a routine for symmetric matrices, which W⁻¹B is not; they come out
    orthonormal, whatever the covariances W within and B between classes, and cancel. What is
    left is this formula, to 1e-9 of the official value; W and its regularisation have no effect.
    For the real analysis see `lda_accuracy`.

    Args:
        embeddings: One row per image.
        labels: Class of each image.

    Returns:
        From 0 to 1 (all classes far apart); Σ_c (n_c / n)² if all class means are equal.
        Unchanged by rotation, translation, reordering images and renaming classes; scaling the
        embeddings up moves it towards the accuracy of the nearest class mean.

    Raises:
        ScoreUndefinedError: there is one class only.

    References:
        Gholami et al., "ETran: Energy-Based Transferability Estimation", ICCV 2023,
        https://arxiv.org/abs/2308.02027
        https://github.com/mgholamikn/ETran

    >>> z = np.array([[0.0], [2.0]])  # log odds ½ · 2²
    >>> round(etran_classification(z, np.array([0, 1])), 6)  # 1 / (1 + e⁻²)
    0.880797
    """
    ids, sizes = class_ids(labels, "ETran's classification score")
    z = embeddings.astype(np.float64)
    z -= z.mean(axis=0)  # changes no distance, and keeps the digits that would cancel
    means = class_sums(z, ids, len(sizes)) / sizes[:, None]
    scores = z @ means.T - np.einsum("cd,cd->c", means, means) / 2 + np.log(sizes / len(ids))
    return min(1.0, float(softmax(scores, axis=1)[np.arange(len(ids)), ids].mean()))
