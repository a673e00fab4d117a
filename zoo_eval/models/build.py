"""From a manifest line to a network, ready to be evaluated."""

import os
from typing import Any

import torch
from torch import nn

from zoo_eval.errors import ModelError, WeightsError
from zoo_eval.manifest import ModelLine
from zoo_eval.models.initial import neutralise
from zoo_eval.models.timm_config import timm_config
from zoo_eval.models.torchvision_ops import ensure_torchvision
from zoo_eval.models.weights import keeps_order, load_into, read_weights, weights_path

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
    from_hub = weights == "pretrained" and line.weights_file is None
    model = _from_hub(line) if from_hub else construct(line, line.architecture, pretrained=False)
    if weights == "pretrained" and not from_hub:
        path = weights_path(line)
        assert path is not None
        state = read_weights(path, line.weights_sha256)
        load_into(model, state, line.model, by_order=keeps_order(path))
    if weights == "init-neutral":
        neutralise(model, torch.Generator().manual_seed(seed))
    return model.eval().requires_grad_(True)


def construct(
    line: ModelLine, name: str, *, pretrained: bool, device: str | None = None
) -> nn.Module:
    """Let timm construct a network for the line's image size, classes and arguments.

    Args:
        line: What to build.
        name: `architecture`, or `architecture.tag` for pretrained weights of the hub.
        pretrained: Whether timm should load weights.
        device: Where to construct it; `meta` gives parameters without contents.

    Raises:
        ModelError: timm does not know the architecture or refuses its arguments.
    """
    ensure_torchvision()
    import timm

    own = dict(line.arguments)
    if device is not None:
        own["device"] = device
    if line.label_space in CLASSES:
        own.setdefault("num_classes", CLASSES[line.label_space])
    if not timm.is_model(line.architecture):
        raise ModelError(
            f"timm {timm.__version__} knows no architecture {line.architecture!r}. "
            "`zoo-eval manifest check` lists the lines that it cannot build."
        )
    for size in _size_arguments(line, name):
        arguments: dict[str, Any] = {**own, **size}
        try:
            return timm.create_model(name, pretrained=pretrained, **arguments)
        except Exception as error:  # unfit arguments make constructors raise nearly anything
            # Only networks with position tables take img_size; the others work at any size.
            if not (size and isinstance(error, TypeError) and "img_size" in str(error)):
                raise _refused(line, error) from error
    raise AssertionError("the last attempt returns or raises")


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


def _from_hub(line: ModelLine) -> nn.Module:
    """Download, or find in the hub's cache, through timm. HF_HUB_OFFLINE is obeyed."""
    try:
        return construct(line, line.timm_name, pretrained=True)
    except ModelError as error:
        if _is_network(error):
            raise _unreachable(line) from error
        raise


def _is_network(error: BaseException) -> bool:
    """Whether a missing network is behind it; the hub's client has many exceptions for that."""
    names = {kind.__name__ for cause in _chain(error) for kind in type(cause).__mro__}
    return bool(
        names
        & {
            "LocalEntryNotFoundError",
            "OfflineModeIsEnabled",
            "HfHubHTTPError",
            "ConnectError",
            "ConnectionError",
            "URLError",
            "gaierror",
            "ConnectTimeout",
            "ProxyError",
        }
    )


def _chain(error: BaseException | None) -> list[BaseException]:
    found: list[BaseException] = []
    while error is not None and error not in found:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found


def _unreachable(line: ModelLine) -> WeightsError:
    offline = " (HF_HUB_OFFLINE is set)" if os.environ.get("HF_HUB_OFFLINE") else ""
    return WeightsError(
        f"The weights of {line.model} are not on this machine and the model hub cannot be "
        f"reached{offline}. Connect once, or fill the hub's cache from another machine."
    )
