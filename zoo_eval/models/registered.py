"""Architectures that timm does not have, added by installed packages.

A package names a module in the entry-point group `zoo_eval.models`; that module registers
constructors with `timm.models.register_model` when it is imported. zoo_eval's own additions come
the same way. From then on they are timm's architectures like any other.
"""

import warnings
from functools import cache

from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.plugins import plugins

GROUP = "zoo_eval.models"


@cache
def register_architectures() -> None:
    """Register the architectures of installed packages with timm, once in a process.

    Raises:
        InputError: a package cannot be loaded, or has an architecture of a name that is taken.
        ModelError: torchvision, which timm needs, cannot be imported.
    """
    ensure_torchvision()
    with warnings.catch_warnings():
        # timm lets the later one win and warns; results would depend on what is installed.
        warnings.filterwarnings("error", message="Overwriting .* in registry")
        for _ in plugins(GROUP):
            pass
