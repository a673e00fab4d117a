"""Min-max scaling over a pool of models."""

import numpy as np
from jaxtyping import Float

_ROUNDING = 1e-12  # of the largest value: values this close are equal


def min_max(values: Float[np.ndarray, " models"]) -> Float[np.ndarray, " models"]:
    """Values moved and scaled to run from 0, the lowest of the pool, to 1, the highest.

    Where all are equal up to rounding the scale is 0/0. All then get 0: a part that does not
    tell the models apart adds nothing. A pool of one model is such a pool.
    """
    lowest = values.min()
    spread = values.max() - lowest
    if spread <= _ROUNDING * np.abs(values).max():
        return np.zeros_like(values)
    return (values - lowest) / spread
