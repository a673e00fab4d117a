"""The first principal components of the embeddings: few enough to estimate densities in."""

import numpy as np
from jaxtyping import Float

from zoo_eval.errors import InputError, ScoreUndefinedError
from zoo_eval.quantities.spectra import ThinSvd


def principal_components(
    centred_svd: ThinSvd, n_components: int, score_name: str
) -> Float[np.ndarray, "n k"]:
    """Coordinates of the images along the directions of largest variance, the largest first.

    Where the embeddings have fewer directions than asked for, all of them. Each is turned so
    that its third moment is positive, so that no sign depends on the routine that found it.

    Raises:
        InputError: fewer than one component is asked for.
        ScoreUndefinedError: all embeddings are equal.
    """
    if n_components < 1:
        raise InputError(f"n_components must be ≥ 1, but is {n_components}.")
    n, rank = centred_svd.left.shape
    if rank == 0:
        raise ScoreUndefinedError(
            f"{score_name} needs embeddings that vary, but all {n} are equal. "
            "Are the weights damaged?"
        )
    k = min(n_components, rank)
    directions = centred_svd.left[:, :k]
    signs = np.where(np.sum(directions**3, axis=0) < 0, -1.0, 1.0)
    return directions * (signs * centred_svd.singular_values[:k])
