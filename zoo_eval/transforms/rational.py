"""Activation functions replaced by the rational functions that come nearest to them."""

import copy
from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from functools import partial

import numpy as np
from torch import Tensor, nn

from zoo_eval.errors import ScoreUndefinedError
from zoo_eval.quantities.activation_patterns import is_activation
from zoo_eval.transforms.group_rational import rational
from zoo_eval.transforms.patched import patched
from zoo_eval.transforms.rational_fit import rational_like
from zoo_eval.transforms.transform import Transform, Variants, as_large

Activation = Callable[[Tensor], Tensor]


def _at(model: nn.Module, images: Iterable[Tensor], level: float) -> Variants:
    rationals = {module: _rational(module, int(level)) for module in _activations(model)}
    rng = np.random.default_rng(0)
    noisy = {
        module: partial(_noisy, module.forward, near, rng) for module, near in rationals.items()
    }
    return Variants(_with_activations(rationals, images), _with_activations(noisy, images))


def _activations(model: nn.Module) -> list[nn.Module]:
    """Modules that are one function of one number.

    Raises:
        ScoreUndefinedError: there is none, or one has a function for each channel.
    """
    found = [module for module in model.modules() if is_activation(module)]
    many = {
        type(module).__name__
        for module in found
        if any(parameter.numel() > 1 for parameter in module.parameters())
    }
    if many or not found:
        raise ScoreUndefinedError(
            "Rational functions stand for activation modules with one function, but "
            f"{type(model).__name__} has {', '.join(sorted(many)) or 'no activation module'}"
            f"{', with one for each channel' if many else ''}."
        )
    return found


def _rational(module: nn.Module, degree: int) -> Activation:
    numerator, denominator = rational_like(copy.deepcopy(module).double(), degree)
    return partial(rational, numerator=numerator, denominator=denominator)


def _noisy(own: Activation, near: Activation, rng: np.random.Generator, x: Tensor) -> Tensor:
    changed = near(x)  # first: what the network has may work in place
    return as_large(own(x), changed, rng, each=True)


@contextmanager
def _with_activations(
    functions: Mapping[nn.Module, Activation], images: Iterable[Tensor]
) -> Generator[Iterable[Tensor], None, None]:
    with patched({(module, "forward"): function for module, function in functions.items()}):
        yield images


# Degrees of the numerator, the denominator's being one less; 6 is the function itself.
RATIONAL = Transform(_at, (5.0, 4.0, 3.0, 2.0, 1.0), none=6.0)
