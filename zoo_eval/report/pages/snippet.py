"""How to load a model with timm, as Python to be copied."""

import json
from typing import Any

import pandas as pd

from zoo_eval.report.pages.cells import text

# Classes of the label spaces that zoo_eval's own manifests use, and grey or coloured input.
_CLASSES = {"imagenet-1k": 1000, "fashion-mnist": 10}


def details_of(models: pd.DataFrame, name: str) -> str:
    """Every column of a model's manifest line, as JSON; empty if the store does not have them."""
    return text(models.at[name, "details"]) if "details" in models else ""


def loading_snippet(model: str, details: str) -> str:
    """Python that loads the weights.

    Args:
        model: `architecture.tag`, with `@SIZE` behind it for another image size.
        details: Every column of the manifest line, as JSON.
    """
    try:
        cells: Any = json.loads(details or "{}")
    except ValueError:
        cells = {}
    cells = cells if isinstance(cells, dict) else {}
    imports = f"{_registering(cells)}import timm\n"
    name, _, size = model.partition("@")
    file = cells.get("weights_file")
    if not file:
        sized = f", img_size={int(size)}" if size.isdigit() else ""
        note = "  # leave img_size out where timm refuses it\n" if sized else "\n"
        return f"{imports}\nmodel = timm.create_model({name!r}, pretrained=True{sized}){note}"
    arguments = _arguments(cells)
    architecture = name.partition(".")[0]
    given = [repr(architecture), *(f"{key}={value!r}" for key, value in arguments.items())]
    create = "model = timm.create_model(\n" + "".join(f"    {one},\n" for one in given) + ")\n"
    if str(file).startswith("wheel:"):
        return _from_wheel(str(file).removeprefix("wheel:"), create)
    return (
        f"{imports}from safetensors.torch import load_file\n\n"
        f"{create}# A path below the manifest's folder.\n"
        f"model.load_state_dict(load_file({str(file)!r}))\n"
    )


def _registering(cells: dict[str, Any]) -> str:
    """An import of the module that adds the architecture to timm, if timm does not have it."""
    module = str(cells.get("registered_by") or "")
    named = module and all(part.isidentifier() for part in module.split("."))
    return f"import {module}  # adds the architecture to timm\n" if named else ""


def _from_wheel(package: str, create: str) -> str:
    """Python that loads the one file of weights of a package, as `zoo-eval` does."""
    return (
        "import importlib.util\nfrom pathlib import Path\n\nimport timm\nimport torch\n\n"
        f"{create}# The package's one file has other names for the weights, but the same order.\n"
        f"package = Path(importlib.util.find_spec({package!r}).origin).parent\n"
        '(file,) = (p for p in package.rglob("*") if p.suffix in {".pth", ".pt", ".bin"})\n'
        'weights = torch.load(file, map_location="cpu", weights_only=True)\n'
        "named = dict(zip(model.state_dict(), weights.values(), strict=True))\n"
        "model.load_state_dict(named)\n"
    )


def _arguments(cells: dict[str, Any]) -> dict[str, Any]:
    """Constructor arguments of the manifest, and the number of classes."""
    try:
        own = json.loads(cells.get("arguments") or "{}")
    except (TypeError, ValueError):
        own = {}
    own = {str(key): value for key, value in own.items()} if isinstance(own, dict) else {}
    # Keys that are no names could be anything, also code.
    own = {key: value for key, value in own.items() if key.isidentifier()}
    n_classes = _CLASSES.get(str(cells.get("label_space")))
    return {**own, **({"num_classes": n_classes} if n_classes else {})}
