"""Which spatial frequencies a network listens to."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.gradients import Images, at_once, logits_of
from zoo_eval.quantities.module_state import differentiable, in_mode
from zoo_eval.scores._score import score


@score(
    unit="Nyquist frequencies",
    higher_is_better=None,
    bounds=(0.0, 2**0.5),
    cost="1 forward and backward of the probe batch",
)
def gradient_centroid(model: nn.Module, probe_images: Images) -> float:
    """Mean spatial frequency of the input gradient of the winning logit.

    Let g be the gradient of an image's largest logit with respect to its pixels, and G its
    two-dimensional Fourier transform, channel by channel. The centroid is Σ f |G| / Σ |G|, f the
    radius of a frequency in units of the Nyquist frequency; averaged over channels and images.

    Of the paper, the centroid of a magnitude spectrum is kept. There it is of the signal that a
    sinusoidal network is to learn, along one axis; here of what a classifier listens to. Whether
    high or low is better is not known. Networks of one input size compare.

    Args:
        model: The network.
        probe_images: Shape (n, channels, height, width).

    Returns:
        From 0 (it looks at the mean of the image alone) to √2 (at changes from pixel to pixel
        along both axes); white noise has 0.77. Unchanged by the scale of the logits.

    Raises:
        ScoreUndefinedError: the gradient of an image is zero in all channels, or not finite.

    References:
        "Spectral Bottleneck in Deep Neural Networks: Noise is All You Need", 2025,
            https://arxiv.org/abs/2509.09719
    """
    centroids: list[Tensor] = []
    with in_mode(model, "eval"):
        for part in probe_images.split(at_once(probe_images, "eval")):
            pixels = part.detach().clone()
            with differentiable([pixels]):
                largest = logits_of(model, pixels).max(dim=1).values.sum()
                (gradient,) = torch.autograd.grad(largest, [pixels], materialize_grads=True)
            centroids.append(_centroids(gradient.double()))
    found = torch.cat(centroids)
    if not found.isfinite().all():
        bad = int((~found.isfinite()).sum())
        raise ScoreUndefinedError(
            f"The input gradients of {bad} of {len(found)} images are zero or not finite; a "
            "spectrum is needed. Is the network constant with these weights?"
        )
    return float(found.mean())


def _centroids(gradient: Float[Tensor, "n channels height width"]) -> Float[Tensor, " n"]:
    """Centroid of each image, mean over the channels that have a gradient; NaN if none has."""
    along_y, along_x = (torch.fft.fftfreq(n).to(gradient) for n in gradient.shape[-2:])
    radius = 2 * torch.hypot(along_y[:, None], along_x)
    magnitudes = torch.fft.fft2(gradient).abs()
    centroids = (magnitudes * radius).sum(dim=(-2, -1)) / magnitudes.sum(dim=(-2, -1))
    return centroids.nanmean(dim=1)
