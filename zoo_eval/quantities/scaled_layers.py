"""Rules of `ScaledTensors` for layers: linear maps, norms, activations, attention.

Each function has the arguments of torch's function of that name, after the mode itself.
"""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.scaled_tensors import ROOM, Rule, ScaledTensors

# A softmax is constant, one-hot, if its largest score leads by this many nats …
_LEAD = 800.0
# … and a lead is more than rounding if it is at least this much of the largest score.
_RESOLVED = 1e-9

Scaled = tuple[Tensor, int]


# Linear maps: exponents of input and weight add up; the bias is a term of a sum ------------


def _linear(
    scales: ScaledTensors,
    input: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
) -> Tensor:
    exponent = scales.exponent(input) + scales.exponent(weight)
    product = scales.noted(F.linear(input, weight), exponent)
    return product if bias is None else scales.run(torch.add, product, bias)


def _convolution(function: Callable[..., Tensor]) -> Rule:
    def rule(
        scales: ScaledTensors,
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        *args: object,
        **kwargs: object,
    ) -> Tensor:
        exponent = scales.exponent(input) + scales.exponent(weight)
        product = scales.noted(function(input, weight, None, *args, **kwargs), exponent)
        return _affine(scales, product, None, bias, (-1, *[1] * (weight.ndim - 2)))

    return rule


def _affine(
    scales: ScaledTensors,
    x: Tensor,
    weight: Tensor | None,
    bias: Tensor | None,
    shape: Sequence[int],
) -> Tensor:
    """X · weight + bias, both brought to a shape first."""
    if weight is not None:
        x = scales.run(torch.mul, x, scales.run(torch.reshape, weight, shape))
    if bias is not None:
        x = scales.run(torch.add, x, scales.run(torch.reshape, bias, shape))
    return x


# Norms: (s·x) with ε is x with ε / s² ----------------------------------------------------


def _standardised(
    scales: ScaledTensors,
    x: Tensor,
    norm: Callable[[float], Tensor],
    eps: float,
    weight: Tensor | None,
    bias: Tensor | None,
    shape: Sequence[int],
) -> Tensor | None:
    """Weight · norm(ε) + bias; None for x so small that ε would have to grow."""
    if scales.exponent(x) < 0:
        return None
    result = scales.noted(norm(math.ldexp(eps, -2 * scales.exponent(x))), 0)
    return _affine(scales, result, weight, bias, shape)


def _layer_norm(
    scales: ScaledTensors,
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float | int = 1e-5,
) -> Tensor | None:
    def norm(eps: float) -> Tensor:
        return F.layer_norm(input, list(normalized_shape), eps=eps)

    return _standardised(scales, input, norm, eps, weight, bias, normalized_shape)


def _rms_norm(
    scales: ScaledTensors,
    input: Tensor,
    normalized_shape: Sequence[int],
    weight: Tensor | None = None,
    eps: float | int | None = None,
) -> Tensor | None:
    def norm(eps: float) -> Tensor:
        return F.rms_norm(input, list(normalized_shape), eps=eps)

    eps = torch.finfo(input.dtype).eps if eps is None else eps
    return _standardised(scales, input, norm, eps, weight, None, normalized_shape)


def _group_norm(
    scales: ScaledTensors,
    input: Tensor,
    num_groups: int,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    eps: float | int = 1e-5,
) -> Tensor | None:
    def norm(eps: float) -> Tensor:
        return F.group_norm(input, num_groups, eps=eps)

    shape = (-1, *[1] * (input.ndim - 2))
    return _standardised(scales, input, norm, eps, weight, bias, shape)


def _batch_norm(
    scales: ScaledTensors,
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float | int = 0.1,
    eps: float | int = 1e-5,
) -> Tensor | None:
    shape = (-1, *[1] * (input.ndim - 2))
    if training or running_mean is None or running_var is None:

        def norm(eps: float) -> Tensor:
            return F.batch_norm(input, None, None, None, None, True, momentum, eps)

        return _standardised(scales, input, norm, eps, weight, bias, shape)
    centred = scales.run(torch.sub, input, running_mean.reshape(shape))
    scaled = scales.run(torch.mul, centred, (running_var + eps).rsqrt().reshape(shape))
    return _affine(scales, scaled, weight, bias, shape)


def _normalize(
    scales: ScaledTensors,
    input: Tensor,
    p: float | int = 2.0,
    dim: int = 1,
    eps: float | int = 1e-12,
    out: None = None,
) -> Scaled | None:
    if scales.exponent(input) < 0:
        return None
    return F.normalize(input, p, dim, math.ldexp(eps, -scales.exponent(input))), 0


