"""From a manifest line to a network, ready to be evaluated."""

from pathlib import Path
from typing import Any

import torch
from torch import nn

from zoo_eval.errors import ModelError
from zoo_eval.manifest import ModelLine
from zoo_eval.models.initial import neutralise
from zoo_eval.models.published.cache import WeightsCache
from zoo_eval.models.published.cached import locate
from zoo_eval.models.registered import register_architectures
from zoo_eval.models.timm_config import timm_config
from zoo_eval.models.weights import (
    check_weights,
    keeps_order,
    load_into,
    read_weights,
    weights_path,
)

WEIGHTS = ("pretrained", "init", "init-neutral")
# Every architecture has 1,000 classes, unless its manifest says that it knows another set.
CLASSES = {"imagenet-1k": 1000, "fashion-mnist": 10}


def build_model(line: ModelLine, weights: str, seed: int) -> nn.Module:
    """Construct the network, give it its weights, and put it in eval mode.

    Args:
        line: What to build.
        weights: `pretrained`, `init` or `init-neutral`.
        seed: Of the initialisation; ignored for pretrained weights.

    Raises:
        ModelError: timm does not know the architecture or refuses its arguments.
        WeightsError: the weights are missing, damaged, unsafe or do not fit.
    """
    torch.manual_seed(seed)
    path = weights_path(line) if weights == "pretrained" else None
    published = weights == "pretrained" and path is None
    model = _published(line) if published else construct(line, line.architecture)
    if path is not None:
        state = read_weights(path, line.weights_sha256)
        load_into(model, state, line.model, by_order=keeps_order(path))
    if weights == "init-neutral":
        neutralise(model, torch.Generator().manual_seed(seed))
    return model.eval().requires_grad_(True)


def construct(
    line: ModelLine, name: str, *, weights: Path | None = None, device: str | None = None
) -> nn.Module:
    """Let timm construct a network for the line's image size, classes and arguments.

    Args:
        line: What to build.
        name: `architecture`, or `architecture.tag` for published weights.
        weights: File with weights for timm to load; it then asks no hub.
        device: Where to construct it; `meta` gives parameters without contents.

    Raises:
        ModelError: timm does not know the architecture or refuses its arguments.
    """
    _require_architecture(line)
    import timm

    own = dict(line.arguments)
    if weights is not None:
        own["pretrained_cfg_overlay"] = {"file": str(weights)}
    if device is not None:
        own["device"] = device
    if line.label_space in CLASSES:
        own.setdefault("num_classes", CLASSES[line.label_space])
    for size in _size_arguments(line, name):
        arguments: dict[str, Any] = {**own, **size}
        try:
            return timm.create_model(name, pretrained=weights is not None, **arguments)
        except Exception as error:  # unfit arguments make constructors raise nearly anything
            # Only networks with position tables take img_size; the others work at any size.
            if not (size and isinstance(error, TypeError) and "img_size" in str(error)):
                raise _refused(line, error) from error
    raise AssertionError("the last attempt returns or raises")


def _require_architecture(line: ModelLine) -> None:
    register_architectures()
    import timm

    if not timm.is_model(line.architecture):
        raise ModelError(
            f"timm {timm.__version__} knows no architecture {line.architecture!r}, and no package "
            "adds it. "
            "`zoo-eval manifest check` lists the lines that it cannot build."
        )


def _size_arguments(line: ModelLine, name: str) -> tuple[dict[str, int], ...]:
    """Arguments that tell a network its image size, to be tried in turn."""
    if "img_size" in line.arguments or not _size_differs(line, name):
        return ({},)
    return ({"img_size": line.image_size}, {})


def _size_differs(line: ModelLine, name: str) -> bool:
    """Whether timm would construct the network for another image size than the manifest's."""
    config = timm_config(name)
    return config is not None and config.input_size[-1] != line.image_size


def _refused(line: ModelLine, error: Exception) -> ModelError:
    reason = str(error).partition("\n")[0]
    return ModelError(f"timm cannot construct {line.model} with {dict(line.arguments)}: {reason}")


def _published(line: ModelLine) -> nn.Module:
    """With the published weights; downloaded first if they are not on this machine."""
    _require_architecture(line)
    path = locate(line)
    if path is None:
        with WeightsCache() as cache:
            path = cache.hold(line)
    check_weights(path)
    return construct(line, line.timm_name, weights=path)
