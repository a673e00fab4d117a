"""Effective rank, the number of singular values that count."""

import numpy as np

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score
from zoo_eval.scores.geometry._spectrum import centred as centred_svd_of
from zoo_eval.scores.geometry._spectrum import exp_entropy, variances


@score(unit="dimensions", higher_is_better=True, bounds=(1.0, np.inf))
def effective_rank(
    uncentred_svd: ThinSvd, *, centred: bool = False, spectrum: str = "singular_values"
) -> float:
    """Effective rank of Roy and Vetterli: the exponential of the entropy of a spectrum.

    Let σ₁ ≥ … ≥ σₖ be the singular values of the embeddings and pᵢ = σᵢ / Σⱼ σⱼ. Then the
    effective rank is exp(−Σᵢ pᵢ ln pᵢ).

    With the defaults this is the same number as `rankme` with ε = 0: RankMe is this definition,
    applied to pretrained networks, and its claim that more is better is taken over. What is
    called effective rank elsewhere differs in two ways, and here has an option for each: the
    mean may be taken off first, and the spectrum may be that of the covariance, σᵢ². With both,
    the 64.5 dimensions of 110 embeddings of 256 features in the tests become 18.1. The value
    cannot exceed min(n, d).

    Args:
        uncentred_svd: Thin SVD of the embeddings as they are.
        centred: Whether to take off the mean first.
        spectrum: `"singular_values"`, σᵢ, or `"variances"`, σᵢ².

    Returns:
        The number of dimensions in use, from 1 (all embeddings parallel) to min(n, d) (flat
        spectrum). Unchanged by scale, rotation and reordering images; by translation if centred.

    Raises:
        InputError: spectrum is neither of the two.
        ScoreUndefinedError: every embedding is zero, or centred and all are equal.

    References:
        Roy and Vetterli, "The Effective Rank: A Measure of Effective Dimensionality", EUSIPCO
        2007, https://ieeexplore.ieee.org/document/7098875
        Garrido et al., "RankMe", ICML 2023, https://arxiv.org/abs/2210.02885

    >>> round(effective_rank(embeddings=np.eye(5)[:, :3]), 6)
    3.0
    """
    if spectrum not in ("singular_values", "variances"):
        raise InputError(f"spectrum must be 'singular_values' or 'variances', but is {spectrum!r}.")
    if len(uncentred_svd.singular_values) == 0:
        raise ScoreUndefinedError(
            f"The effective rank needs a non-zero embedding, but all {len(uncentred_svd.left)} are "
            "zero. Was the model loaded without its pretrained weights?"
        )
    svd = centred_svd_of(uncentred_svd) if centred else uncentred_svd
    values = variances(svd, "The effective rank of centred embeddings")
    return exp_entropy(values if spectrum == "variances" else np.sqrt(values))
