"""What the network made of the images before it was trained."""

from collections.abc import Iterable

import numpy as np
from jaxtyping import Float
from torch import Tensor, nn

from zoo_eval.errors import NotFiniteError, ScoreUndefinedError
from zoo_eval.quantities._quantity import quantity
from zoo_eval.quantities.forward import forward_pass


@quantity
def initial_embeddings(
    initial_model: nn.Module, images: Iterable[Tensor]
) -> Float[np.ndarray, "n d"]:
    """Embeddings of all images by the initial network, one row per image.

    Raises:
        ScoreUndefinedError: they are NaN or infinite: then there is nothing to compare with.
    """
    try:
        return forward_pass(initial_model, images).embeddings
    except NotFiniteError as error:
        raise ScoreUndefinedError(f"The initial network overflows: {error}") from error
