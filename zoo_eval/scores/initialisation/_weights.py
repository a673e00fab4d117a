"""Weights of a network, each beside what it was at the start."""

from torch import Tensor, nn

from zoo_eval.errors import InputError
from zoo_eval.quantities.gradients import needed_weights


def with_start(model: nn.Module, initial_model: nn.Module) -> list[tuple[Tensor, Tensor]]:
    """(W, W₀) for the weights of all convolutions and linear layers.

    Raises:
        InputError: the networks are not of one architecture.
        ScoreUndefinedError: the network has no convolution or linear layer.
    """
    now, before = needed_weights(model), needed_weights(initial_model)
    for what, found in (("layers", [name for name, _ in now]), ("shapes", _shapes(now))):
        expected = [name for name, _ in before] if what == "layers" else _shapes(before)
        if found != expected:
            raise InputError(
                f"initial_model must be of the architecture of model, but the {what} of their "
                f"weights differ: {len(before)} tensors there, {len(now)} here."
            )
    return [
        (w.detach(), w0.detach().to(w.device)) for (_, w), (_, w0) in zip(now, before, strict=True)
    ]


def _shapes(named: list[tuple[str, nn.Parameter]]) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for _, weight in named]
