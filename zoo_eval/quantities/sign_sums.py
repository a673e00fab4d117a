"""Sums of the signs of gradients, one small whole number per weight."""

import torch
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.layer_gradients import LayerCall


class SignSums:
    """Σᵢ sign gᵢₖ of the images so far, one flat tensor per weight."""

    def __init__(self, weights: list[nn.Parameter], n_images: int) -> None:
        smallest = next(t for t in (torch.int8, torch.int16, torch.int32) if _fits(n_images, t))
        self._sums = [torch.zeros(w.numel(), dtype=smallest, device=w.device) for w in weights]
        self._squares = [torch.zeros((), device=w.device, dtype=w.dtype) for w in weights]

    def add(self, position: int, start: int, gradient: Tensor) -> None:
        """Add the signs of a flat piece of one image's gradient, which is overwritten."""
        # NaN if any element is, which the sign is not; isnan() takes ten times as long.
        self._squares[position] += gradient.dot(gradient)
        part = self._sums[position][start : start + len(gradient)]
        part += gradient.sign_().to(part.dtype)

    def add_images(self, position: int, call: LayerCall, deltas: Tensor, n_images: int) -> None:
        """Add the signs of the gradients of all images that a layer was called with."""
        factors = call.factors(deltas, n_images)
        if factors is not None and all(bool(factor.isfinite().all()) for factor in factors):
            signs = factors[0].sign().T @ factors[1].sign()
            self._sums[position] += signs.view(-1).to(self._sums[position].dtype)
            return
        for image in range(n_images):
            for start, block in call.blocks(deltas, n_images, image):
                self.add(position, start, block)

    @property
    def n_weights(self) -> int:
        """Number of weights."""
        return sum(map(len, self._sums))

    def agreement(self) -> float:
        """Σₖ |Σᵢ sign gᵢₖ|.

        Raises:
            ScoreUndefinedError: a gradient is NaN.
        """
        n_nan = sum(bool(square.isnan()) for square in self._squares)
        if n_nan:
            raise ScoreUndefinedError(
                f"The gradients of {n_nan} of {len(self._sums)} weight tensors hold NaN. Does the "
                "network overflow with these weights?"
            )
        agreement = sum(int(total.abs().sum(dtype=torch.int64)) for total in self._sums)
        return float(agreement)


def _fits(n_images: int, dtype: torch.dtype) -> bool:
    return n_images <= torch.iinfo(dtype).max
