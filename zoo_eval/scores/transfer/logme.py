"""LogME, the evidence of a Bayesian linear model of the classes."""

from typing import Any

import numpy as np
from jaxtyping import Float, Int
from scipy.optimize import minimize_scalar

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._classes import class_ids, class_sums
from zoo_eval.scores._score import score

_OFFICIAL_STEPS = 11
_OFFICIAL_TOLERANCE = 1e-3
_OFFICIAL_GUARD = 1e-5
# ln(α/β) is searched from e⁻²⁵ of the smallest to e²⁵ of the largest eigenvalue; beyond, the
# evidence per image is within 1e-11 of its limit. It is a sum of functions that vary on a scale
# of 1 in ln(α/β), so steps of ½ miss no maximum.
_MARGIN = 25.0
_STEP = 0.5


@score(unit="nats per image", higher_is_better=True)
def logme(
    uncentred_svd: ThinSvd, labels: Int[np.ndarray, " n"], *, iterations: str = "converged"
) -> float:
    """Log evidence per image of a Bayesian linear regression on each class, averaged.

    Let y be 1 for the images of a class and 0 for the others. Given weights w ~ N(0, I/α),
    y ~ N(Zw, I/β). With σᵢ² the squared singular values of Z, xᵢ = uᵢᵀy, t = α/β and
    Q(t) = Σᵢ xᵢ² t / (σᵢ² + t) + ‖y‖² − Σᵢ xᵢ², the evidence at its best α + β is
    ln p(y) = n/2 ln(n / (2πe Q(t))) − ½ Σᵢ ln(1 + σᵢ²/t). LogME is its maximum over t, divided
    by n and averaged over classes, each counting the same.

    Implementations differ. The official fixed-point code drops a term when Z has fewer
    independent rows than columns, d > n above all, and is then off by several nats; here the
    term is kept. All official code stops after 11 steps, which is short of the maximum when d
    is close to n or above; `iterations="official"` stops so too (its first step from α = β = 1,
    tolerance 10⁻³, 10⁻⁵ added to denominators). Z is not centred; no intercept is fitted.

    Args:
        uncentred_svd: Thin SVD of the embeddings Z as they are.
        labels: Class of each image.
        iterations: `"converged"` for the maximum, `"official"` for where the code stops.

    Returns:
        Nats per image; may be positive. Higher: classes are closer to linear functions of
        the embeddings. There is no absolute scale; values of one dataset compare models.
        Unchanged by rotation, by scale, by reordering images and by renaming classes.

    Raises:
        InputError: iterations is neither of the two.
        ScoreUndefinedError: there is one class only, all embeddings are zero, or a class is
            exactly linear in fewer than n directions, so that the evidence has no maximum.

    References:
        You et al., "LogME", ICML 2021, https://arxiv.org/abs/2102.11005
        You et al., "Ranking and Tuning Pre-trained Models", JMLR 2022 (the fixed-point
        iteration), https://arxiv.org/abs/2110.10545

    >>> z = np.array([[1.0], [-1.0], [1.0], [-1.0]])
    >>> round(logme(embeddings=z, labels=np.array([0, 0, 1, 1])), 6)  # no help: −(1 + ln π) / 2
    -1.072365
    """
    if iterations not in ("converged", "official"):
        raise InputError(f"iterations must be 'converged' or 'official', but is {iterations!r}.")
    ids, sizes = class_ids(labels, "LogME")
    n, rank = uncentred_svd.left.shape
    if rank == 0:
        raise ScoreUndefinedError(
            f"LogME needs non-zero embeddings, but all {n} are zero. Are the weights damaged?"
        )
    eigenvalues = uncentred_svd.singular_values**2
    projections = class_sums(uncentred_svd.left, ids, len(sizes)) ** 2
    residuals = _residuals(projections, sizes, n)
    if iterations == "official":
        evidence = _at_official_stop(
            eigenvalues, projections, residuals, n, uncentred_svd.n_features
        )
    else:
        if (residuals == 0).any() and rank < n:
            raise ScoreUndefinedError(
                f"LogME has no maximum: class {int(residuals.argmin())} is an exact linear "
                f"function of the embeddings in only {rank} directions for {n} images."
            )
        evidence = _maximum(eigenvalues, projections, residuals, n)
    return float(evidence.mean() / n)


