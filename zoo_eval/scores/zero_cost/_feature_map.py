"""The features of a network before they are pooled."""

from typing import Any

from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.gradients import logits_of


def feature_maps(model: nn.Module, images: Tensor) -> list[Tensor]:
    """Feature maps or tokens of images: one tensor, or several for networks with branches.

    They are what `forward_features` returns, which all networks of timm have. Of any other
    network, it is the last output of a module that still has channels *and* positions, more
    than one of each: the pooling comes after it. The caller sets mode and gradients.

    Raises:
        ScoreUndefinedError: no module returns such an output.
    """
    any_model: Any = model
    if hasattr(model, "forward_features"):
        found = _tensors(any_model.forward_features(_as_input(model, images)))
    else:
        found = _last_map(model, images)
    if not found:
        raise ScoreUndefinedError(
            f"{type(model).__name__} has no forward_features, and none of its "
            f"{sum(1 for _ in model.modules())} modules returns a feature map."
        )
    return found


def _last_map(model: nn.Module, images: Tensor) -> list[Tensor]:
    found: list[Tensor] = []

    def keep(_: nn.Module, __: object, output: object) -> None:
        if isinstance(output, Tensor) and output.shape[:1] == images.shape[:1]:
            is_map = sum(size > 1 for size in output.shape[1:]) > 1
            found[:] = [output] if is_map else found

    handles = [module.register_forward_hook(keep) for module in model.modules()]
    try:
        logits_of(model, images)
    finally:
        for handle in handles:
            handle.remove()
    return found


def _as_input(model: nn.Module, images: Tensor) -> Tensor:
    for weight in model.parameters():
        if weight.is_floating_point():
            return images.to(weight.device, weight.dtype)
    return images


def _tensors(output: object) -> list[Tensor]:
    if isinstance(output, Tensor):
        return [output]
    if isinstance(output, dict):
        output = list(output.values())
    if isinstance(output, (tuple, list)):
        return [tensor for part in output for tensor in _tensors(part)]
    return []
