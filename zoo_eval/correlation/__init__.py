"""How well a score orders models by accuracy: rank correlations, usable on any pandas frame.

`correlate` makes the main table. Each of `among`, `size_control`, `within_families`,
`near_equal_pairs`, `at_the_top`, `by_subset`, `influence`, `plain_intervals` and `over_seeds` makes
one more on request; each statistic is also a function of plain arrays. What needs scikit-learn is
imported from `zoo_eval.correlation.predictor`.
"""

from zoo_eval.correlation.among import among
from zoo_eval.correlation.at_the_top import at_the_top
from zoo_eval.correlation.by_subset import by_subset
from zoo_eval.correlation.comparison import Comparison, compare
from zoo_eval.correlation.defined import MIN_MODELS
from zoo_eval.correlation.holm import holm
from zoo_eval.correlation.influence import influence
from zoo_eval.correlation.intraclass import Intraclass, intraclass_correlation
from zoo_eval.correlation.kendall import KendallBootstrap, kendall_tau
from zoo_eval.correlation.near_equal import near_equal_pairs
from zoo_eval.correlation.outranking import outranking, pair_certainty, seed_tau
from zoo_eval.correlation.over_seeds import over_seeds, seed_means
from zoo_eval.correlation.partial import partial_spearman
from zoo_eval.correlation.partial_kendall import partial_kendall
from zoo_eval.correlation.pearson import PearsonBootstrap, pearson_r
from zoo_eval.correlation.permutation import permutation_p_values
from zoo_eval.correlation.plain_intervals import plain_intervals
from zoo_eval.correlation.resamples import Interval, Resamples, family_resamples
from zoo_eval.correlation.size_control import size_control
from zoo_eval.correlation.spearman import SpearmanBootstrap, spearman_p_value, spearman_rho
from zoo_eval.correlation.table import correlate
from zoo_eval.correlation.top import ndcg_at, regret_at, top_recall, top_share
from zoo_eval.correlation.weighted_tau import weighted_tau
from zoo_eval.correlation.within_families import within_families

__all__ = [
    "MIN_MODELS",
    "Comparison",
    "Interval",
    "Intraclass",
    "KendallBootstrap",
    "PearsonBootstrap",
    "Resamples",
    "SpearmanBootstrap",
    "among",
    "at_the_top",
    "by_subset",
    "compare",
    "correlate",
    "family_resamples",
    "holm",
    "influence",
    "intraclass_correlation",
    "kendall_tau",
    "ndcg_at",
    "near_equal_pairs",
    "outranking",
    "over_seeds",
    "pair_certainty",
    "partial_kendall",
    "partial_spearman",
    "pearson_r",
    "permutation_p_values",
    "plain_intervals",
    "regret_at",
    "seed_means",
    "seed_tau",
    "size_control",
    "spearman_p_value",
    "spearman_rho",
    "top_recall",
    "top_share",
    "weighted_tau",
    "within_families",
]
