"""Control variates for tr f(K') from random vectors: what is known is taken off their scatter.

From the estimate zᵀ f(K') z we take off what has a known expectation, zero:

    zᵀf(K')z − c₀(zᵀz − n) − c₁(zᵀK'z − tr K') − c₂(zᵀK'²z − ‖K'‖_F²)
             − Σⱼ gⱼ ((uⱼᵀz)² − 1).

tr K' and ‖K'‖_F² come free with K'. Any unit vectors uⱼ that do not depend on z will do: nearly
eigenvectors of K' (deflation), with gⱼ = f(θⱼ) − c₀ − c₁θⱼ − c₂θⱼ² =: r(θⱼ), take all scatter
off that the largest eigenvalues cause. How near they are matters for the scatter alone: the
expectation is exact, so there is no error of deflation to be bounded. (As z has no part along u,
n is n − 1 here, and the 1 is 1 − (uᵀuⱼ)².)

Two halves. There are two blocks of 24 vectors with a Krylov space each. The uⱼ, gⱼ and c for one
half come from the space of the other, so they are independent of the z they are used with, and
the Krylov spaces cost no product beyond those for the quadrature. (Taking uⱼ from the z's own
space looks better and is not: where eigenvalues lie dense, the uⱼ lean towards z, and the mean
is off by many standard errors.)

Coefficients. The variance of zᵀMz is 2 Σ_{i≠j} Mᵢⱼ² ≤ 2‖M‖_F². For M = f(K') − c₀ − c₁K' − c₂K'²
− Σ gⱼuⱼuⱼᵀ, with residuals ρⱼ = ‖K'uⱼ − θⱼuⱼ‖, to first order

    ‖M‖_F² ≈ Σ_{j not deflated} wⱼ r(θⱼ)² + 2 Σ_{j deflated} ρⱼ² r'(θⱼ)²,

wⱼ the mean quadrature weight, which estimates how many eigenvalues θⱼ stands for. r is linear in
c, so c is a linear least squares fit of f by 1, x and x². θⱼ is deflated if that makes its term
smaller. A θⱼ that clearly stands for several eigenvalues keeps the weight of the others. As the
float32 sums behind tr K' and ‖K'‖_F² are off by about 3·10⁻⁷, their errors c₁δ₁ and c₂δ₂ are in
the fit, too, which keeps c from growing where the spectrum ends in rounding.

References:
    Meyer, Musco, Musco and Woodruff, "Hutch++", SOSA 2021 (deflation of a trace estimate),
    https://arxiv.org/abs/2010.09649
    Chen and Hallman, "Krylov-aware stochastic trace estimation", SIAM J. Matrix Anal. Appl. 2023
    (deflation out of Krylov spaces that are there anyway), https://arxiv.org/abs/2205.01736
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float

from zoo_eval.scores.information._kernel_strips import KernelStrips
from zoo_eval.scores.information._lanczos import KrylovSpace, Ritz

_SUMS = 3e-7  # relative error of tr K' and ‖K'‖_F²
# A θⱼ stands for several eigenvalues if its weight is that many standard errors above 1.
_CLEARLY = 3.0
_DEFLATABLE = 0.3  # largest residual over θⱼ at which first order says something


class Function(NamedTuple):
    """A function of eigenvalues x ≥ 0, and its derivative."""

    value: Callable[[np.ndarray], np.ndarray]
    slope: Callable[[np.ndarray], np.ndarray]


class Controls(NamedTuple):
    """Control variates for one function.

    Attributes:
        polynomial: c₀, c₁, c₂.
        heights: gⱼ = r(θⱼ) of the deflated.
        coordinates: uⱼ of the deflated, in the Krylov space they come from.
    """

    polynomial: Float[np.ndarray, "3"]
    heights: Float[np.ndarray, " m"]
    coordinates: Float[np.ndarray, "kw m"]


def controlled_estimates(
    kernel: KernelStrips, function: Function, own: KrylovSpace, other: KrylovSpace
) -> Float[np.ndarray, " half"]:
    """Estimate of tr f(K') by each vector of `own`, less the control variates from `other`."""
    controls = _controls(kernel, function, other.ritz(other.steps))
    spectrum = own.ritz(own.steps)
    x = spectrum.values
    powers = np.stack([np.ones_like(x), x, x**2])
    rest = spectrum.weights @ (function.value(x) - controls.polynomial @ powers)
    known = controls.polynomial @ [kernel.n - 1, kernel.trace, kernel.square_norm]
    # A unit vector has the expected overlap 1 with random signs, here less what lies along u.
    vectors = np.hstack([own.vectors, kernel.top[:, None]])
    overlaps = other.overlaps(controls.coordinates, vectors)
    deflation = controls.heights @ (overlaps[:, :-1] - (1 - overlaps[:, -1:]))
    return known + rest - deflation


def _controls(kernel: KernelStrips, function: Function, spectrum: Ritz) -> Controls:
    """The control variates that make the variance least, by the spectrum of the other half."""
    x, residuals = spectrum.values, spectrum.residuals
    weights, n_vectors = spectrum.weights.mean(axis=0), len(spectrum.weights)
    value, slope = function.value(x), function.slope(positive(x))
    powers = np.stack([np.ones_like(x), x, x**2], axis=1)
    slopes = np.stack([np.zeros_like(x), np.ones_like(x), 2 * x], axis=1)
    ridge = np.diag([0.0, _SUMS * kernel.trace, _SUMS * kernel.square_norm])
    deflated = residuals < _DEFLATABLE * x
    # The rows of the fit say by how much each term makes the mean of the vectors scatter.
    clearly_more = np.maximum(weights - 1 - _CLEARLY * np.sqrt(2 / n_vectors), 0)
    coupling = np.sqrt(4 / n_vectors) * residuals
    polynomial, height = np.zeros(3), value
    for _ in range(6):  # settles in two or three
        left = np.sqrt(2 / n_vectors * np.where(deflated, clearly_more, weights))
        bent = np.where(deflated, coupling, 0)
        rows = np.vstack([left[:, None] * powers, bent[:, None] * slopes, ridge])
        target = np.concatenate([left * value, bent * slope, np.zeros(3)])
        size = positive(np.linalg.norm(rows, axis=0))
        polynomial = np.linalg.lstsq(rows / size, target, rcond=None)[0] / size
        height = value - powers @ polynomial
        bend = slope - slopes @ polynomial
        chosen = (2 * (residuals * bend) ** 2 < height**2) & (residuals < _DEFLATABLE * x)
        if np.array_equal(chosen, deflated):
            break
        deflated = chosen
    return Controls(polynomial, height[deflated], spectrum.coordinates[:, deflated])


def positive(x: np.ndarray) -> np.ndarray:
    """x, kept off 0 for a logarithm or a power below 0."""
    return np.maximum(x, 1e-300)
