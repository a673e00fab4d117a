"""The sweeps that scores of robustness read, one per transform."""

from collections.abc import Iterable

import numpy as np
from torch import Tensor, nn

from zoo_eval.quantities._quantity import quantity
from zoo_eval.quantities.forward import ForwardPass
from zoo_eval.quantities.response import Response
from zoo_eval.quantities.sweep import HeadLabels, Sweep, sweep
from zoo_eval.transforms.codebook import CODEBOOK
from zoo_eval.transforms.images import AlteredImages
from zoo_eval.transforms.jpeg import jpeg
from zoo_eval.transforms.lowpass import LOWPASS
from zoo_eval.transforms.noise import noise
from zoo_eval.transforms.pruning import PRUNING
from zoo_eval.transforms.rational import RATIONAL
from zoo_eval.transforms.shift import SHIFT
from zoo_eval.transforms.spiking import SPIKING

_NOISE_SEEDS = 3
Images = Iterable[Tensor]


@quantity
def codebook_sweep(
    model: nn.Module, images: Images, forward_pass: ForwardPass, head_labels: HeadLabels
) -> Sweep:
    """Codebooks of 6 bits to 1."""
    return sweep(CODEBOOK, model, images, forward_pass, head_labels)


@quantity
def shift_sweep(
    model: nn.Module, images: Images, forward_pass: ForwardPass, head_labels: HeadLabels
) -> Sweep:
    """Powers of two, of 5 bits to 2."""
    return sweep(SHIFT, model, images, forward_pass, head_labels)


@quantity
def pruning_sweep(
    model: nn.Module, images: Images, forward_pass: ForwardPass, head_labels: HeadLabels
) -> Sweep:
    """Global magnitude pruning of 0 to 90 %."""
    return sweep(PRUNING, model, images, forward_pass, head_labels)


@quantity
def noise_sweep(
    model: nn.Module, images: Images, forward_pass: ForwardPass, head_labels: HeadLabels
) -> Sweep:
    """Noise on the weights, mean over three draws."""
    draws = [
        sweep(noise(seed), model, images, forward_pass, head_labels) for seed in range(_NOISE_SEEDS)
    ]
    by_level = zip(*(draw.transformed for draw in draws), strict=True)
    means = tuple(_mean(responses) for responses in by_level)
    return Sweep(draws[0].transform, draws[0].untouched, means, ())


@quantity
def lowpass_sweep(
    model: nn.Module, images: Images, forward_pass: ForwardPass, head_labels: HeadLabels
) -> Sweep:
    """Low-passed images."""
    return sweep(LOWPASS, model, images, forward_pass, head_labels)


@quantity
def jpeg_sweep(
    model: nn.Module,
    images: Images,
    altered_images: AlteredImages,
    forward_pass: ForwardPass,
    head_labels: HeadLabels,
) -> Sweep:
    """Images that went through JPEG."""
    return sweep(jpeg(altered_images), model, images, forward_pass, head_labels)


@quantity
def spiking_sweep(
    model: nn.Module, images: Images, forward_pass: ForwardPass, head_labels: HeadLabels
) -> Sweep:
    """Spikes in place of ReLU, over 16 time steps to 1."""
    return sweep(SPIKING, model, images, forward_pass, head_labels)


@quantity
def rational_sweep(
    model: nn.Module, images: Images, forward_pass: ForwardPass, head_labels: HeadLabels
) -> Sweep:
    """Rational functions in place of activation functions, of degree 5 to 1."""
    return sweep(RATIONAL, model, images, forward_pass, head_labels)


def _mean(responses: tuple[Response, ...]) -> Response:
    accuracies = [r.accuracy for r in responses if r.accuracy is not None]
    return Response(
        agreement=float(np.mean([r.agreement for r in responses])),
        fidelity=float(np.mean([r.fidelity for r in responses])),
        cka=float(np.mean([r.cka for r in responses])),
        accuracy=float(np.mean(accuracies)) if accuracies else None,
    )
