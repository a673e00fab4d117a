"""When a score has a correlation at all."""

import numpy as np
from jaxtyping import Float

# Of 4 models only 24 orders exist: no order of them would be surprising.
MIN_MODELS = 5


def why_undefined(score: Float[np.ndarray, " n"], truth: Float[np.ndarray, " n"]) -> str:
    """Why a score cannot be correlated on these models; empty if it can."""
    if len(score) < MIN_MODELS:
        return f"only {len(score)} models have it, at least {MIN_MODELS} are needed"
    for what, values in (("score", score), ("accuracy", truth)):
        if (values == values[0]).all():
            return f"the {what} is {values[0]:.6g} for all {len(values)} models"
    return ""
