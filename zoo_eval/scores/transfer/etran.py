"""ETran, energy and classification relative to a pool of models."""

import numpy as np
from jaxtyping import Float

from zoo_eval.scores._pool_score import pool_score
from zoo_eval.scores.transfer._min_max import min_max

_ENERGY_SHARE = 0.15  # of the official driver, tw.py at d4551ed


@pool_score(unit="pool units", higher_is_better=True, bounds=(0.0, 1.0))
def etran(
    etran_energy: Float[np.ndarray, " models"], etran_classification: Float[np.ndarray, " models"]
) -> Float[np.ndarray, " models"]:
    """Weighted sum of energy and classification, each scaled to 0 … 1 over the pool.

    ETran = 0.15 mm(energy) + 0.85 mm(classification), with mm(x) = (x − min x) / (max x − min x)
    over the models of the pool. Adding a model to the pool can change the order of the others.
    The weights are those of the official driver; the paper adds the two. Its third part, for
    regression and boxes, has no meaning for class labels.

    A part that is equal in all models, up to 1e-12 of its size, is 0/0 in official code. Here it
    counts 0 for each model; if both are equal, or the pool is one model, ETran is 0.

    Args:
        etran_energy: `etran_energy` of each model, higher is better.
        etran_classification: `etran_classification` of each model, higher is better.

    Returns:
        From 0 (worst of the pool in both) to 1 (best in both). Unchanged by adding a constant to
        a part, or by scaling it.

    References:
        Gholami et al., "ETran: Energy-Based Transferability Estimation", ICCV 2023,
        https://arxiv.org/abs/2308.02027
        https://github.com/mgholamikn/ETran

    >>> etran([3.0, 4.0, 5.0], [0.5, 0.9, 0.9])
    array([0.   , 0.925, 1.   ])
    """
    return _ENERGY_SHARE * min_max(etran_energy) + (1 - _ENERGY_SHARE) * min_max(
        etran_classification
    )
