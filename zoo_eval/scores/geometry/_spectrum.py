"""Spectra of the embeddings, and how many values of a spectrum count."""

import numpy as np
from jaxtyping import Float
from scipy.special import entr

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd, thin_svd


def variances(svd: ThinSvd, score_name: str) -> Float[np.ndarray, " k"]:
    """σᵢ² in units of the largest, which neither overflows nor underflows.

    Raises:
        ScoreUndefinedError: there are none: all embeddings are equal.
    """
    if len(svd.singular_values) == 0:
        raise ScoreUndefinedError(
            f"{score_name} needs embeddings that vary, but all {len(svd.left)} are equal. "
            "Are the weights damaged?"
        )
    return (svd.singular_values / svd.singular_values[0]) ** 2


def centred(uncentred: ThinSvd) -> ThinSvd:
    """SVD of the embeddings less their mean, from that of the embeddings as they are.

    The mean is taken off in the basis of V, so d × d or n × d matrices are not needed.
    """
    values = uncentred.singular_values
    if len(values) == 0:
        return uncentred
    coordinates = (uncentred.left - uncentred.left.mean(axis=0)) * values
    svd = thin_svd(coordinates, scale=float(values[0]))
    return svd._replace(n_features=uncentred.n_features)


def exp_entropy(
    values: Float[np.ndarray, " k"], epsilon: float | int = 0, n_values: int | None = None
) -> float:
    """exp(−Σ pᵢ ln pᵢ) of pᵢ = vᵢ / Σⱼ vⱼ + ε: how many values count.

    Args:
        values: Positive values v.
        epsilon: Added to each pᵢ; the sum of the pᵢ then is above 1.
        n_values: Number of values, zeros included; they count only if ε > 0.
    """
    n_zeros = 0 if n_values is None else n_values - len(values)
    entropy = entr(values / values.sum() + epsilon).sum() + n_zeros * entr(epsilon)
    return float(np.exp(entropy))
