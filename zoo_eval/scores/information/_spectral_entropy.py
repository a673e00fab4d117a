"""DSE of many images, from products with the kernel instead of its eigenvalues.

Let λ be the eigenvalues of the diffusion kernel K. With A = tr Kᵗ = Σ λᵗ and
B = −tr(Kᵗ ln Kᵗ) = −Σ λᵗ ln λᵗ,

    DSE = −Σ p log₂ p = log₂ A + B / (A ln 2),    p = λᵗ / A.

Both are traces of a function of K, and zᵀ f(K) z has the expectation tr f(K) for a vector z of
random signs (Hutchinson). K' = K − uuᵀ leaves out the eigenvalue 1, which adds 1 to A and nothing
to B. A Krylov space of a block of such z gives zᵀ f(K') z to a precision far below its scatter;
see `_lanczos`. That scatter is 0.01 to 0.1 bits for ten vectors and is what has to be got rid of.

Control variates with the mean zero take that scatter off; see `_control_variates`. There are two
blocks of 24 vectors, and the control variates for one half come from the Krylov space of the other.

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
    Benzi, Rinelli and Simunec, "Computation of the von Neumann entropy of large matrices",
    Numerische Mathematik 2023, https://arxiv.org/abs/2212.09642
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student

from zoo_eval.scores._score import Estimate
from zoo_eval.scores.information._control_variates import (
    Function,
    controlled_estimates,
    positive,
)
from zoo_eval.scores.information._kernel_strips import KernelStrips
from zoo_eval.scores.information._lanczos import KrylovSpace, Ritz
from zoo_eval.threads import in_threads, one_blas_thread

_HALF = 24  # random vectors in each of the two halves
_FIRST_CHECK, _STEPS_PER_CHECK, _MOST_STEPS = 10, 2, 32
_TRUNCATION = 1e-4  # bits
_STANDARD_ERROR = 5e-4  # bits
_MOST_ROUNDS = 4
_ENTRIES = 1e-7  # relative error of an entry of K'
_OF_TOP = np.array([1.0, 0.0])  # what the eigenvalue 1 adds to A and B


def entropy_estimate(kernel: KernelStrips, t: float | int, seed: int = 0) -> Estimate:
    """DSE in bits with its interval at 95 %.

    Args:
        kernel: Of 769 images or more, so that the Krylov spaces fit into the space of all.
        t: Number of diffusion steps, 1 or more. A power below 1 would raise the rounding of small
            eigenvalues to a size that counts.
        seed: Start of the random vectors.
    """
    width = float(np.sqrt((1 + kernel.square_norm) / kernel.n)) * _ENTRIES
    rounding = -kernel.n * width * float(np.log2(width))  # times 1 / A, where A ≥ 1
    if kernel.square_norm == 0:  # all images are equal
        return Estimate(0.0, low=0.0, high=rounding)
    functions = _power(t), _entropy(t)
    generator = np.random.default_rng(seed)
    samples = np.empty((2, 0))
    truncation = error = 0.0
    for _ in range(_MOST_ROUNDS):
        with one_blas_thread():
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
    halves = [KrylovSpace(_random_signs(kernel, generator), _MOST_STEPS) for _ in range(2)]
    truncation = np.inf
    for steps in range(_FIRST_CHECK, _MOST_STEPS + 1, _STEPS_PER_CHECK):
        while halves[0].steps < steps:
            # One product for both halves: the matrix is read once.
            product = kernel @ np.hstack([half.newest for half in halves])
            in_threads(_extend, zip(halves, np.hsplit(product, 2), strict=True))
        in_threads(lambda half: half.ritz(half.steps), halves)  # which keep it
        before, now = (
            np.mean([_plain(half.ritz(k), functions) for half in halves], axis=0)
            for k in (steps - 2, steps)
        )
        truncation = abs(float(_slope(now) @ (before - now))) * steps / 8
        if truncation <= _TRUNCATION:
            break

    def controlled(pair: Sequence[KrylovSpace]) -> Float[np.ndarray, "2 half"]:
        return np.array([controlled_estimates(kernel, f, *pair) for f in functions])

    return np.hstack(in_threads(controlled, (halves, halves[::-1]))), truncation


def _extend(half_and_product: tuple[KrylovSpace, Float[np.ndarray, "n half"]]) -> None:
    half, product = half_and_product
    half.extend(np.ascontiguousarray(product))


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


def _slope(traces: Float[np.ndarray, "2"]) -> Float[np.ndarray, "2"]:
    """How many bits the entropy changes by with each trace."""
    power, entropy = traces + _OF_TOP
    return np.array([1 / power - entropy / power**2, 1 / power]) / np.log(2)


def _standard_error(samples: Float[np.ndarray, "2 z"]) -> float:
    """Of the entropy in bits, from the scatter of the single vectors."""
    scatter = _slope(samples.mean(axis=1)) @ samples
    return float(np.std(scatter, ddof=1) / np.sqrt(len(scatter)))


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
        return -t * x**t * np.log(positive(x))

    def slope(x: np.ndarray) -> np.ndarray:
        return -t * x ** (t - 1) * (t * np.log(positive(x)) + 1)

    return Function(value, slope)
