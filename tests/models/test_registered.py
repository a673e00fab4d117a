"""A package adds architectures through the entry-point group `zoo_eval.models`."""

import sys
from importlib.metadata import EntryPoint

import pytest

from zoo_eval.errors import InputError
from zoo_eval.models import registered

MODULE = """\
from timm.models import register_model
from torch import nn


@register_model
def {name}(pretrained=False, **arguments):
    return nn.Linear(1, 1)
"""


def register(tmp_path, monkeypatch, module: str, name: str) -> None:
    """As if a package were installed that names this module."""
    (tmp_path / f"{module}.py").write_text(MODULE.format(name=name))
    monkeypatch.syspath_prepend(tmp_path)
    entry_point = EntryPoint("mine", module, registered.GROUP)
    monkeypatch.setattr("zoo_eval.plugins.entry_points", lambda group: [entry_point])
    registered.register_architectures.cache_clear()
    try:
        registered.register_architectures()
    finally:
        registered.register_architectures.cache_clear()
        sys.modules.pop(module, None)


def test_an_architecture_of_a_package_is_one_of_timm(tmp_path, monkeypatch):
    import timm

    register(tmp_path, monkeypatch, "added_networks", "added_by_a_test")
    assert timm.is_model("added_by_a_test")


def test_a_name_that_is_taken_is_refused(tmp_path, monkeypatch):
    with pytest.raises(InputError) as caught:
        register(tmp_path, monkeypatch, "taking_networks", "resnet18")
    assert str(caught.value).startswith(
        "an installed package adds models to zoo_eval, but its entry point 'mine' = "
        "'taking_networks' cannot be loaded: UserWarning: Overwriting resnet18 in registry"
    )
