"""H-score with a shrunk covariance."""

import numpy as np
from jaxtyping import Int

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids, class_sums
from zoo_eval.scores._score import score


@score(unit="dimensions", higher_is_better=True, bounds=(0.0, np.inf))
def h_score_shrinkage(centred_svd: ThinSvd, labels: Int[np.ndarray, " n"]) -> float:
    """Variance between classes in units of the variance of the embeddings, regularised.

    H = tr(Σ_a⁻¹ (1 − a) Σ_B), with Σ_B the covariance of the class means, one per image
    (divided by n − 1), Σ the covariance of the embeddings (divided by n), μ = tr Σ / d and
    Σ_a = (1 − a) Σ + a μ I. The weight a is the Ledoit–Wolf estimate. Without shrinkage
    (a = 0) H is C − 1 for every model as soon as d ≥ n, and says nothing.

    Everything is computed in the basis of the SVD of the centred embeddings, UsVᵀ. With
    qₖ = Σ_c (Σ_{i in c} Uᵢₖ)² / n_c, H = Σₖ (1 − a) sₖ² qₖ / ((n − 1)((1 − a) sₖ²/n + a μ)).

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.

    Returns:
        Directions that tell classes apart, from 0 (all class means equal, or a = 1) to
        (C − 1) n / (n − 1). Unchanged by rotation, translation, scale, reordering images and
        renaming classes, but not by stretching one feature.

    Raises:
        ScoreUndefinedError: there is one class only, or all embeddings are equal.

    References:
        Ibrahim et al., "Newer is Not Always Better", ECML 2022, https://arxiv.org/abs/2110.06893
        Bao et al., "An Information-Theoretic Approach to Transferability in Task Transfer
        Learning", ICIP 2019 (the H-score itself).
        Ledoit and Wolf, "A well-conditioned estimator for large-dimensional covariance
        matrices", 2004, https://doi.org/10.1016/S0047-259X(03)00096-4

    >>> z = np.array([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]])
    >>> round(h_score_shrinkage(embeddings=z, labels=np.array([0, 0, 1, 1])), 6)  # n / (n − 1)
    1.333333
    """
    ids, sizes = class_ids(labels, "The H-score")
    n, rank = centred_svd.left.shape
    if rank == 0:
        raise ScoreUndefinedError(
            f"The H-score needs embeddings that vary, but all {n} are equal. "
            "Are the weights damaged?"
        )
    variances = centred_svd.singular_values**2 / n
    mean_variance = variances.sum() / centred_svd.n_features
    between = np.sum(class_sums(centred_svd.left, ids, len(sizes)) ** 2 / sizes[:, None], axis=0)
    a = _ledoit_wolf_weight(centred_svd)
    kept = (1 - a) * variances
    return float(np.sum(kept * between / (kept + a * mean_variance)) * n / (n - 1))


def _ledoit_wolf_weight(svd: ThinSvd) -> float:
    """Weight of μI in the Ledoit–Wolf estimate, in O(n k) from the SVD.

    The ratio of two distances: of the covariance from its expectation, estimated from the
    fourth powers of the embeddings' lengths, and of the covariance from μI.
    """
    n, d = len(svd.left), svd.n_features
    variances = svd.singular_values**2 / n
    squared_lengths = svd.left**2 @ svd.singular_values**2
    total = np.sum(variances**2)  # ‖Σ‖²
    from_isotropic = total - variances.sum() ** 2 / d  # ‖Σ − μI‖²
    if from_isotropic <= d * np.finfo(np.float64).eps * total:
        return 0.0  # Σ = μI already (d = 1 included): nothing to shrink
    from_expectation = max(0.0, (np.mean(squared_lengths**2) - total) / n)
    return float(min(1.0, from_expectation / from_isotropic))
