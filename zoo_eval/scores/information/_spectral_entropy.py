"""DSE of many images, from products with the kernel instead of its eigenvalues.

Let λ be the eigenvalues of the diffusion kernel K. With A = tr Kᵗ = Σ λᵗ and
B = −tr(Kᵗ ln Kᵗ) = −Σ λᵗ ln λᵗ,

    DSE = −Σ p log₂ p = log₂ A + B / (A ln 2),    p = λᵗ / A.

Both are traces of a function of K, and zᵀ f(K) z has the expectation tr f(K) for a vector z of
random signs (Hutchinson). K' = K − uuᵀ leaves out the eigenvalue 1, which adds 1 to A and nothing
to B. A Krylov space of a block of such z gives zᵀ f(K') z to a precision far below its scatter;
see `_lanczos`. That scatter is 0.01 to 0.1 bits for ten vectors and is what has to be got rid of.

Control variates. From the estimate we take off what has a known expectation, zero:

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

Error bars, all in bits:

*   the standard error from the scatter of the single z, 48 per round. Up to four rounds are made
    until it is below 5·10⁻⁴; on networks' embeddings one round gives about 10⁻⁴ to 4·10⁻⁴.
*   truncation. −x ln x has a branch point at 0, so the quadrature after k steps is off by about
    C k⁻⁴, and is too large, as the even derivatives are negative (Golub and Meurant, section 6.1).
    Steps are made until G(k−2) − G(k) puts this error, (k/8)(G(k−2) − G(k)), below 10⁻⁴.
*   rounding. A random error of 10⁻⁷ in the entries of K has a spectrum of width
    δ = 10⁻⁷‖K‖_F / √n, which hides smaller eigenvalues; n of these add up to n δ log₂(1/δ) / A.

The interval is value ± (t-quantile × standard error + rounding), less the truncation below.

References:
    Girard, "A fast Monte-Carlo cross-validation procedure", Numerische Mathematik 1989, and
    Hutchinson, Communications in Statistics 1989 (tr f(K) from random vectors).
    Ubaru, Chen and Saad, SIAM J. Matrix Anal. Appl. 2017 (stochastic Lanczos quadrature),
    https://doi.org/10.1137/16M1104974
    Meyer, Musco, Musco and Woodruff, "Hutch++", SOSA 2021 (deflation of a trace estimate),
    https://arxiv.org/abs/2010.09649
    Chen and Hallman, "Krylov-aware stochastic trace estimation", SIAM J. Matrix Anal. Appl. 2023
    (deflation out of Krylov spaces that are there anyway), https://arxiv.org/abs/2205.01736
    Benzi, Rinelli and Simunec, "Computation of the von Neumann entropy of large matrices",
    Numerische Mathematik 2023, https://arxiv.org/abs/2212.09642
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

from zoo_eval.scores._score import Estimate
from zoo_eval.scores.information._kernel_strips import KernelStrips
from zoo_eval.scores.information._lanczos import KrylovSpace, Ritz

_HALF = 24  # random vectors in each of the two halves
_FIRST_CHECK, _STEPS_PER_CHECK, _MOST_STEPS = 10, 2, 32
_TRUNCATION = 1e-4  # bits
_STANDARD_ERROR = 5e-4  # bits
_MOST_ROUNDS = 4
_SUMS = 3e-7  # relative error of tr K' and ‖K'‖_F²
_ENTRIES = 1e-7  # relative error of an entry of K'
# A θⱼ stands for several eigenvalues if its weight is that many standard errors above 1.
_CLEARLY = 3.0
_DEFLATABLE = 0.3  # largest residual over θⱼ at which first order says something
_OF_TOP = np.array([1.0, 0.0])  # what the eigenvalue 1 adds to A and B

# Smallest number of images for which the Krylov spaces fit into the space of all.
SMALLEST = _HALF * _MOST_STEPS + 1


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


def entropy_estimate(kernel: KernelStrips, t: float | int, seed: int = 0) -> Estimate:
    """DSE in bits with its interval at 95 %; t ≥ 1."""
    width = float(np.sqrt((1 + kernel.square_norm) / kernel.n)) * _ENTRIES
    rounding = -kernel.n * width * float(np.log2(width))  # times 1 / A, where A ≥ 1
    if kernel.square_norm == 0:  # all images are equal
        return Estimate(0.0, low=0.0, high=rounding)
    functions = _power(t), _entropy(t)
    generator = np.random.default_rng(seed)
    samples = np.empty((2, 0))
    truncation = error = 0.0
    for _ in range(_MOST_ROUNDS):
        found, off = _round(kernel, functions, generator)
        samples = np.hstack([samples, found])
        truncation = max(truncation, off)
        error = _standard_error(samples)
        if error <= _STANDARD_ERROR:
            break
    power, entropy = (samples.mean(axis=1) + _OF_TOP).tolist()
    value = max(float(np.log2(power)) + entropy / (power * float(np.log(2))), 0.0)
    reach = float(student.ppf(0.975, samples.shape[1] - 1)) * error + rounding / power
    return Estimate(value, low=max(value - reach - truncation, 0.0), high=value + reach)


def _round(
    kernel: KernelStrips, functions: tuple[Function, Function], generator: np.random.Generator
) -> tuple[Float[np.ndarray, "2 z"], float]:
    """The controlled estimates of both traces by each random vector; the truncation in bits."""
    most_steps = min(_MOST_STEPS, (kernel.n - 1) // _HALF)
    halves = [KrylovSpace(_random_signs(kernel, generator), most_steps) for _ in range(2)]
    truncation = np.inf
    for steps in range(_FIRST_CHECK, _MOST_STEPS + 1, _STEPS_PER_CHECK):
        while halves[0].steps < steps:
            # One product for both halves: the matrix is read once.
            product = kernel @ np.hstack([half.newest for half in halves])
            for half, part in zip(halves, np.hsplit(product, 2), strict=True):
                half.extend(np.ascontiguousarray(part))
        before, now = (
            np.mean([_plain(half.ritz(k), functions) for half in halves], axis=0)
            for k in (steps - 2, steps)
        )
        truncation = abs(_in_bits(before - now, now)) * steps / 8
        if truncation <= _TRUNCATION:
            break
    samples = [
        np.hstack([_controlled(kernel, function, *pair) for pair in (halves, halves[::-1])])
        for function in functions
    ]
    return np.array(samples), float(truncation)


def _random_signs(
    kernel: KernelStrips, generator: np.random.Generator
) -> Float[np.ndarray, "n half"]:
    """Vectors of random signs, less their part along the known eigenvector."""
    signs = generator.choice(np.array([-1, 1], dtype=np.float32), size=(kernel.n, _HALF))
    return signs - np.outer(kernel.top, kernel.top @ signs)


def _plain(spectrum: Ritz, functions: tuple[Function, Function]) -> Float[np.ndarray, "2"]:
    """Mean of zᵀ f(K') z over the vectors, of each function."""
    weights = spectrum.weights.mean(axis=0)
    return np.array([weights @ function.value(spectrum.values) for function in functions])


def _in_bits(
    change: Float[np.ndarray, "2 ..."], traces: Float[np.ndarray, "2"]
) -> Float[np.ndarray, "..."]:
    """Change of the entropy, to first order, when tr K'ᵗ and the other trace change."""
    power, entropy = traces + _OF_TOP
    return change[0] * (1 / power - entropy / power**2) / np.log(2) + change[1] / (
        power * np.log(2)
    )


def _standard_error(samples: Float[np.ndarray, "2 z"]) -> float:
    """Of the entropy in bits, from the scatter of the single vectors."""
    traces = samples.mean(axis=1)
    scatter = _in_bits(samples - traces[:, None], traces)
    return float(np.std(scatter, ddof=1) / np.sqrt(len(scatter)))


def _controls(kernel: KernelStrips, function: Function, spectrum: Ritz) -> Controls:
    """The control variates that make the variance least, by the spectrum of the other half."""
    x, residuals = spectrum.values, spectrum.residuals
    weights = spectrum.weights.mean(axis=0)
    value, slope = function.value(x), function.slope(_positive(x))
    powers = np.stack([np.ones_like(x), x, x**2], axis=1)
    slopes = np.stack([np.zeros_like(x), np.ones_like(x), 2 * x], axis=1)
    ridge = np.diag([0.0, _SUMS * kernel.trace, _SUMS * kernel.square_norm])
    deflated = residuals < _DEFLATABLE * x
    # The rows of the fit say by how much each term makes the mean of `_HALF` vectors scatter.
    clearly_more = np.maximum(weights - 1 - _CLEARLY * np.sqrt(2 / _HALF), 0)
    coupling = np.sqrt(4 / _HALF) * residuals
    polynomial, height = np.zeros(3), value
    for _ in range(6):  # settles in two or three
        left = np.sqrt(2 / _HALF * np.where(deflated, clearly_more, weights))
        bent = np.where(deflated, coupling, 0)
        rows = np.vstack([left[:, None] * powers, bent[:, None] * slopes, ridge])
        target = np.concatenate([left * value, bent * slope, np.zeros(3)])
        size = _positive(np.linalg.norm(rows, axis=0))
        polynomial = np.linalg.lstsq(rows / size, target, rcond=None)[0] / size
        height = value - powers @ polynomial
        bend = slope - slopes @ polynomial
        chosen = (2 * (residuals * bend) ** 2 < height**2) & (residuals < _DEFLATABLE * x)
        if np.array_equal(chosen, deflated):
            break
        deflated = chosen
    return Controls(polynomial, height[deflated], spectrum.coordinates[:, deflated])


def _controlled(
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


def _power(t: float | int) -> Function:
    """xᵗ."""

    def value(x: np.ndarray) -> np.ndarray:
        return x**t

    def slope(x: np.ndarray) -> np.ndarray:
        return t * x ** (t - 1)

    return Function(value, slope)


def _entropy(t: float | int) -> Function:
    """−xᵗ ln xᵗ."""

    def value(x: np.ndarray) -> np.ndarray:
        return -t * x**t * np.log(_positive(x))

    def slope(x: np.ndarray) -> np.ndarray:
        return -t * x ** (t - 1) * (t * np.log(_positive(x)) + 1)

    return Function(value, slope)


def _positive(x: np.ndarray) -> np.ndarray:
    return np.maximum(x, 1e-300)
