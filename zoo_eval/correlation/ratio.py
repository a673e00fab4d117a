"""A correlation from its covariance and its two spreads."""

import numpy as np
from jaxtyping import Float


def ratio(parts: Float[np.ndarray, "3 ..."]) -> Float[np.ndarray, "..."]:
    """The first of three parts over the root of the product of the others; NaN where that is 0.

    >>> ratio(np.array([1.0, 4.0, 1.0])).tolist()
    0.5
    """
    scale = np.sqrt(parts[1] * parts[2])
    return np.asarray(parts[0] / np.where(scale > 0, scale, np.nan))
