"""Participation ratio of the covariance's eigenvalues."""

import numpy as np

from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score
from zoo_eval.scores.geometry._spectrum import variances


@score(unit="dimensions", higher_is_better=None, bounds=(1.0, np.inf))
def participation_ratio(centred_svd: ThinSvd) -> float:
    """Participation ratio (Σᵢ λᵢ)² / Σᵢ λᵢ² of the eigenvalues λ of the embeddings' covariance.

    The number of directions that share the variance, if they shared it equally; the exponential
    of the Rényi entropy of order 2 of the spectrum, where `effective_rank` with
    `centred=True, spectrum="variances"` has that of order 1 and `nesum` that of order ∞. So
    nesum ≤ participation ratio ≤ effective rank.

    The value is biased downwards unless n is far above it: it cannot exceed n − 1.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.

    Returns:
        From 1 (all variance in one direction) to min(n − 1, d). Unchanged by rotation,
        translation, scale and reordering images.

    Raises:
        ScoreUndefinedError: all embeddings are equal.

    References:
        Gao et al., "A theory of multineuronal dimensionality, dynamics and measurement", bioRxiv
        2017, https://doi.org/10.1101/214262
        scikit-learn-contrib/scikit-dimension, skdim.id.lPCA(ver="participation_ratio").

    >>> z = np.array([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> round(participation_ratio(embeddings=z), 6)
    2.0
    """
    values = variances(centred_svd, "The participation ratio")
    return float(values.sum() ** 2 / np.sum(values**2))
