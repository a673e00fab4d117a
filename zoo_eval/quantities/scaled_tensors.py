"""Runs a network on numbers beyond float64, as tensors times powers of two."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from zoo_eval.errors import ScoreUndefinedError

# f(s·x) = s·f(x) for s > 0, whatever the other arguments: the power of two is carried along.
_CARRY = frozenset(
    """
    __getitem__ abs adaptive_avg_pool1d adaptive_avg_pool2d adaptive_max_pool1d
    adaptive_max_pool2d amax amin avg_pool1d avg_pool2d bfloat16 broadcast_to chunk clone
    contiguous cpu cumsum detach double dropout dropout2d expand feature_dropout flatten flip
    float fold gather grid_sample half index_select interpolate leaky_relu max_pool1d max_pool2d
    mean moveaxis movedim narrow neg norm permute pixel_shuffle pixel_unshuffle prelu relu repeat
    repeat_interleave reshape roll rot90 select split split_with_sizes squeeze std sum swapaxes
    swapdims t take_along_dim tensor_split tile to topk transpose type unbind unflatten unfold
    unsqueeze upsample view
    """.split()  # noqa: SIM905  # a list of words reads better
)
_CARRY_BESIDE_ANOTHER = frozenset("expand_as reshape_as type_as view_as".split())  # noqa: SIM905
# These may leave float64; `_centred` makes room in the smaller type.
_CASTS = frozenset("bfloat16 float half to type type_as".split())  # noqa: SIM905
# Ask for a tensor's form, not for its values.
_FORM = frozenset(
    """
    __len__ data_ptr dim element_size empty_like full_like is_complex is_contiguous
    is_floating_point ndimension new_empty new_full new_ones new_tensor new_zeros numel ones_like
    rand_like randn_like register_hook requires_grad_ retain_grad size storage_offset stride
    untyped_storage zeros_like
    """.split()  # noqa: SIM905  # a list of words reads better
)
_PROPERTIES_WITH_VALUES = frozenset("data H T mH mT".split())  # noqa: SIM905
# Take `inplace` as one of their positional arguments.
_INPLACE_ARGUMENT = frozenset(
    "hardsigmoid hardswish hardtanh leaky_relu mish relu relu6 silu".split()  # noqa: SIM905
)
# Powers of two that leave room for sums and products in float64, whose own largest is 1023.
ROOM = 900
# Where sigmoid, tanh and the like are constant in float64.
_SATURATED = 1e30

Rule = Callable[..., Any]


class ScaledTensors(TorchFunctionMode):
    """Within `with`, each tensor stands for itself times a power of two of its own.

    When the largest entry of a result passes `limit` (or falls below its inverse), the result is
    divided by a power of two, which is exact, and its exponent noted. What follows takes the
    exponent into account: homogeneous operations (relu, pooling, shapes) carry it; `rules`
    say what others do; what has no rule gets the true values, if they fit into float64.

    The powers are constants, so gradients are those of the scaled result: if R stands for
    R · 2ᵏ, then ∂R/∂w stands for ∂R/∂w · 2ᵏ, for every tensor w that came from outside.

    Nothing is assumed of what torch does not show: a tensor that comes from an operation
    outside torch's functions, or that should have been overwritten in place and was replaced,
    is refused.

    Args:
        rules: By the operation's name, a function of this object and the operation's own
            arguments. It returns the result and its exponent; or the result alone, if it was
            computed with `run`; or None, for true values.
        limit: When to rescale. Products of two numbers within it must fit into float64.

    Attributes:
        lost: Whether a differentiable term of a sum was more than 2⁹⁰⁰ times smaller than
            another. It changes no digit of the sum, but derivatives through it may have become
            zero.
    """

    def __init__(self, rules: Mapping[str, Rule], limit: float = 1e100) -> None:
        super().__init__()
        self.lost = False
        self._rules = rules
        self._limit = limit
        self._exponents = WeakTensorKeyDictionary()
        self._replaced: dict[int, object] = {}  # storages, kept so that no address is reused

    def exponent(self, value: object) -> int:
        """The k for which a tensor stands for tensor · 2ᵏ; 0 for numbers."""
        return int(self._exponents.get(value, 0)) if isinstance(value, Tensor) else 0  # pyright: ignore[reportArgumentType]

    def run(self, func: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401
        """Call an operation as the network would."""
        return self.__torch_function__(func, (), args, kwargs)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  # whatever torch returns
        kwargs = dict(kwargs or {})
        name = _name_of(func)
        if name == "__get__":
            return func(*args, **kwargs)
        if name in _FORM:
            result = func(*args, **kwargs)
            if isinstance(result, Tensor) and result not in self._exponents:
                self._exponents[result] = 0
            return result
        self._check_origin(name, list(tensors_in((args, kwargs))))
        in_place = name.endswith("_") and not name.startswith("__")
        if in_place:
            name = name[:-1]
        if name in _CASTS:
            args = (self._centred(args[0]), *args[1:])
        if name == "__setitem__":  # a constant becomes part of the graph
            self._exponents[args[0]] = self.exponent(args[0])
        exponents = [self.exponent(tensor) for tensor in tensors_in((args, kwargs))]
        carries = name in _CARRY and not any(exponents[1:])
        if carries or name in _CARRY_BESIDE_ANOTHER or not any(exponents):
            result, exponent = func(*args, **kwargs), exponents[0] if exponents else 0
            return self._noted(result, exponent, in_place)
        first = next(tensors_in((args, kwargs)))
        if in_place and hasattr(torch, name):
            func = getattr(torch, name)
        if in_place or kwargs.pop("inplace", False) or _asks_for_inplace(name, args):
            self._replace(first)
        result, exponent = self._by_rule(name, func, args, kwargs)
        return self._noted(result, exponent, in_place=False)

    def _by_rule(
        self, name: str, func: Callable[..., Any], args: Sequence[Any], kwargs: dict[str, Any]
    ) -> tuple[Any, int]:
        rule = self._rules.get(name)
        found = None if rule is None else rule(self, *args, **kwargs)
        if isinstance(found, Tensor):
            return found, self.exponent(found)
        if found is not None:
            return found
        return func(*self._true(name, args), **self._true(name, kwargs)), 0

    def noted(self, result: Tensor, exponent: int) -> Tensor:
        """A new tensor with its exponent, rescaled if need be."""
        return self._noted(result, exponent, in_place=False)

    def _noted(self, result: Any, exponent: int, in_place: bool) -> Any:  # noqa: ANN401
        if not isinstance(result, Tensor):
            for part in tensors_in(result):
                self._exponents[part] = exponent if part.is_floating_point() else 0
            return result
        if not result.is_floating_point():
            return result
        # A view must stay one, and is within the limit because its base is.
        if not result._is_view() and result.numel():  # pyright: ignore[reportPrivateUsage]
            largest = _largest(result)
            # What fits into float32, where a network asks for it.
            limit = min(self._limit, torch.finfo(result.dtype).max ** (1 / 3))
            if limit < largest < math.inf or 0 < largest < 1 / limit:
                shift = math.frexp(largest)[1]
                if in_place and shift:
                    self._replace(result)
                result = times_power(result, -shift)
                exponent += shift
        self._exponents[result] = exponent
        return result

    def _centred(self, x: Tensor) -> Tensor:
        """The same with a largest entry below 2²⁰, which fits into float32."""
        largest = _largest(x) if x.is_floating_point() and x.numel() else 0.0
        if not 2**20 < largest < math.inf:
            return x
        shift = math.frexp(largest)[1]
        result = times_power(x, -shift)
        self._exponents[result] = self.exponent(x) + shift
        return result

    def _replace(self, tensor: Tensor) -> None:
        """An in-place operation will give a new tensor instead: the old one is not to be used."""
        storage = tensor.untyped_storage()
        self._replaced[storage.data_ptr()] = storage

    def _check_origin(self, name: str, tensors: Sequence[Tensor]) -> None:
        for tensor in tensors:
            # Torch shows the operations inside a custom forward, but not the custom backward.
            unseen = tensor not in self._exponents or isinstance(tensor.grad_fn, BackwardCFunction)
            if tensor.grad_fn is not None and unseen:
                raise ScoreUndefinedError(
                    f"Values beyond float64 cannot be followed into {name}: its argument comes "
                    f"from an operation outside torch's functions ({tensor.grad_fn.name()})."
                )
            if self._replaced and tensor.untyped_storage().data_ptr() in self._replaced:
                raise ScoreUndefinedError(
                    f"Values beyond float64 cannot be followed into {name}: its argument was "
                    "overwritten in place."
                )

    # What the rules are made of ---------------------------------------------------------

    def aligned(self, terms: Sequence[Any]) -> tuple[list[Any], int]:
        """Tensors and numbers brought to one exponent, the largest of those that are not zero."""
        exponents = [self.exponent(term) for term in terms]
        common = max(
            (e for t, e in zip(terms, exponents, strict=True) if bool(torch.as_tensor(t).any())),
            default=0,
        )
        aligned: list[Any] = []
        for term, exponent in zip(terms, exponents, strict=True):
            # More than 0 for zeros only, which need the factor for what flows back through them.
            shift = min(exponent - common, ROOM)
            if isinstance(term, Tensor) and term.requires_grad:
                self.lost |= abs(exponent - common) > ROOM
            aligned.append(
                times_power(term, shift) if isinstance(term, Tensor) else math.ldexp(term, shift)
            )
        return aligned, common

    def saturated(self, x: Tensor) -> Tensor:
        """True values of x, cut at ±10³⁰."""
        exponent = self.exponent(x)
        while exponent > 0:
            step = min(exponent, 300)
            x = times_power(x, step).clamp(-_SATURATED, _SATURATED)
            exponent -= step
        return x

    def fitting(self, name: str, x: Tensor, exponent: int) -> Tensor:
        """X · 2^exponent.

        Raises:
            ScoreUndefinedError: it does not fit into float64.
        """
        largest = _largest(x) if exponent and x.numel() else 0.0
        if largest > 0 and math.log2(largest) + exponent > ROOM:
            raise ScoreUndefinedError(
                f"{name} needs values as they are, but here they reach "
                f"2^{math.log2(largest) + exponent:.0f}, beyond float64."
            )
        self.lost |= exponent < -ROOM and x.requires_grad
        return times_power(x, exponent)

    def _true(self, name: str, value: Any) -> Any:  # noqa: ANN401
        """The true values of everything in a nest of tensors."""
        if isinstance(value, Tensor):
            return self.fitting(name, value, self.exponent(value))
        if isinstance(value, list | tuple):
            return [self._true(name, part) for part in value]
        if isinstance(value, dict):
            return {key: self._true(name, part) for key, part in value.items()}
        return value


def times_power(x: Tensor, exponent: int) -> Tensor:
    """X · 2^exponent, in steps that are powers of two of float64 themselves."""
    while exponent:
        step = max(-1000, min(1000, exponent))
        x = x * math.ldexp(1.0, step)
        exponent -= step
    return x


def tensors_in(nest: object) -> Iterator[Tensor]:
    """All tensors in tuples, lists and dictionaries."""
    if isinstance(nest, Tensor):
        yield nest
    elif isinstance(nest, Mapping):
        for part in nest.values():
            yield from tensors_in(part)
    elif isinstance(nest, list | tuple):
        for part in nest:
            yield from tensors_in(part)


def _name_of(func: Callable[..., Any]) -> str:
    name = getattr(func, "__name__", str(func))
    if name != "__get__":
        return name
    attribute = getattr(getattr(func, "__self__", None), "__name__", "")
    return "__getitem__" if attribute in _PROPERTIES_WITH_VALUES else name


def _asks_for_inplace(name: str, args: Sequence[Any]) -> bool:
    return name in _INPLACE_ARGUMENT and any(arg is True for arg in args[1:])


def _largest(x: Tensor) -> float:
    return float(x.detach().abs().max())
