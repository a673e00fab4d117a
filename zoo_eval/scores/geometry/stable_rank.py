"""Stable rank, the total variance in units of the largest."""

import numpy as np

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score
from zoo_eval.scores.geometry._spectrum import centred as centred_svd_of
from zoo_eval.scores.geometry._spectrum import variances


@score(unit="dimensions", higher_is_better=None, bounds=(1.0, np.inf))
def stable_rank(uncentred_svd: ThinSvd, *, centred: bool = False) -> float:
    """Stable rank ‖Z‖_F² / ‖Z‖₂² = Σᵢ σᵢ² / σ₁² of the embeddings Z.

    Also called numerical rank. Never above the rank, and hardly changed by small singular values
    where the rank jumps.

    Implementations differ in the mean. The definition is of Z as it is, and then a large mean
    brings the value down to almost 1 (1.001 against 14.3 centred, for a mean of 40 spreads in the
    tests). With `centred=True` the value is that of `nesum`.

    Args:
        uncentred_svd: Thin SVD of the embeddings as they are.
        centred: Whether to take off the mean first.

    Returns:
        From 1 (all embeddings parallel) to min(n, d) (flat spectrum). Unchanged by scale,
        rotation and reordering images; by translation if centred.

    Raises:
        ScoreUndefinedError: every embedding is zero, or centred and all are equal.

    References:
        Rudelson and Vershynin, "Sampling from Large Matrices: An Approach through Geometric
        Functional Analysis", J. ACM 2007, https://arxiv.org/abs/math/0503442

    >>> stable_rank(embeddings=np.diag([2.0, 1.0, 1.0]))
    1.5
    """
    if len(uncentred_svd.singular_values) == 0:
        raise ScoreUndefinedError(
            f"The stable rank needs a non-zero embedding, but all {len(uncentred_svd.left)} are "
            "zero. Was the model loaded without its pretrained weights?"
        )
    svd = centred_svd_of(uncentred_svd) if centred else uncentred_svd
    return float(variances(svd, "The stable rank of centred embeddings").sum())
