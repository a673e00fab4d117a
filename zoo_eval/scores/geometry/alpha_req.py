"""α-ReQ, how near the decay of the covariance's spectrum is to 1/i."""

import numpy as np
from jaxtyping import Float

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score
from zoo_eval.scores.geometry._spectrum import variances

# Embeddings are float32: singular values below this share of the largest are its rounding.
_FLOAT32_ROUNDING = float(np.finfo(np.float32).eps)


@score(unit="dimensionless", higher_is_better=True, bounds=(-np.inf, 0.0))
def alpha_req(centred_svd: ThinSvd, *, first: int = 11, last: int = 100) -> float:
    """Nearness −|α − 1| of the spectrum's power law λᵢ ∝ i^(−α) to α = 1.

    λ₁ ≥ λ₂ ≥ … are the eigenvalues of the embeddings' covariance. −α is the slope of ln λᵢ over
    ln i, i = 11 … 100, by least squares with weights 1/i, which give each octave of ranks a like
    say.

    Implementations return α. As the paper claims that α near 1 is good, whether from above
    (collapse) or below (noise), α itself can be correlated with nothing; the value here is its
    distance from 1, negative, so that more is better. `decay` gives α.

    The range is fixed, as α depends on it: 1.78 for ranks 6 to 40 and 2.00 for 11 to 100 of the
    same embeddings in the tests. It needs d ≥ 100 features and n > 100 images. Eigenvalues that
    are rounding of float32 must not enter: on embeddings of rank 14 the official code fits ranks
    6 to 40 with α = 26.8, where here there is no value. The official code also adds 1 to the
    ranks that it was given, in place.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.
        first: Rank of the first eigenvalue of the fit, from 1.
        last: Rank of the last.

    Returns:
        0 or below; 0 where α = 1. Unchanged by rotation, translation, scale and reordering
        images.

    Raises:
        InputError: first is below 1, or last is not above it.
        ScoreUndefinedError: there are fewer than `last` eigenvalues above the rounding.

    References:
        Agrawal et al., "α-ReQ: Assessing Representation Quality in Self-Supervised Learning by
        Measuring Eigenspectrum Decay", NeurIPS 2022,
        https://openreview.net/forum?id=ii9X4vtZGTZ
        arnab39/reptrix, reptrix/alpha.py.

    >>> z = np.vstack([np.eye(8), -np.eye(8)]) * np.arange(1.0, 9.0) ** -0.75  # λᵢ ∝ i^(−1.5)
    >>> round(alpha_req(embeddings=z, first=2, last=8), 6)
    -0.5
    """
    return -abs(decay(centred_svd, first, last) - 1)


def decay(centred_svd: ThinSvd, first: int, last: int) -> float:
    """The exponent α itself; see `alpha_req` for the arguments and errors."""
    if not 1 <= first < last:
        raise InputError(
            f"The ranks of the fit must be 1 ≤ first < last, but are first={first} and last={last}."
        )
    values = variances(centred_svd, "α-ReQ")
    n_above = int(np.sum(values > _FLOAT32_ROUNDING**2))
    if n_above < last:
        raise ScoreUndefinedError(
            f"α-ReQ fits the eigenvalues of ranks {first} to {last}, but of "
            f"{len(centred_svd.left)} embeddings of {centred_svd.n_features} features only "
            f"{n_above} are above the rounding. Take more images, or a smaller last."
        )
    ranks = np.arange(first, last + 1)
    return -_slope(np.log(ranks), np.log(values[first - 1 : last]), 1 / ranks)


def _slope(
    x: Float[np.ndarray, " k"], y: Float[np.ndarray, " k"], weights: Float[np.ndarray, " k"]
) -> float:
    """Slope of y over x by weighted least squares, with an intercept."""
    offsets = weights * (x - np.average(x, weights=weights))
    return float(offsets @ y / (offsets @ x))
