"""How far to shrink a covariance, from its images' lengths alone."""

import numpy as np
from jaxtyping import Float


def ledoit_wolf_weight(
    squared_lengths: Float[np.ndarray, " n"], squared_norm: float, n_features: int
) -> float:
    """Weight a of μI in (1 − a) Σ + a μI, with Σ the covariance of n centred images over n.

    The ratio of two squared distances: of Σ from its expectation, estimated from the fourth
    powers of the images' lengths, and of Σ from μI, μ = tr Σ / d.

    Args:
        squared_lengths: ‖xᵢ‖² of each image; their mean is tr Σ.
        squared_norm: ‖Σ‖², the sum of the squares of its entries.
        n_features: d.
    """
    trace = float(squared_lengths.mean())
    from_isotropic = squared_norm - trace**2 / n_features
    if from_isotropic <= n_features * np.finfo(np.float64).eps * squared_norm:
        return 0.0  # Σ = μI already (d = 1 included): nothing to shrink
    n = len(squared_lengths)
    from_expectation = max(0.0, (float(np.mean(squared_lengths**2)) - squared_norm) / n)
    return min(1.0, from_expectation / from_isotropic)
