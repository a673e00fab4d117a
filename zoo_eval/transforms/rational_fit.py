"""Rational functions that come nearest to an activation function."""

from collections.abc import Callable
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import torch
from jaxtyping import Float
from scipy.optimize import least_squares, lsq_linear
from torch import Tensor

# Where functions are compared, as in the paper.
_POINTS = np.linspace(-3.0, 3.0, 201)
_LINEAR_STEPS = 20
_MOST_STEPS = 50
_NEAR_BOUND = 1e-3


class Rational(NamedTuple):
    """R(x) = Σᵢ aᵢ xⁱ / (1 + Σⱼ |bⱼ| |x|ʲ): it has no poles.

    Attributes:
        numerator: a₀ … aₘ.
        denominator: b₁ … bₙ.
    """

    numerator: tuple[float, ...]
    denominator: tuple[float, ...]


def rational_like(function: Callable[[Tensor], Tensor], degree: int = 5) -> Rational:
    """The rational function with the least squared distance to a function on [−3, 3].

    Found from one start: another local minimum may be lower by a little.

    Args:
        function: Elementwise; called with float64.
        degree: Of the numerator; the denominator's is one less.
    """
    values = function(torch.tensor(_POINTS)).detach().double().numpy()
    return _fitted(tuple(values.tolist()), degree)


@lru_cache
def _fitted(values: tuple[float, ...], degree: int) -> Rational:
    y, x = np.array(values), _POINTS / _POINTS[-1]
    powers = x[:, None] ** np.arange(degree + 1)
    sizes = np.abs(x)[:, None] ** np.arange(1, degree)

    def numerator(b: np.ndarray) -> Float[np.ndarray, " m_plus_1"]:
        return np.linalg.lstsq(powers / (1 + sizes @ b)[:, None], y)[0]

    def residuals(b: np.ndarray) -> Float[np.ndarray, " points"]:
        """Of the best numerator above a denominator."""
        return powers @ numerator(b) / (1 + sizes @ b) - y

    b = np.zeros(degree - 1)
    if degree > 1:
        b = least_squares(
            residuals, _start(y, powers, sizes), bounds=(0, np.inf), max_nfev=_MOST_STEPS
        ).x
        # The search stays off its bound, which is where even and odd functions have their optimum.
        without = np.where(b < _NEAR_BOUND, 0.0, b)
        b = min(b, without, key=lambda each: float(np.sum(residuals(each) ** 2)))
    units = _POINTS[-1] ** np.arange(degree + 1)
    return Rational(tuple((numerator(b) / units).tolist()), tuple((b / units[1:degree]).tolist()))


def _start(y: np.ndarray, powers: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Denominator from the linear problem P = y Q, its rows weighted by the Q found before."""
    columns = np.hstack([powers, -y[:, None] * sizes])
    lowest = np.where(np.arange(columns.shape[1]) < powers.shape[1], -np.inf, 0.0)
    b = np.zeros(sizes.shape[1])
    for _ in range(_LINEAR_STEPS):
        q = 1 + sizes @ b
        found = lsq_linear(columns / q[:, None], y / q, bounds=(lowest, np.inf))
        b = np.maximum(found.x[powers.shape[1] :], 1e-6)  # the next search starts inside
    return b
