"""Which features the images are compared by: the embeddings as they are, or scaled."""

import numpy as np
from jaxtyping import Float, Shaped

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.distances import squared_distances as distances_of


def feature_distances(
    squared_distances: Float[np.ndarray, "n n"],
    embeddings: Shaped[np.ndarray, "n d"],
    features: str,
) -> Float[np.ndarray, "n n"]:
    """Squared distances of all images, by the option `features`.

    Args:
        squared_distances: Of the embeddings as they are, shared with other scores.
        embeddings: One row per image.
        features: `"raw"`, `"zscore"` or `"l2"`; see `standardised` and `unit_rows`.

    Raises:
        InputError: any other features.
        ScoreUndefinedError: `"l2"`, and an embedding is zero.
    """
    if features == "raw":
        return squared_distances
    if features == "zscore":
        return distances_of(standardised(embeddings))
    if features == "l2":
        return distances_of(unit_rows(embeddings))
    raise InputError(f"features must be 'raw', 'zscore' or 'l2', but is {features!r}.")


def standardised(embeddings: Shaped[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Each feature with mean 0 and variance 1 (divided by n) over all images.

    A feature that is equal in all images becomes zero. It counts in d all the same.
    """
    z = embeddings.astype(np.float64)
    # Asked of the values themselves: the mean of equal values can be off by rounding, and
    # dividing that by its own size would make a feature of it.
    varies = z.max(axis=0) > z.min(axis=0)
    z -= z.mean(axis=0)
    z[:, ~varies] = 0
    z /= np.where(varies, np.abs(z).max(axis=0), 1)  # squares of what is left cannot underflow
    z /= np.where(varies, np.sqrt(np.mean(z**2, axis=0)), 1)
    return z


def unit_rows(embeddings: Shaped[np.ndarray, "n d"]) -> Float[np.ndarray, "n d"]:
    """Each embedding scaled to length 1, so that only its direction counts.

    Raises:
        ScoreUndefinedError: an embedding is zero and has no direction.
    """
    z = embeddings.astype(np.float64)
    largest = np.abs(z).max(axis=1, keepdims=True)
    n_zero = int(np.sum(largest == 0))
    if n_zero:
        raise ScoreUndefinedError(
            f"features='l2' needs embeddings with a direction, but {n_zero} of {len(z)} are zero. "
            "Take features='raw', or check the weights."
        )
    z /= largest
    z /= np.linalg.norm(z, axis=1, keepdims=True)
    return z
