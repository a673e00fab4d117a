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
    held = HeldFixed(matrices[:, :-2, :-2], matrices[:, -1, :-2])
    return held(matrices[:, -2, :-2], matrices[:, -2, -1]).reshape(resamples)


class HeldFixed:
    """Partial correlations of many quantities x with one y, given the same controls.

    What does not depend on x is computed once: C⁻¹, C⁻¹ b_y and what is left of y.
    """

    def __init__(
        self,
        controls: Float[np.ndarray, "resamples k k"],
        with_y: Float[np.ndarray, "resamples k"],
    ) -> None:
        """Invert the correlations of the controls.

        Args:
            controls: C, a symmetric matrix per resample; NaN where a control is constant.
            with_y: b_y, the correlations of y with each control; NaN where a side is constant.
        """
        self._known = np.isfinite(controls).all(axis=(1, 2)) & np.isfinite(with_y).all(axis=1)
        self._inverse = np.linalg.pinv(controls[self._known], rcond=_DEPENDENT, hermitian=True)
        y = with_y[self._known]
        self._of_y = np.einsum("rij,rj->ri", self._inverse, y)
        self._left_of_y = 1 - np.einsum("ri,ri->r", y, self._of_y)

    def __call__(
        self,
        with_x: Float[np.ndarray, "resamples k"],
        between: Float[np.ndarray, " resamples"],
    ) -> Float[np.ndarray, " resamples"]:
        """Partial correlation of x and y.

        Args:
            with_x: Correlations of x with each control.
            between: Correlation of x and y.
        """
        x = with_x[self._known]
        left_of_x = 1 - np.einsum("ri,rij,rj->r", x, self._inverse, x)
        covariance = between[self._known] - np.einsum("ri,ri->r", x, self._of_y)
        spread = left_of_x * self._left_of_y
        spread[(left_of_x <= _NOTHING_LEFT) | (self._left_of_y <= _NOTHING_LEFT)] = np.nan
        partial = np.full(len(with_x), np.nan)
        partial[self._known] = covariance / np.sqrt(spread)
        return partial
