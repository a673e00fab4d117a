"""Partial correlation of two quantities from the correlations of all pairs."""

import numpy as np
from jaxtyping import Float

# What rounding leaves of a quantity that the controls fix, whose spread was 1 before.
_NOTHING_LEFT = 1e-13
# Controls as near to dependent as this count as one.
_DEPENDENT = 1e-10


def partial_of_correlations(
    correlations: Float[np.ndarray, "*resamples v v"],
) -> Float[np.ndarray, "*resamples"]:
    """Correlation of the last two of v quantities, all others held fixed.

    With C the correlations among the controls and B those of them with x and y, what is left of
    x and y has the covariances [[1, ρ_xy], [ρ_xy, 1]] - Bᵀ C⁻¹ B. For one control z this is the
    textbook formula (ρ_xy - ρ_xz ρ_yz) / √((1 - ρ_xz²)(1 - ρ_yz²)).

    Args:
        correlations: One symmetric matrix per resample, with ones on its diagonal; NaN where a
            quantity is constant.

    Returns:
        NaN where the controls fix x or y, or where a correlation is missing.
    """
    resamples = correlations.shape[:-2]
    matrices = correlations.reshape(-1, *correlations.shape[-2:])
    partial = np.full(len(matrices), np.nan)
    known = np.isfinite(matrices).all(axis=(1, 2))
    c = matrices[known]
    across = c[:, :-2, -2:]
    inverse = np.linalg.pinv(c[:, :-2, :-2], rcond=_DEPENDENT, hermitian=True)
    left = c[:, -2:, -2:] - across.swapaxes(1, 2) @ inverse @ across
    spread = left[:, 0, 0] * left[:, 1, 1]
    spread[(left[:, 0, 0] <= _NOTHING_LEFT) | (left[:, 1, 1] <= _NOTHING_LEFT)] = np.nan
    partial[known] = left[:, 0, 1] / np.sqrt(spread)
    return partial.reshape(resamples)
