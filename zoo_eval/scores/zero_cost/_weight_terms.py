"""What each weight adds to its layer's output while the network runs, X ∗ W of Y = X ∗ W + b."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

from zoo_eval.scores.zero_cost._convolution import Convolution

_ARGUMENTS = ("input", "weight", "bias", "stride", "padding", "dilation", "groups")
_DIMENSIONS: dict[Callable[..., Tensor], int] = {F.conv1d: 1, F.conv2d: 2, F.conv3d: 3}


class WeightTerms(TorchFunctionMode):
    """Within `with`, layers use copies of their weights, and what these add is kept.

    Only calls with a weight as it is are seen. A weight that is changed before its use, or that
    another operation uses, stays on its own way to the output.

    Attributes:
        copies: The copies, which share the memory of the weights.
        terms: X ∗ W of each call of a linear layer or convolution.
    """

    def __init__(self, weights: Sequence[Tensor]) -> None:
        super().__init__()
        self.copies = [weight.detach().requires_grad_() for weight in weights]
        self.terms: list[Tensor] = []
        self._copy_of = {id(w): copy for w, copy in zip(weights, self.copies, strict=True)}

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever torch returns
        kwargs = kwargs or {}
        if func is not F.linear and func not in _DIMENSIONS:
            return func(*args, **kwargs)
        call: dict[str, Any] = {**dict(zip(_ARGUMENTS, args, strict=False)), **kwargs}
        copy = self._copy_of.get(id(call["weight"]))
        if copy is None or not torch.is_grad_enabled():
            return func(*args, **kwargs)
        bias = call.pop("bias", None)
        n_dimensions = _DIMENSIONS.get(func, 0)
        term = _term(func, {**call, "weight": copy}, n_dimensions)
        self.terms.append(term)
        if bias is None:
            return term.clone()  # which an activation may overwrite
        return term + bias.reshape(-1, *[1] * n_dimensions)


def _term(func: Callable[..., Tensor], call: dict[str, Any], n_dimensions: int) -> Tensor:
    by_name = isinstance(call.get("padding"), str)  # "same", which may be uneven
    if not n_dimensions or by_name or call["input"].ndim != n_dimensions + 2:
        return func(**call)

    def sizes(name: str, default: int) -> list[int]:
        value = call.get(name, default)
        size = [value] if isinstance(value, int) else list(value)
        return size * n_dimensions if len(size) == 1 else size

    steps = (sizes("stride", 1), sizes("padding", 0), sizes("dilation", 1))
    geometry = (*steps, False, [0] * n_dimensions, call.get("groups", 1))
    return Convolution.apply(call["input"], call["weight"], geometry)
