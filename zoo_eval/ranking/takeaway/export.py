"""Writes a network's fitted probe as a folder that `load_probe` predicts from, anywhere."""

import hashlib
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from jaxtyping import Shaped
from PIL import Image

import zoo_eval
from zoo_eval.datasets import Dataset
from zoo_eval.datasets.preprocessing import preprocessing_of
from zoo_eval.errors import ProbeError
from zoo_eval.manifest import ModelLine
from zoo_eval.models.published.cached import locate
from zoo_eval.models.weights import weights_path
from zoo_eval.ranking.takeaway.exported import (
    JSON,
    TENSORS,
    ModelTable,
    ProbeTable,
    probe_bytes,
)
from zoo_eval.ranking.takeaway.network import Network
from zoo_eval.ranking.takeaway.probe import FittedProbe, fit_probe
from zoo_eval.ranking.takeaway.snippet import readme
from zoo_eval.unfinished import workspace


def export_probe(
    line: ModelLine,
    dataset: Dataset,
    folder: str | Path,
    *,
    embeddings: Shaped[np.ndarray, "n d"] | None = None,
    device: str = "auto",
    on_image: Callable[[int, int], None] = lambda done, of: None,
) -> FittedProbe:
    """Fit a linear probe on a network's embeddings and write all that predicting needs.

    The folder holds `probe.json`, `probe.safetensors`, a README, and the network's weights if a
    manifest keeps them in a file of its own; weights from the hub or a package are named with
    their digest and fetched when they are first needed.

    Args:
        line: The network.
        dataset: The labelled images to fit on.
        folder: A new one.
        embeddings: Of these images by this network, if they are kept; else they are computed.
        device: Where they are computed.
        on_image: Called with the number of images done and of all, while they are.

    Raises:
        ProbeError: the images have no labels, or the folder exists or cannot be written.
        ModelError: the network cannot be built; or its weights are not there.
    """
    folder = Path(folder)
    if not dataset.labelled:
        raise ProbeError(
            f"A probe is fitted on labels, but the images of {dataset.name} have none."
        )
    if folder.exists():
        raise ProbeError(f"{folder} exists already. Name a folder that is to be made.")
    preprocessing = preprocessing_of(line)
    if embeddings is None:
        embeddings = _embeddings(line, dataset, device, on_image)
    if len(embeddings) != len(dataset):
        raise ProbeError(
            f"{dataset.label} has {len(dataset)} images, but there are embeddings of "
            f"{len(embeddings)}."
        )
    fitted = fit_probe(embeddings, np.asarray(dataset.labels, dtype=np.int64), dataset.classes)
    content = probe_bytes(fitted.probe)
    weights = _weights(line)
    table = ProbeTable(
        zoo_eval=zoo_eval.__version__,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        dataset=dataset.label,
        n_images=len(dataset),
        classes=dataset.classes,
        accuracy=fitted.accuracy,
        penalty=fitted.penalty,
        temperature=fitted.temperature,
        model=_model(line, weights),
        preprocessing=preprocessing,
        probe_sha256=hashlib.sha256(content).hexdigest(),
    )
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with workspace(folder.parent) as unfinished:
            whole = unfinished / "probe"
            whole.mkdir()
            (whole / TENSORS).write_bytes(content)
            (whole / JSON).write_text(table.model_dump_json(indent=1), encoding="utf-8")
            (whole / "README.md").write_text(readme(table, folder.name), encoding="utf-8")
            if table.model.weights_file == _copied(weights):
                shutil.copyfile(weights, whole / _copied(weights))
            whole.rename(folder)  # elsewhere first: a folder that has its name is whole
    except OSError as error:
        raise ProbeError(f"{folder} cannot be written: {error.strerror or error}.") from error
    return fitted


def _embeddings(
    line: ModelLine, dataset: Dataset, device: str, on_image: Callable[[int, int], None]
) -> np.ndarray:
    def images() -> Iterator[Image.Image]:
        for place in range(len(dataset)):
            yield dataset[place]
            on_image(place + 1, len(dataset))

    return Network(line, preprocessing_of(line), device).embeddings(images())


def _weights(line: ModelLine) -> Path:
    """The network's weights, which are on this machine: it has computed with them."""
    path = weights_path(line) or locate(line)
    if path is None:
        raise ProbeError(
            f"The weights of {line.model} are not on this machine any more, so their digest cannot "
            "be written down. `zoo-eval fetch` downloads them."
        )
    return path


def _model(line: ModelLine, weights: Path) -> ModelTable:
    file = line.weights_file
    if file is not None and not file.startswith("wheel:"):
        file = _copied(weights)
    with weights.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    if line.weights_sha256 not in (None, digest):
        raise ProbeError(
            f"The weights {weights} are not those that the manifest names and that the embeddings "
            "are of: they changed."
        )
    licence = line.cells.get("licence")
    return ModelTable(
        name=line.model,
        family=line.family,
        arguments=dict(line.arguments),
        label_space=line.label_space,
        weights_file=file,
        weights_sha256=digest,
        licence=None if licence is None else str(licence),
    )


def _copied(weights: Path) -> str:
    """Name of a copy of the weights in the folder."""
    return f"network{weights.suffix}"
