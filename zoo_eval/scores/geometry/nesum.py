"""NESum, the normalised sum of the covariance's eigenvalues."""

import numpy as np

from zoo_eval.quantities.spectra import ThinSvd
from zoo_eval.scores._score import score
from zoo_eval.scores.geometry._spectrum import variances


@score(unit="dimensions", higher_is_better=None, bounds=(1.0, np.inf))
def nesum(centred_svd: ThinSvd) -> float:
    """Normalised eigenvalue sum Σᵢ λᵢ / λ₁ of the eigenvalues λ₁ ≥ λ₂ ≥ … of the covariance.

    The same number as the stable rank of the centred embeddings: `stable_rank(centred=True)`.

    The paper puts collapsed embeddings (1) and whitened ones (d) at the two ends of a scale, and
    tunes where on it embeddings should lie; more is not better at any rate.

    Args:
        centred_svd: Thin SVD of the embeddings less their mean.

    Returns:
        From 1 (all variance in one direction) to min(n − 1, d) (whitened). Unchanged by rotation,
        translation, scale and reordering images.

    Raises:
        ScoreUndefinedError: all embeddings are equal.

    References:
        He and Ozay, "Exploring the Gap between Collapsed & Whitened Features in Self-Supervised
        Learning", ICML 2022, https://proceedings.mlr.press/v162/he22c.html

    >>> z = np.array([[2.0, 0.0], [-2.0, 0.0], [0.0, 1.0], [0.0, -1.0]])
    >>> round(nesum(embeddings=z), 6)
    1.25
    """
    return float(variances(centred_svd, "NESum").sum())
