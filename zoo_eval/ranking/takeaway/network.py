"""A network that turns images into embeddings, outside any run."""

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
from jaxtyping import Float
from PIL import Image

from zoo_eval.datasets.batches import batches_of
from zoo_eval.datasets.preprocessing import Preprocessing
from zoo_eval.givens import choose_device
from zoo_eval.manifest import ModelLine
from zoo_eval.models.build import build_model
from zoo_eval.quantities.forward import forward_pass

BATCH_SIZE = 32


class Network:
    """A pretrained network; built, and its weights downloaded if need be, at the first image.

    Args:
        line: Which.
        preprocessing: Of its images.
        device: Where it computes; `auto` is the first GPU, or the CPU.
    """

    def __init__(self, line: ModelLine, preprocessing: Preprocessing, device: str = "auto") -> None:
        self._line, self._preprocessing, self._device = line, preprocessing, device

    def embeddings(self, images: Iterable[Image.Image]) -> Float[np.ndarray, "n d"]:
        """One row per RGB image, of which there is at least one.

        Raises:
            ModelError: the network cannot be built, or the device not be used.
            NotFiniteError: its outputs are NaN or infinite.
        """
        device = choose_device(self._device)
        batches = batches_of(images, self._preprocessing, BATCH_SIZE, device)
        return forward_pass(model=self._model, images=batches).embeddings

    @cached_property
    def _model(self) -> Any:  # noqa: ANN401  # a torch module: torch has few homes
        return build_model(self._line, "pretrained", 0).to(choose_device(self._device))
