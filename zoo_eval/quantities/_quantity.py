"""What scores may ask for: the givens, and the quantities computed from them.

A score or a quantity is a function; the names of its positional parameters say what it
needs, as with pytest's fixtures. `GIVENS` are handed in from outside (a module, images,
labels). A *quantity* is computed from givens and other quantities, once, and shared.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from zoo_eval.errors import InputError

F = TypeVar("F", bound=Callable[..., Any])
# In which a network passes images: float32, or bfloat16 by autocast.
Precision = Literal["fp32", "bf16"]

GIVENS: dict[str, str] = {
    "model": "the network, a torch module in eval mode",
    "initial_model": "a freshly initialised network of the same architecture, in eval mode",
    "sibling_model": "a network of the same architecture, in eval mode; None if there is none",
    "input_shape": "(channels, height, width) that the network is fed with",
    "images": "all images of the dataset as this network wants them, in batches",
    "altered_images": "function: from an alteration to all images, altered before they are resized",
    "labels": "class ids, shape (n,), in the order of the images; renumbered from 0",
    "pixels": "the dataset's images at one small size, shape (n, pixels), before any network",
    "probe_images": "a small fixed batch of images, a tensor (n, channels, height, width)",
    "probe_labels": "class ids of the probe images as the network's head counts them, (n,)",
    "head_labels": "class ids as the network's head counts them, (n,); None if it knows others",
    "gradient_precision": "fp32, or bf16 for gradients of single images",
}
# What holds for a given that is not given; the others are needed.
GIVEN_DEFAULTS = {"gradient_precision": "fp32", "head_labels": None}
# What depends on the dataset alone is computed once per dataset, not once per model.
DATASET_GIVENS = frozenset({"labels", "pixels"})


@dataclass(frozen=True)
class Quantity:
    """A named function of givens and other quantities."""

    name: str
    needs: tuple[str, ...]
    function: Callable[..., Any]


QUANTITIES: dict[str, Quantity] = {}


def needs_of(function: Callable[..., Any]) -> tuple[str, ...]:
    """Names of the positional parameters of a function: what it must be given."""
    parameters = inspect.signature(function).parameters.values()
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            raise InputError(
                f"{function.__qualname__} takes *{parameter.name}, but the parameters of a score "
                "or quantity are what it needs, so each must be named."
            )
    return tuple(p.name for p in parameters if p.kind is not p.KEYWORD_ONLY)


def quantity(function: F) -> F:
    """Register a function as the quantity of its own name, and return it unchanged."""
    name = function.__name__
    namesake = QUANTITIES.get(name)
    # A declaration and its definition have one module: see `zoo_eval.declarations`.
    elsewhere = namesake is not None and namesake.function.__module__ != function.__module__
    if elsewhere or name in GIVENS:
        raise InputError(f"There are two quantities called {name!r}; each name has one meaning.")
    QUANTITIES[name] = Quantity(name, needs_of(function), function)
    return function