def _residuals(
    projections: Float[np.ndarray, "classes k"], sizes: Int[np.ndarray, " classes"], n: int
) -> Float[np.ndarray, " classes"]:
    """‖y‖² − Σᵢ xᵢ² of each class, with rounding put to 0."""
    residuals = sizes - projections.sum(axis=1)
    exact = residuals <= n * np.finfo(np.float64).eps * sizes
    return np.where(exact | (projections.shape[1] == n), 0.0, residuals)


def _maximum(
    eigenvalues: Float[np.ndarray, " k"],
    projections: Float[np.ndarray, "classes k"],
    residuals: Float[np.ndarray, " classes"],
    n: int,
) -> Float[np.ndarray, " classes"]:
    """Largest evidence of each class: a grid over ln t, then a search around its best point.

    The evidence can have two maxima, of which a fixed-point iteration finds either.
    """
    grid = np.arange(
        np.log(eigenvalues[-1]) - _MARGIN, np.log(eigenvalues[0]) + _MARGIN + _STEP, _STEP
    )
    on_grid = _evidence(grid, eigenvalues, projections, residuals, n)
    maxima = on_grid.max(axis=1)
    for c, best in enumerate(grid[on_grid.argmax(axis=1)]):

        def loss(log_ratio: float, x: np.ndarray, residual: np.ndarray) -> float:
            point = np.array([log_ratio])
            return -float(_evidence(point, eigenvalues, x, residual, n)[0, 0])

        # The evidence is flat at its maximum: an error of 1e-8 in ln t makes one of 1e-16 in it.
        found: Any = minimize_scalar(
            loss,
            bounds=(best - _STEP, best + _STEP),
            args=(projections[c : c + 1], residuals[c : c + 1]),
            method="bounded",
            options={"xatol": 1e-8},
        )
        maxima[c] = max(maxima[c], -float(found.fun))
    return maxima


def _evidence(
    log_ratio: Float[np.ndarray, " points"],
    eigenvalues: Float[np.ndarray, " k"],
    projections: Float[np.ndarray, "classes k"],
    residuals: Float[np.ndarray, " classes"],
    n: int,
) -> Float[np.ndarray, "classes points"]:
    """Log evidence of each class at each ln t, with the best α and β for that ratio."""
    ratio = np.exp(log_ratio)[:, None]
    misfit = projections @ (ratio / (eigenvalues + ratio)).T + residuals[:, None]
    volume = np.log1p(eigenvalues / ratio).sum(axis=1)
    return (n * (np.log(n / misfit) - 1 - np.log(2 * np.pi)) - volume) / 2


def _at_official_stop(
    eigenvalues: Float[np.ndarray, " k"],
    projections: Float[np.ndarray, "classes k"],
    residuals: Float[np.ndarray, " classes"],
    n: int,
    d: int,
) -> Float[np.ndarray, " classes"]:
    """Log evidence of each class where the fixed-point iteration for α and β is stopped."""
    evidence = np.empty(len(residuals))
    for c, (x_squared, residual) in enumerate(zip(projections, residuals, strict=True)):
        alpha = beta = 1.0
        weights = misfit = 0.0
        for _ in range(_OFFICIAL_STEPS):
            ratio = alpha / beta
            shrunk = eigenvalues + ratio
            gamma = np.sum(eigenvalues / shrunk)
            weights = np.sum(eigenvalues * x_squared / shrunk**2)
            misfit = np.sum(x_squared * (ratio / shrunk) ** 2) + residual
            alpha = gamma / (weights + _OFFICIAL_GUARD)
            beta = (n - gamma) / (misfit + _OFFICIAL_GUARD)
            if abs(alpha / beta - ratio) <= _OFFICIAL_TOLERANCE * ratio:
                break
        determinant = np.sum(np.log(alpha + beta * eigenvalues))
        determinant += (d - len(eigenvalues)) * np.log(alpha)  # the term that official code drops
        evidence[c] = (
            d * np.log(alpha)
            + n * np.log(beta / (2 * np.pi))
            - determinant
            - beta * misfit
            - alpha * weights
        ) / 2
    return evidence