# Activations: constant, or x times a gate that is constant, where x is beyond float64 --------


def _bounded(function: Callable[..., Tensor]) -> Rule:
    def rule(
        scales: ScaledTensors, input: Tensor, *args: object, **kwargs: object
    ) -> Scaled | None:
        if scales.exponent(input) < 0:
            return None
        return function(scales.saturated(input), *args, **kwargs), 0

    return rule


def _gated(gate: Callable[[Tensor], Tensor]) -> Rule:
    def rule(scales: ScaledTensors, input: Tensor, inplace: bool = False) -> Scaled | None:
        exponent = scales.exponent(input)
        return None if exponent < 0 else (input * gate(scales.saturated(input)), exponent)

    return rule


def _hardswish_gate(x: Tensor) -> Tensor:
    return F.relu6(x + 3) / 6  # torch's hardsigmoid multiplies by 1/6 in float32


def _mish_gate(x: Tensor) -> Tensor:
    return F.softplus(x, threshold=40).tanh()  # exact in float64 from there on


def _gelu_gate(x: Tensor) -> Tensor:
    return 0.5 * torch.erfc(-x / math.sqrt(2))


def _tanh_gelu_gate(x: Tensor) -> Tensor:
    return 0.5 * (1 + (math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)).tanh())


def _gelu(scales: ScaledTensors, input: Tensor, *, approximate: str = "none") -> Scaled | None:
    gate = _tanh_gelu_gate if approximate == "tanh" else _gelu_gate
    return _gated(gate)(scales, input)


# Attention -------------------------------------------------------------------------------


def _softmax(
    scales: ScaledTensors,
    input: Tensor,
    dim: int,
    _stacklevel: int = 3,
    dtype: torch.dtype | None = None,
) -> Scaled | None:
    exponent = scales.exponent(input)
    values = input.detach()
    if float(values.abs().max()) * 2.0 ** min(exponent, ROOM) < 1 / _RESOLVED:
        return None  # the true scores are small
    if input.shape[dim] > 1:
        leader, second = values.topk(2, dim=dim).values.unbind(dim)
        lead = scales.noted(leader - second, exponent)
        unclear = (scales.saturated(lead) < _LEAD) | (leader - second < _RESOLVED * leader.abs())
        if unclear.any():
            raise ScoreUndefinedError(
                f"softmax needs the differences of scores of about 2^{exponent}, but in "
                f"{int(unclear.sum())} of {unclear.numel()} rows float64 does not tell the two "
                "largest apart."
            )
    one_hot = torch.zeros_like(values).scatter(dim, values.argmax(dim, keepdim=True), 1.0)
    return one_hot + 0 * input, 0


def _scaled_dot_product_attention(
    scales: ScaledTensors,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float | int = 0.0,
    is_causal: bool = False,
    scale: float | int | None = None,
    enable_gqa: bool = False,
) -> Tensor | None:
    if is_causal or enable_gqa or (attn_mask is not None and attn_mask.dtype == torch.bool):
        return None
    query = scales.run(torch.mul, query, query.shape[-1] ** -0.5 if scale is None else scale)
    products = scales.run(torch.matmul, query, scales.run(torch.transpose, key, -2, -1))
    if attn_mask is not None:
        products = scales.run(torch.add, products, attn_mask)
    return scales.run(torch.matmul, scales.run(torch.softmax, products, -1), value)


LAYERS: dict[str, Rule] = {
    "linear": _linear,
    **{
        f"conv{kind}{n}d": _convolution(getattr(F, f"conv{kind}{n}d"))
        for kind in ("", "_transpose")
        for n in (1, 2, 3)
    },
    "layer_norm": _layer_norm,
    "rms_norm": _rms_norm,
    "group_norm": _group_norm,
    "batch_norm": _batch_norm,
    "normalize": _normalize,
    "erf": _bounded(torch.erf),
    "hardsigmoid": _bounded(F.hardsigmoid),
    "hardtanh": _bounded(F.hardtanh),
    "relu6": _bounded(F.relu6),
    "sigmoid": _bounded(torch.sigmoid),
    "tanh": _bounded(torch.tanh),
    "gelu": _gelu,
    "hardswish": _gated(_hardswish_gate),
    "mish": _gated(_mish_gate),
    "silu": _gated(torch.sigmoid),
    "softmax": _softmax,
    "scaled_dot_product_attention": _scaled_dot_product_attention,
}
