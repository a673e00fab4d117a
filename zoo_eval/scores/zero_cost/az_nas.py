"""AZ-NAS: four zero-cost proxies assembled by their ranks in a pool."""

import numpy as np
from scipy.stats import rankdata

from zoo_eval.scores._pool_score import pool_score


@pool_score(unit="nats", higher_is_better=True, bounds=(float("-inf"), 0.0))
def az_nas(
    az_nas_expressivity: np.ndarray,
    az_nas_progressivity: np.ndarray,
    az_nas_trainability: np.ndarray,
    macs: np.ndarray,
) -> np.ndarray:
    """Sum over four proxies of the logarithm of the rank in the pool, Σ ln(rank / M).

    M is the number of models in the pool, the best has rank M, ties share their mean rank. The
    fourth proxy is complexity, the multiply-accumulates. The logarithm punishes a model that is
    among the last in any one of the four.

    The value belongs to the pool: it changes when a model is added.

    Args:
        az_nas_expressivity: One value per model.
        az_nas_progressivity: One value per model.
        az_nas_trainability: One value per model.
        macs: One value per model.

    Returns:
        One value per model, at most 0, which a model has that is first in all four.

    References:
        Lee and Ham, "AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search", CVPR
            2024, https://arxiv.org/abs/2403.19232

    >>> az_nas([1.0, 2.0], [1.0, 2.0], [1.0, 2.0], [1.0, 2.0]).round(3).tolist()
    [-2.773, 0.0]
    """
    parts = (az_nas_expressivity, az_nas_progressivity, az_nas_trainability, macs)
    ranks = np.stack([rankdata(part) for part in parts])
    return np.log(ranks / len(macs)).sum(axis=0)
