"""A mean over random draws, with the interval that says how far other draws would move it."""

import numpy as np
from jaxtyping import Float
from scipy.stats import t as student_t

from zoo_eval.scores._score import Estimate


def mean_with_interval(
    values: Float[np.ndarray, " draws"], bounds: tuple[float, float]
) -> Estimate:
    """Mean of two or more draws with Student's interval at 95 %, kept within the bounds."""
    n = len(values)
    mean = float(values.mean())
    half = float(student_t.ppf(0.975, n - 1)) * float(values.std(ddof=1)) / np.sqrt(n)
    return Estimate(mean, low=max(bounds[0], mean - half), high=min(bounds[1], mean + half))
