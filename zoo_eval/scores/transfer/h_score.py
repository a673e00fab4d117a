"""H-score, without shrinkage."""

import numpy as np
from jaxtyping import Int

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids, class_sums
from zoo_eval.scores._score import score


@score(unit="dimensions", higher_is_better=True, bounds=(0.0, np.inf))
def h_score(
    centred_svd: ThinSvd, labels: Int[np.ndarray, " n"], *, rcond: float | int = 1e-15
) -> float:
    """Variance between classes in units of the variance of the embeddings.

    H = tr(Σ⁺ Σ_B), with Σ the covariance of the embeddings, Σ⁺ its pseudo-inverse and Σ_B the
    covariance of the class means, one per image. With the thin SVD UsVᵀ of the centred
    embeddings, H = Σₖ Σ_c (Σ_{i in c} Uᵢₖ)² / n_c, without any d × d matrix.

    H is C − 1 for every model as soon as the embeddings span n − 1 directions, as they do
    for d ≥ n in general; h_score_shrinkage still tells models apart there.

    Implementations differ in the rank: directions that hold only rounding count in full,
    since H is blind to scale. Here, as in the code of tllib, variances below `rcond` of the
    largest are zero; 10⁻¹⁵ is where the rounding of float32 embeddings lies. On embeddings
    of rank 14 stored in float32 this gives 1.474, a cut at float64 rounding (rcond=0) 1.795.
    PARC's code adds 10⁻⁸ to class sizes, which changes the ninth digit. The code in
    google-research multiplies the two matrices entry by entry before taking the trace: it gives
    82.2 where H is 4.80, and is no H-score.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        labels: Class of each image.
        rcond: Variances of principal components up to this share of the largest are dropped;
            0 drops those at float64 rounding only.

    Returns:
        Directions that tell classes apart, from 0 (all class means equal) to the smaller of
        C − 1 and the rank. Unchanged by any invertible linear map of the features and by
        translation (where the rank is unchanged), by reordering images and renaming classes.

    Raises:
        InputError: rcond is not in [0, 1).
        ScoreUndefinedError: there is one class only, or all embeddings are equal.

    References:
        Bao et al., "An Information-Theoretic Approach to Transferability in Task Transfer
        Learning", ICIP 2019, https://arxiv.org/abs/2212.10082

    >>> z = np.array([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0], [-1.0, 0.0]])
    >>> round(h_score(embeddings=z, labels=np.array([0, 0, 1, 1])), 6)
    1.0
    """
    if not 0 <= rcond < 1:
        raise InputError(f"rcond, a share of the largest variance, must be in [0, 1): {rcond}.")
    ids, sizes = class_ids(labels, "The H-score")
    values = centred_svd.singular_values
    if len(values) == 0:
        raise ScoreUndefinedError(
            f"The H-score needs embeddings that vary, but all {len(ids)} are equal. "
            "Are the weights damaged?"
        )
    left = centred_svd.left[:, values > np.sqrt(rcond) * values[0]]
    return float(np.sum(class_sums(left, ids, len(sizes)) ** 2 / sizes[:, None]))
