"""Rules of `ScaledTensors` for arithmetic: sums align exponents, products add them.

Each function has the arguments of torch's function of that name, after the mode itself.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_eval.quantities.scaled_tensors import Rule, ScaledTensors, tensors_in, times_power

Term = Tensor | float | int
Scaled = tuple[Tensor, int]


def add(scales: ScaledTensors, input: Term, other: Term, *, alpha: float | int = 1) -> Scaled:
    """X + alpha · y."""
    (x, y), exponent = scales.aligned([input, other])
    return x + (y if alpha == 1 else y * alpha), exponent


def _sub(scales: ScaledTensors, input: Term, other: Term, *, alpha: float | int = 1) -> Scaled:
    return add(scales, input, other, alpha=-alpha)


def _rsub(scales: ScaledTensors, input: Term, other: Term) -> Scaled:
    return add(scales, other, input, alpha=-1)


def _joined(function: Callable[..., Tensor]) -> Rule:
    def rule(scales: ScaledTensors, tensors: Sequence[Tensor], dim: int = 0) -> Scaled:
        aligned, exponent = scales.aligned(tensors)
        return function(aligned, dim=dim), exponent

    return rule


def _pairwise(function: Callable[[Tensor, Tensor], Tensor]) -> Rule:
    def rule(scales: ScaledTensors, input: Tensor, other: Tensor) -> Scaled:
        (x, y), exponent = scales.aligned([input, other])
        return function(x, y), exponent

    return rule


def _compared(function: Callable[[Term, Term], Tensor]) -> Rule:
    def rule(scales: ScaledTensors, input: Term, other: Term) -> Scaled:
        (x, y), _ = scales.aligned([input, other])
        return function(x, y), 0

    return rule


def _where(scales: ScaledTensors, condition: Tensor, input: Term, other: Term) -> Scaled:
    (x, y), exponent = scales.aligned([input, other])
    return torch.where(condition, x, y), exponent


def _masked_fill(scales: ScaledTensors, input: Tensor, mask: Tensor, value: Term) -> Scaled:
    if isinstance(value, Tensor):
        return _where(scales, mask, value, input)
    (x, y), exponent = scales.aligned([input, value])
    return x.masked_fill(mask, y), exponent


def _pad(
    scales: ScaledTensors,
    input: Tensor,
    pad: Sequence[int],
    mode: str = "constant",
    value: float | int | None = None,
) -> Scaled:
    (x, y), exponent = scales.aligned([input, value or 0.0])
    return F.pad(x, pad, mode, None if value is None else y), exponent


def _max(scales: ScaledTensors, input: Tensor, *args: Any, **kwargs: Any) -> tuple[Any, int]:  # noqa: ANN401
    if args and isinstance(args[0], Tensor):
        (x, y), exponent = scales.aligned([input, args[0]])
        return torch.maximum(x, y), exponent
    return torch.max(input, *args, **kwargs), scales.exponent(input)


def _setitem(
    scales: ScaledTensors,
    target: Tensor,
    index: Any,  # noqa: ANN401
    value: Term,
) -> tuple[None, int]:
    shift = scales.exponent(value) - scales.exponent(target)
    # The target's own exponent cannot be changed, as other tensors may share its memory.
    target[index] = scales.fitting("__setitem__", torch.as_tensor(value).to(target), shift)
    return None, 0


def _product(function: Callable[..., Tensor]) -> Rule:
    def rule(scales: ScaledTensors, *factors: Any) -> Scaled:  # noqa: ANN401
        return function(*factors), sum(map(scales.exponent, tensors_in(factors)))

    return rule


def _div(
    scales: ScaledTensors,
    input: Term,
    other: Term,
    *,
    rounding_mode: str | None = None,
) -> Scaled | None:
    if rounding_mode is not None:
        return None
    return torch.as_tensor(input / other), scales.exponent(input) - scales.exponent(other)


def _rdiv(scales: ScaledTensors, input: Tensor, other: Term) -> Scaled | None:
    return _div(scales, other, input)


def _pow(scales: ScaledTensors, input: Term, exponent: Term) -> Scaled | None:
    if not isinstance(input, Tensor) or isinstance(exponent, Tensor):
        return None
    if exponent == 0.5:
        return _sqrt(scales, input)
    if exponent not in (2, 3):
        return None
    return input**exponent, int(exponent) * scales.exponent(input)


def _square(scales: ScaledTensors, input: Tensor) -> Scaled:
    return input.square(), 2 * scales.exponent(input)


def _var(scales: ScaledTensors, input: Tensor, *args: Any, **kwargs: Any) -> Scaled:  # noqa: ANN401
    return torch.var(input, *args, **kwargs), 2 * scales.exponent(input)


def _sqrt(scales: ScaledTensors, input: Tensor) -> Scaled:
    half, odd = divmod(scales.exponent(input), 2)
    return times_power(input, odd).sqrt(), half


def _rsqrt(scales: ScaledTensors, input: Tensor) -> Scaled:
    half, odd = divmod(scales.exponent(input), 2)
    return times_power(input, odd).rsqrt(), -half


def _clamp(
    scales: ScaledTensors,
    input: Tensor,
    min: Term | None = None,
    max: Term | None = None,
) -> Scaled | None:
    exponent = scales.exponent(input)
    if exponent < 0 or isinstance(min, Tensor) or isinstance(max, Tensor):
        return None
    if max is None and min is not None:
        return input.clamp(min=math.ldexp(min, -exponent)), exponent
    return scales.saturated(input).clamp(min, max), 0


ARITHMETIC: dict[str, Rule] = {
    **dict.fromkeys(("add", "__radd__"), add),
    **dict.fromkeys(("sub", "subtract"), _sub),
    **dict.fromkeys(("rsub", "__rsub__"), _rsub),
    **dict.fromkeys(("cat", "concat", "concatenate"), _joined(torch.cat)),
    "stack": _joined(torch.stack),
    "maximum": _pairwise(torch.maximum),
    "minimum": _pairwise(torch.minimum),
    **{name: _compared(getattr(torch, name)) for name in ("eq", "ge", "gt", "le", "lt", "ne")},
    "where": _where,
    "masked_fill": _masked_fill,
    "pad": _pad,
    "max": _max,
    "__setitem__": _setitem,
    **dict.fromkeys(("mul", "multiply", "__rmul__"), _product(torch.mul)),
    **dict.fromkeys(("matmul", "bmm", "mm"), _product(torch.matmul)),
    "einsum": _product(torch.einsum),
    **dict.fromkeys(("div", "divide", "true_divide"), _div),
    **dict.fromkeys(("__rdiv__", "__rtruediv__"), _rdiv),
    "pow": _pow,
    "square": _square,
    "var": _var,
    "sqrt": _sqrt,
    "rsqrt": _rsqrt,
    **dict.fromkeys(("clamp", "clip", "clamp_min"), _clamp),
}
