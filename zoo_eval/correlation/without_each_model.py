"""Spearman's ρ without each model, all at once."""

import numpy as np
from jaxtyping import Float, Shaped

from zoo_eval.correlation.concordance import Concordance
from zoo_eval.correlation.ties import midranks


class WithoutEachModel:
    """ρ of scores with one accuracy without each of n models, without ranking n times.

    Without model m, a model i that is higher loses a rank and one that is equal half a rank: the
    ranks r of the score fall by δᵢ = (1 + sign(xᵢ - xₘ)) / 2, and those of the accuracy, s, by
    εᵢ = (1 + sign(yᵢ - yₘ)) / 2. So Σ rs over the others becomes Σ rs - Σ rε - Σ sδ + Σ δε. Of
    these, Σ rε are sums over the models above one in accuracy, which cumulate, and Σ δε is a
    matter of its concordant less discordant pairs. Ties come out of n and the size of the tie
    that m is in: Σ (rank - mean)² = (n³ - Σ_values t³) / 12. All sums are of multiples of 1/4,
    hence exact.
    """

    def __init__(self, truth: Shaped[np.ndarray, " n"]) -> None:
        """Rank the accuracy.

        Args:
            truth: The accuracy, one value per model.
        """
        self._truth = truth
        self._ranks = midranks(truth)
        self._spreads = _spreads(truth)
        self._concordance = Concordance(truth, np.zeros(len(truth), np.intp))

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
        """ρ without each model; NaN where score or accuracy is constant without it."""
        n, r, s = len(score), midranks(score), self._ranks
        net = self._concordance(score).of_models
        # Σ δε, from Σ sign(xᵢ - xₘ) = n + 1 - 2rₘ over the others, and the same of the accuracy.
        both = (n - 1 + 2 * (n + 1 - r - s) + net) / 4
        products = r @ s - r * s - _above(self._truth, r) - _above(score, s) + both
        covariance = products - (n - 1) * (n / 2) ** 2
        scale = np.sqrt(_spreads(score) * self._spreads)
        rho = np.full(n, np.nan)
        np.divide(covariance, scale, out=rho, where=scale > 0)
        return rho


def _above(x: Shaped[np.ndarray, " n"], values: Float[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """For each model, Σ of the values of models with larger x, and half of those as large."""
    _, levels = np.unique(x, return_inverse=True)
    sums = np.bincount(levels, values)
    from_top = np.cumsum(sums[::-1])[::-1]
    return (from_top - sums / 2)[levels] - values / 2


def _spreads(x: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, " n"]:
    """Σ (rank - mean)² without each model."""
    _, levels, sizes = np.unique(x, return_inverse=True, return_counts=True)
    tied = sizes[levels].astype(np.float64)
    cubes = (sizes.astype(np.float64) ** 3).sum() - tied**3 + (tied - 1) ** 3
    return ((len(x) - 1.0) ** 3 - cubes) / 12
