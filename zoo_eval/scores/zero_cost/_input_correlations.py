"""Pearson correlations of input gradients, for scores that compare images by them."""

import torch
from jaxtyping import Float
from torch import Tensor

from zoo_eval.errors import ScoreUndefinedError

# What is left of a constant row when its mean is taken off in float64.
_ROUNDING = 1e-12


def input_correlations(rows: Float[Tensor, "n pixels"], score_name: str) -> Float[Tensor, "n n"]:
    """Correlation over pixels of each two images' gradients, float64.

    Raises:
        ScoreUndefinedError: an image's gradient is the same for all its pixels.
    """
    jacobian = rows.double()
    lengths = torch.linalg.vector_norm(jacobian, dim=1)
    jacobian = jacobian - jacobian.mean(dim=1, keepdim=True)
    norms = torch.linalg.vector_norm(jacobian, dim=1)
    flat = torch.nonzero(norms <= _ROUNDING * lengths)[:, 0].tolist()
    if flat:
        raise ScoreUndefinedError(
            f"{score_name} needs gradients that differ between pixels, but those of "
            f"{len(flat)} of {len(rows)} images do not (first: image {flat[0]}). "
            "Are the weights of the classifier zero at initialisation?"
        )
    jacobian /= norms[:, None]
    return jacobian @ jacobian.T
