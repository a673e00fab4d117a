"""CLID: cluster learnability and intrinsic dimension, relative to a pool of models."""

import numpy as np
from jaxtyping import Float

from zoo_eval.scores._pool_score import pool_score


@pool_score(unit="standard deviations", higher_is_better=True)
def clid(
    cluster_learnability: Float[np.ndarray, " models"], twonn: Float[np.ndarray, " models"]
) -> Float[np.ndarray, " models"]:
    """Sum of a model's cluster learnability and intrinsic dimension, each standardised.

    CLID = z(CL) + z(ID), z(x) = (x − mean) / standard deviation over the models of the pool
    (divided by their number). The two have different units, so only their sum over a pool has a
    meaning: it changes whenever a model joins, and values of different pools do not compare. A
    part that is the same for all models counts as 0. The paper also fits weights of the two to
    known accuracies, which is no longer a score without labels; we do not.

    Args:
        cluster_learnability: CL of each model.
        twonn: Intrinsic dimension of each model.

    Returns:
        One value per model, of mean 0 over the pool.

    References:
        Lu et al., "Using Representation Expressiveness and Learnability to Evaluate
        Self-Supervised Learning Methods", TMLR 2023, https://arxiv.org/abs/2206.01251

    >>> clid([0.2, 0.4], [10.0, 30.0])
    array([-2.,  2.])
    """
    return _standardised(cluster_learnability) + _standardised(twonn)


def _standardised(values: Float[np.ndarray, " models"]) -> Float[np.ndarray, " models"]:
    if values.min() == values.max():
        return np.zeros(len(values))
    return (values - values.mean()) / values.std()
