"""Intervals pushed through a network, layer by layer, in place of the network's own gradient.

At an image x, with every ReLU on or off as it is there and every maximum taken where it is there,
a network is linear near x. A box of radius ε around x becomes one of radius |J| ε, J the Jacobian.
Interval bounds know each layer alone and lose what cancels between layers: their radius is
|W_L| … |W_1| ε, with the same ReLUs and maxima.

Both are sums of derivatives with respect to pixels, the second those of a network of absolute
weights that takes the same turns. So each operation is run as it is, and its derivative is
replaced: f(x) + (|f|(x) − |f|(x) without gradient), the bracket being exactly zero.
"""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.gradients import Images, at_once, logits_of
from zoo_eval.quantities.module_state import differentiable, in_mode
from zoo_eval.quantities.scaled_tensors import tensors_in

# Linear with coefficients that are not negative, or a choice among inputs, or pieces of slopes from
# 0 to 1: their derivatives are their own absolute values.
_MONOTONE = frozenset(
    """
    __add__ __getitem__ __iadd__ __radd__ adaptive_avg_pool1d adaptive_avg_pool2d
    adaptive_max_pool2d add add_ amax avg_pool1d avg_pool2d cat chunk clamp clamp_ clone concat
    contiguous dropout dropout2d expand feature_dropout flatten flip hardtanh hardtanh_ leaky_relu
    leaky_relu_ max_pool1d max_pool2d maximum mean minimum movedim narrow pad permute pixel_shuffle
    pixel_unshuffle relu relu6 relu_ repeat reshape roll split squeeze stack sum tensor_split to
    transpose type unbind unflatten unsqueeze view
    """.split()  # noqa: SIM905  # a list of words reads better
)
# Ask for a tensor's form, not for its values; properties, such as `shape`, are `__get__`.
_FORM = frozenset("__get__ __len__ dim is_contiguous is_floating_point numel size stride".split())  # noqa: SIM905


@dataclass(frozen=True)
class Radii:
    """Per image, of the largest logit less the second, for a box of radius 1 around the image.

    Attributes:
        exact: Σ |∂m/∂pixel|: of the network as it is linear there.
        bound: What interval arithmetic gives for the same linear network; at least as large.
    """

    exact: Float[Tensor, " n"]
    bound: Float[Tensor, " n"]


def radii(model: nn.Module, images: Images) -> Radii:
    """Radii of the margin, in eval mode and in float64.

    The last linear layer is taken together with the difference of two logits, if its output is
    the logits.

    Raises:
        ScoreUndefinedError: the network holds another operation than convolutions, linear layers,
            batch norm, ReLU and other pieces of lines, pooling, sums, and products with constants.
    """
    copied = copy.deepcopy(model).double().requires_grad_(False)
    parts = [_radii(copied, part) for part in images.split(at_once(images, "eval"))]
    return Radii(*(torch.cat(one) for one in zip(*parts, strict=True)))


def _radii(model: nn.Module, images: Images) -> tuple[Tensor, Tensor]:
    pixels = images.detach().double().clone()
    with in_mode(model, "eval"), differentiable([pixels]):
        logits = logits_of(model, pixels)
        first, second = logits.detach().topk(2, dim=1).indices.unbind(dim=1)
        ones = F.one_hot(torch.stack([first, second]), logits.shape[1]).to(logits)
        exact = _summed(logits, pixels, ones[0] - ones[1])
        absolute = _Absolute()
        with absolute:
            logits = logits_of(model, pixels)
        last = absolute.last
        if last is not None and last.outputs is logits:
            differences = (last.weight[first] - last.weight[second]).abs()
            return exact, _summed(last.inputs, pixels, differences)
        return exact, _summed(logits, pixels, ones[0] + ones[1])


def _summed(outputs: Tensor, pixels: Tensor, directions: Tensor) -> Float[Tensor, " n"]:
    """Σ over pixels of the magnitude of the gradient of an image's outputs in a direction."""
    (gradient,) = torch.autograd.grad(
        outputs, [pixels], directions, retain_graph=True, materialize_grads=True
    )
    return gradient.abs().flatten(1).sum(dim=1)


