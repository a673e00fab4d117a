"""Sums of the signs of gradients, one small whole number per weight."""

import torch
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.per_image_gradients import LayerPart


class SignSums:
    """Σᵢ sign gᵢₖ of the images so far, one flat tensor per weight."""

    def __init__(self, weights: list[nn.Parameter], n_images: int) -> None:
        self._dtype = next(t for t in (torch.int8, torch.int16, torch.int32) if _fits(n_images, t))
        self._sums = [torch.zeros(w.numel(), dtype=self._dtype, device=w.device) for w in weights]
        self._norms = [torch.zeros((), device=w.device, dtype=w.dtype) for w in weights]

    def add(self, position: int, start: int, gradient: Tensor) -> None:
        """Add the signs of a flat piece of one image's gradient, which is overwritten."""
        # NaN if any element is, whose sign would be 0; isnan() takes ten times as long.
        self._norms[position] += torch.linalg.vector_norm(gradient)
        part = self._sums[position][start : start + len(gradient)]
        part += gradient.sign_().to(self._dtype)

    def add_images(self, layer: LayerPart) -> None:
        """Add the signs of the gradients of all images of a part that are new."""
        factors = layer.call.factors(layer.deltas, len(layer.images))
        if factors is not None and all(bool(factor.isfinite().all()) for factor in factors):
            deltas, tokens = (factor[layer.new].sign() for factor in factors)
            self._sums[layer.position] += (deltas.T @ tokens).view(-1).to(self._dtype)
            return
        for place in layer.new:
            for start, block in layer.blocks(place):
                self.add(layer.position, start, block)

    @property
    def n_weights(self) -> int:
        """Number of weights."""
        return sum(map(len, self._sums))

    def agreement(self) -> float:
        """Σₖ |Σᵢ sign gᵢₖ|.

        Raises:
            ScoreUndefinedError: a gradient is NaN.
        """
        n_nan = sum(bool(norm.isnan()) for norm in self._norms)
        if n_nan:
            raise ScoreUndefinedError(
                f"The gradients of {n_nan} of {len(self._sums)} weight tensors hold NaN. Does the "
                "network overflow with these weights?"
            )
        agreement = sum(int(total.abs().sum(dtype=torch.int64)) for total in self._sums)
        return float(agreement)


def _fits(n_images: int, dtype: torch.dtype) -> bool:
    return n_images <= torch.iinfo(dtype).max
