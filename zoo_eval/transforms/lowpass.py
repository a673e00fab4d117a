"""Ideal low-pass: images without their fine details."""

from collections.abc import Iterable, Iterator

import torch
from torch import Tensor

from zoo_eval.transforms.images import image_transform


def lowpassed(images: Iterable[Tensor], radius: float) -> Iterator[Tensor]:
    """Images without spatial frequencies above a radius, in units of the Nyquist frequency.

    1 is a change of sign from pixel to pixel along one axis; the corners of the spectrum reach √2.
    """
    for batch in images:
        height, width = batch.shape[-2:]
        along_y = torch.fft.fftfreq(height, device=batch.device)[:, None]
        along_x = torch.fft.rfftfreq(width, device=batch.device)
        # Half a cycle per pixel is the Nyquist frequency.
        passes = 2 * torch.hypot(along_x, along_y) <= radius * (1 + 1e-6)
        spectrum = torch.fft.rfft2(batch.double()) * passes
        yield torch.fft.irfft2(spectrum, s=(height, width)).to(batch)


LOWPASS = image_transform(lowpassed, levels=(1.0, 0.8, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1), none=1.5)