class _LinearCall(NamedTuple):
    inputs: Tensor
    weight: Tensor
    outputs: Tensor


class _Absolute(TorchFunctionMode):
    """Within `with`, derivatives are those of a network of absolute weights; values are not.

    Attributes:
        last: The last call of a linear layer.
    """

    def __init__(self) -> None:
        super().__init__()
        self.last: _LinearCall | None = None

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever torch returns
        kwargs = kwargs or {}
        name = getattr(func, "__name__", str(func))
        # What does not depend on the image, such as weights that are standardised, is as it is.
        depends = any(tensor.requires_grad for tensor in tensors_in((args, kwargs)))
        if not depends or name in _FORM or (name in _MONOTONE and "alpha" not in kwargs):
            return func(*args, **kwargs)
        rule = None if "alpha" in kwargs else _ABSOLUTE.get(name)
        absolute = None if rule is None else rule(*args, **kwargs)
        if absolute is None:
            raise ScoreUndefinedError(
                f"Interval radii are for networks of convolutions, linear layers, batch norm, "
                f"ReLU, pooling and sums, but this one applies {name!r} to what depends on the "
                "image."
            )
        result = func(*args, **kwargs).detach() + (absolute - absolute.detach())
        if func is F.linear:
            self.last = _LinearCall(args[0], args[1], result)
        return result


Term = Tensor | float | int

# Of each operation, one that has the absolute values of its derivatives; None where there is none.


def _linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor | None:
    del bias
    return None if weight.requires_grad else F.linear(input, weight.abs())


def _convolution(function: Callable[..., Tensor]) -> Callable[..., Tensor | None]:
    def absolute(
        input: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        *args: Any,  # noqa: ANN401  # as of the convolution
        **kwargs: Any,  # noqa: ANN401
    ) -> Tensor | None:
        del bias
        return (
            None if weight.requires_grad else function(input, weight.abs(), None, *args, **kwargs)
        )

    return absolute


def _batch_norm(
    input: Tensor,
    running_mean: Tensor | None,
    running_var: Tensor | None,
    weight: Tensor | None = None,
    bias: Tensor | None = None,
    training: bool = False,
    momentum: float | None = 0.1,
    eps: float = 1e-5,
) -> Tensor | None:
    del running_mean, bias, momentum
    if training or running_var is None:
        return None
    scale = (running_var + eps).rsqrt()
    scale = scale if weight is None else scale * weight.abs()
    return input * scale.view(-1, *[1] * (input.ndim - 2))


def _difference(*terms: Term) -> Tensor | None:
    """Of a − b; without what does not depend on the image."""
    depending = [x for x in terms if isinstance(x, Tensor) and x.requires_grad]
    return sum(depending[1:], start=depending[0])


def _product(input: Term, other: Term) -> Tensor | None:
    if _depends(input) and _depends(other):
        return None
    x, constant = (input, other) if _depends(input) else (other, input)
    return x * abs(constant)  # pyright: ignore[reportReturnType]


def _quotient(input: Term, other: Term) -> Tensor | None:
    return None if _depends(other) else input / abs(other)  # pyright: ignore[reportReturnType]


def _depends(x: Term) -> bool:
    return isinstance(x, Tensor) and x.requires_grad


_ABSOLUTE: dict[str, Callable[..., Tensor | None]] = {
    "linear": _linear,
    **{name: _convolution(getattr(F, name)) for name in ("conv1d", "conv2d", "conv3d")},
    "batch_norm": _batch_norm,
    **dict.fromkeys(("sub", "subtract", "__sub__", "rsub", "__rsub__", "neg"), _difference),
    **dict.fromkeys(("mul", "multiply", "__mul__", "__rmul__"), _product),
    **dict.fromkeys(("div", "true_divide", "__div__", "__truediv__"), _quotient),
}
