"""A line of the table of correlations."""

import math
from dataclasses import dataclass


@dataclass
class Row:
    """One score's line in the table; the fields are the columns, explained in `correlate`."""

    n: int
    coverage: float
    spearman_rho: float = math.nan
    spearman_low: float = math.nan
    spearman_high: float = math.nan
    kendall_tau: float = math.nan
    kendall_low: float = math.nan
    kendall_high: float = math.nan
    pearson_r: float = math.nan
    pearson_low: float = math.nan
    pearson_high: float = math.nan
    p_value: float = math.nan
    p_holm: float = math.nan
    p_permuted: float = math.nan
    p_permuted_holm: float = math.nan
    weighted_tau: float = math.nan
    partial_rho: float = math.nan
    resamples_dropped: int = 0
    undefined_because: str = ""
    difference: float = math.nan
    difference_low: float = math.nan
    difference_high: float = math.nan
