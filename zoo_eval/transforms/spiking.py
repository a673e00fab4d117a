"""Spikes in place of ReLU: activations of one bit, over a few time steps."""

from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from itertools import chain, islice
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.activation_patterns import is_activation
from zoo_eval.quantities.module_state import in_mode
from zoo_eval.transforms.patched import patched
from zoo_eval.transforms.transform import Transform, Variants, as_large

PERCENTILE = 90.0
_NO_THRESHOLD = 0.1  # what the published program takes in place of a threshold of zero
_CALIBRATING = 8  # images from which thresholds are read, the first of the dataset


def spikes(currents: Tensor, threshold: float) -> Tensor:
    """What integrate-and-fire neurons put out, a threshold or nothing, at each time step.

    The potential adds up the current; where it is above the threshold, a spike goes out and the
    threshold is taken off.

    Args:
        currents: One row per time step.
        threshold: Of all neurons.
    """
    potential = torch.zeros_like(currents[0])
    out = torch.empty_like(currents)
    for step, current in enumerate(currents):
        potential += current
        out[step] = (potential > threshold).to(out.dtype) * threshold
        potential -= out[step]
    return out


def threshold_of(currents: Tensor, percentile: float = PERCENTILE) -> float:
    """The value at a percentile of the currents, counted as in the published program."""
    flat = currents.flatten()
    place = 1 + round(percentile / 100 * (len(flat) - 1))
    found = float(flat.kthvalue(place).values)
    return found if found > 0 else _NO_THRESHOLD


class _Spiking:
    """ReLU by spikes. All time steps pass the network together, as if they were more images.

    The first pass reads the threshold of each call of an activation off its input, which spikes
    have made already, and how far the rates of its spikes are from ReLU.
    """

    def __init__(self, n_steps: int) -> None:
        self.n_steps = n_steps
        self.thresholds: list[float] = []
        self.errors: list[float] = []  # norms of the difference to ReLU, over those of ReLU

    def __call__(self, x: Tensor, place: int) -> Tensor:
        currents = x.unflatten(0, (self.n_steps, -1))
        if place < len(self.thresholds):
            return spikes(currents, self.thresholds[place]).flatten(0, 1)
        self.thresholds.append(threshold_of(currents))
        out = spikes(currents, self.thresholds[place])
        plain = currents.mean(dim=0).relu()
        error = (out.mean(dim=0) - plain).norm() / plain.norm().clamp(min=1e-30)
        self.errors.append(float(error))
        return out.flatten(0, 1)


class _Disturbed:
    """ReLU with normal noise of given norms, in units of its own."""

    n_steps = 1

    def __init__(self, errors: Sequence[float]) -> None:
        self.errors = errors  # filled while the network spiked
        self.rng = np.random.default_rng(0)

    def __call__(self, x: Tensor, place: int) -> Tensor:
        plain = x.relu()
        return as_large(plain, plain * (1 + self.errors[place]), self.rng, each=True)


def _spiking(model: nn.Module, images: Iterable[Tensor], level: float) -> Variants:
    activations = [module for module in model.modules() if is_activation(module)]
    others = {type(module).__name__ for module in activations if type(module) is not nn.ReLU}
    if others or not activations:
        raise ScoreUndefinedError(
            f"Spikes stand for ReLU, but the activation modules of {type(model).__name__} are "
            f"{', '.join(sorted(others)) or 'none'}."
        )
    spiking = _Spiking(int(level))
    disturbed = _Disturbed(spiking.errors)
    return Variants(
        _with_activations(model, activations, spiking, images),
        _with_activations(model, activations, disturbed, images),
    )


@contextmanager
def _with_activations(
    model: nn.Module,
    activations: Sequence[nn.Module],
    function: _Spiking | _Disturbed,
    images: Iterable[Tensor],
) -> Generator[Iterable[Tensor], None, None]:
    """Let the activations before the head be another function; features are means over time."""
    network: Any = model
    features: Callable[[Tensor], Tensor] = network.forward_features
    places: list[int] = []  # of the next call; empty in the head, which is left as it is

    def activation(x: Tensor) -> Tensor:
        if not places:
            return x.relu()
        places[0] += 1
        return function(x, places[0] - 1)

    def mean_over_time(x: Tensor) -> Tensor:
        places[:] = [0]
        try:
            at_each_step = features(x.repeat(function.n_steps, *[1] * (x.ndim - 1)))
        finally:
            places.clear()
        return at_each_step.unflatten(0, (function.n_steps, -1)).mean(dim=0)

    def over_time(x: Tensor) -> Tensor:
        parts = x.split(max(1, len(x) // function.n_steps))  # as many at once as there were
        return torch.cat([mean_over_time(part) for part in parts])

    patches = {(module, "forward"): activation for module in activations}
    with patched(patches | {(model, "forward_features"): over_time}):
        if isinstance(function, _Spiking):
            first = list(islice(chain.from_iterable(images), _CALIBRATING))
            with in_mode(model, "eval"), torch.inference_mode():
                mean_over_time(torch.stack(first))
        yield images


SPIKING = Transform(_spiking, (16.0, 8.0, 4.0, 2.0, 1.0), none=float("inf"), logarithmic=True)
