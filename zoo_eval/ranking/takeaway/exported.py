"""The files of an exported probe: `probe.json`, `probe.safetensors`, and what they must say.

`probe.json` names the network with its preprocessing in full, so that a later manifest or timm
cannot change what is predicted, and the digests of both weights.
"""

import hashlib
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from safetensors import SafetensorError
from safetensors.numpy import load, save

from zoo_eval.datasets.preprocessing import Preprocessing
from zoo_eval.errors import ProbeError
from zoo_eval.manifest import ModelLine
from zoo_eval.ranking.accuracy import Accuracy
from zoo_eval.ranking.takeaway.probe import Probe

JSON, TENSORS = "probe.json", "probe.safetensors"


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ModelTable(_Table):
    """`model`: how to build the network, and which weights it had."""

    name: str
    family: str
    arguments: dict[str, Any]
    label_space: str
    weights_file: str | None
    weights_sha256: str
    licence: str | None


class ProbeTable(_Table):
    """The whole of `probe.json`."""

    format: Literal[1] = 1
    zoo_eval: str
    created: str
    dataset: str
    n_images: int
    classes: Annotated[tuple[str, ...], Field(min_length=2)]
    accuracy: Accuracy
    penalty: float
    temperature: float
    model: ModelTable
    preprocessing: Preprocessing
    probe_sha256: str

    def line(self, folder: Path) -> ModelLine:
        """The network, as a line of a manifest would say it."""
        model = self.model
        return ModelLine(
            model=model.name,
            family=model.family,
            arguments=model.arguments,
            label_space=model.label_space,
            image_size=self.preprocessing.image_size,
            crop=self.preprocessing.crop,
            interpolation=self.preprocessing.interpolation,
            mean=self.preprocessing.mean,
            std=self.preprocessing.std,
            weights_file=model.weights_file,
            weights_sha256=model.weights_sha256,
            folder=folder,
            cells={"licence": model.licence},
        )


def probe_bytes(probe: Probe) -> bytes:
    """The probe's tensors, in float32, as `probe.safetensors` holds them."""
    return save({"weight": probe.weight.astype(np.float32), "bias": probe.bias.astype(np.float32)})


def read_exported(folder: Path) -> tuple[ProbeTable, Probe]:
    """What `export_probe` wrote.

    Raises:
        ProbeError: a file is missing, damaged, or of a later format.
    """
    try:
        text = (folder / JSON).read_text(encoding="utf-8")
        content = (folder / TENSORS).read_bytes()
    except (OSError, UnicodeDecodeError) as error:
        raise ProbeError(
            f"{folder} is no exported probe, which is a folder with {JSON} and {TENSORS}: {error}"
        ) from error
    try:
        table = ProbeTable.model_validate_json(text)
    except ValidationError as error:
        problem = error.errors()[0]
        key = ".".join(map(str, problem["loc"])) or "the file"
        raise ProbeError(
            f"{folder / JSON} is not as this version of zoo_eval writes it: {key}: "
            f"{problem['msg']}."
        ) from error
    if hashlib.sha256(content).hexdigest() != table.probe_sha256:
        raise ProbeError(f"{folder / TENSORS} is not as it was written. Export the probe again.")
    try:
        tensors = load(content)
    except SafetensorError as error:
        raise ProbeError(f"{folder / TENSORS} is no safetensors file: {error}") from error
    shapes = {name: tensor.shape for name, tensor in tensors.items()}
    width = shapes.get("weight", (0, 0))[-1]
    n_classes = len(table.classes)
    if shapes != {"weight": (n_classes, width), "bias": (n_classes,)}:
        raise ProbeError(
            f"{folder / TENSORS} should hold a weight of {n_classes} rows and as long a bias, but "
            f"holds {shapes}."
        )
    return table, Probe(tensors["weight"], tensors["bias"], table.classes)
