"""Other functions in place of a network's own, for as long as a block lasts."""

from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import nn

# By module and name of the method.
Patches = Mapping[tuple[nn.Module, str], Callable[..., Any]]


@contextmanager
def patched(patches: Patches) -> Generator[None, None, None]:
    """Let modules have other methods within the block; what a module had itself is put back."""
    before = {(module, name): vars(module).get(name) for module, name in patches}
    try:
        for (module, name), function in patches.items():
            vars(module)[name] = function
        yield
    finally:
        for (module, name), function in before.items():
            vars(module).pop(name, None)
            if function is not None:
                vars(module)[name] = function
