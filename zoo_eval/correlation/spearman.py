"""Spearman's ρ: the correlation of midranks, and its value in every bootstrap resample."""

import numpy as np
from jaxtyping import Float, Shaped
from scipy import special

from zoo_eval.correlation.resamples import Resamples
from zoo_eval.correlation.spearman_by_family import ByFamily
from zoo_eval.correlation.spearman_by_model import ByModel
from zoo_eval.correlation.ties import midranks

# The time of a product of matrices grows with the families, that of a walk through the models
# does not; they meet near here.
_FEW_FAMILIES = 150


def spearman_rho(x: Shaped[np.ndarray, " n"], y: Shaped[np.ndarray, " n"]) -> float:
    """Pearson correlation of the ranks, where equal values share the mean of their ranks.

    Returns:
        From -1 (opposite order) to 1 (same order); NaN if x or y is constant.

    >>> round(spearman_rho(np.array([1, 2, 3, 4]), np.array([1, 3, 2, 4])), 6)
    0.8
    """
    a, b = centred_ranks(x), centred_ranks(y)
    with np.errstate(invalid="ignore"):
        return float((a @ b) / np.sqrt((a @ a) * (b @ b)))


def spearman_p_value(x: Shaped[np.ndarray, " n"], y: Shaped[np.ndarray, " n"]) -> float:
    """Two-sided p-value of ρ = 0, from the t distribution with n - 2 degrees of freedom.

    It takes the models as independent, which models of one family are not, and is therefore
    too small on a zoo; the interval clustered by family is the more careful statement.
    """
    return p_value_of_rho(spearman_rho(x, y), len(x))


def p_value_of_rho(rho: float, n: int) -> float:
    """The same from ρ and the number of models: t = ρ √((n - 2) / (1 - ρ²))."""
    with np.errstate(divide="ignore"):
        t = rho * np.sqrt((n - 2) / np.maximum((1 + rho) * (1 - rho), 0))
    return float(2 * special.stdtr(n - 2, -abs(t)))


def centred_ranks(x: Shaped[np.ndarray, "*scores n"]) -> Float[np.ndarray, "*scores n"]:
    """Midranks of each row less their mean."""
    return midranks(x) - (x.shape[-1] + 1) / 2


class SpearmanBootstrap:
    """Spearman's ρ of a score with an accuracy, or several, in all resamples at once; exact.

    Few families are counted, see `ByFamily`; of many, model after model is added, see `ByModel`.
    """

    def __init__(self, truths: Shaped[np.ndarray, "*truths n"], resamples: Resamples) -> None:
        """Rank the accuracies in every resample.

        Args:
            truths: The accuracy, one value per model, or several, one per row.
            resamples: Resamples of the same models.
        """
        few = resamples.counts.shape[1] <= _FEW_FAMILIES
        self._rho = (ByFamily if few else ByModel)(truths, resamples)

    def __call__(self, score: Shaped[np.ndarray, " n"]) -> Float[np.ndarray, "*truths resamples"]:
        """ρ of the score in each resample; NaN where score or accuracy is constant."""
        return self._rho(score)
