"""NCTI, how close the embeddings are to neural collapse, relative to a pool of models."""

import numpy as np
from jaxtyping import Float

from zoo_eval.scores._pool_score import pool_score
from zoo_eval.scores.transfer._min_max import min_max


@pool_score(unit="pool units", higher_is_better=True, bounds=(-1.0, 2.0))
def ncti(
    ncti_seli: Float[np.ndarray, " models"],
    ncti_ncc: Float[np.ndarray, " models"],
    ncti_vc: Float[np.ndarray, " models"],
) -> Float[np.ndarray, " models"]:
    """Sum of three signs of neural collapse, each scaled to 0 … 1 over the pool.

    NCTI = mm(seli) + mm(ncc) − mm(vc), with mm(x) = (x − min x) / (max x − min x) over the
    models of the pool. Adding a model to the pool can change the order of the others.

    A part that is equal in all models, up to 1e-12 of its size, is 0/0 in official code, which
    then returns NaN for the whole pool. Here it counts 0 for each model; if all three parts are
    equal, or the pool is one model, NCTI is 0.

    Args:
        ncti_seli: `ncti_seli` of each model, higher is better.
        ncti_ncc: `ncti_ncc` of each model, higher is better.
        ncti_vc: `ncti_vc` of each model, lower is better.

    Returns:
        From −1 (worst of the pool in all three) to 2 (best in all three). Unchanged by adding a
        constant to a part, or by scaling it.

    References:
        Wang et al., "How Far Pre-trained Models Are from Neural Collapse on the Target Dataset
        Informs their Transferability", ICCV 2023,
        https://openaccess.thecvf.com/content/ICCV2023/html/Wang_How_Far_Pre-trained_Models_Are_from_Neural_Collapse_on_the_ICCV_2023_paper.html

    >>> ncti([10.0, 20.0, 30.0], [0.5, 0.5, 1.0], [3.0, 2.0, 1.0])
    array([-1.,  0.,  2.])
    """
    return min_max(ncti_seli) + min_max(ncti_ncc) - min_max(ncti_vc)
