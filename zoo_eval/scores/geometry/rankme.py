"""RankMe, the effective rank of the embeddings."""

import numpy as np
from scipy.special import entr

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score


@score(unit="dimensions", higher_is_better=True, bounds=(1.0, np.inf))
def rankme(uncentred_svd: ThinSvd) -> float:
    """Effective rank: the exponential of the entropy of the singular values.

    Let σ₁ ≥ … ≥ σₖ be the singular values of the embeddings Z, k = min(n, d), and
    pᵢ = σᵢ / Σⱼ σⱼ. Then RankMe = exp(−Σᵢ pᵢ ln pᵢ), with 0 ln 0 = 0.

    Implementations differ. As in the paper, Z is not centred, so a large mean of the embeddings
    brings the value down to almost 1; and the spectrum is σᵢ, not the variances σᵢ². The paper
    adds 10⁻⁷ to each pᵢ against ln 0, which we do not. The value cannot exceed min(n, d):
    across models with different d it says as much of d as of the training.

    Args:
        uncentred_svd: Thin SVD of the embeddings as they are.

    Returns:
        The number of dimensions in use, from 1 (all embeddings parallel) to min(n, d) (flat
        spectrum). Unchanged by scale, rotation and reordering images.

    Raises:
        ScoreUndefinedError: every embedding is zero, so there is no spectrum.

    References:
        Garrido et al., "RankMe", ICML 2023, Eq. (1), https://arxiv.org/abs/2210.02885
        Roy and Vetterli, "The Effective Rank: A Measure of Effective Dimensionality",
        EUSIPCO 2007.

    >>> round(rankme(embeddings=np.eye(5)[:, :3]), 6)
    3.0
    """
    values = uncentred_svd.singular_values
    if len(values) == 0:
        raise ScoreUndefinedError(
            f"RankMe needs a non-zero embedding, but all {len(uncentred_svd.left)} are zero. "
            "Was the model loaded without its pretrained weights?"
        )
    return float(np.exp(entr(values / values.sum()).sum()))
