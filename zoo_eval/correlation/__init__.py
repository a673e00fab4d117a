"""How well a score orders models by accuracy: rank correlations, usable on any pandas frame.

`correlate` makes the whole table; each statistic is also a function of plain arrays.
"""

from zoo_eval.correlation.comparison import Comparison, compare
from zoo_eval.correlation.defined import MIN_MODELS
from zoo_eval.correlation.holm import holm
from zoo_eval.correlation.kendall import KendallBootstrap, kendall_tau
from zoo_eval.correlation.partial import partial_spearman
from zoo_eval.correlation.resamples import Interval, Resamples, family_resamples
from zoo_eval.correlation.spearman import SpearmanBootstrap, spearman_p_value, spearman_rho
from zoo_eval.correlation.table import correlate
from zoo_eval.correlation.weighted_tau import weighted_tau

__all__ = [
    "MIN_MODELS",
    "Comparison",
    "Interval",
    "KendallBootstrap",
    "Resamples",
    "SpearmanBootstrap",
    "compare",
    "correlate",
    "family_resamples",
    "holm",
    "kendall_tau",
    "partial_spearman",
    "spearman_p_value",
    "spearman_rho",
    "weighted_tau",
]
