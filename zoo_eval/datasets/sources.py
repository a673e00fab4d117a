"""Lists the labelled images of a source, without decoding them.

Folders and WebDataset shards are listed by timm's own readers, so that whatever timm accepts
is accepted here; a Parquet file is read by its image and label columns.
"""

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.errors import DatasetError
from zoo_eval.models.torchvision_ops import ensure_torchvision

BUILTIN = {"fashion": "fashion.parquet"}
# The numbers in the builtin file stand for these, in Fashion-MNIST's own order.
FASHION_CLASSES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


@dataclass(frozen=True)
class Record:
    """A labelled image that has not been decoded yet."""

    name: str
    label: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Listing:
    """All labelled images of a source, and its classes in the order of their ids."""

    records: tuple[Record, ...]
    classes: tuple[str, ...]


def list_source(spec: DatasetSpec) -> Listing:
    """List the images of a builtin dataset, folder, Parquet file or WebDataset folder.

    Raises:
        DatasetError: there is no such source, or it holds no labelled image.
    """
    if spec.source in BUILTIN:
        builtin = files("zoo_eval.datasets").joinpath(BUILTIN[spec.source])
        with builtin.open("rb") as file:
            table = pyarrow.parquet.read_table(file)
        records = _records_of(table, "image", "label", FASHION_CLASSES)
        return Listing(records, FASHION_CLASSES)
    path = Path(spec.source)
    if path.is_file() and path.suffix == ".parquet":
        return _list_parquet(path, spec)
    if path.is_dir():
        return _list_shards(path) if any(path.glob("*.tar")) else _list_folder(path)
    raise DatasetError(
        f"There is no dataset {spec.source!r}: it is neither builtin ({', '.join(BUILTIN)}), nor "
        "a folder with one folder per class, nor a .parquet file, nor a folder of .tar shards."
    )


def _list_folder(path: Path) -> Listing:
    ensure_torchvision()
    from timm.data.readers.reader_image_folder import find_images_and_targets

    if not any(child.is_dir() for child in path.iterdir()):
        raise DatasetError(
            f"{path} holds no folder. Images are needed in one folder per class: "
            f"{path}/CLASS/IMAGE.jpg."
        )
    pairs, class_to_index = find_images_and_targets(str(path))
    if not pairs:
        raise DatasetError(f"{path} has {len(class_to_index)} folders, but no image in them.")
    names = {index: name for name, index in class_to_index.items()}
    records = tuple(
        Record(str(Path(file).relative_to(path)), names[target], Path(file).read_bytes)
        for file, target in pairs
    )
    return Listing(records, tuple(names[index] for index in sorted(names)))


def _list_parquet(path: Path, spec: DatasetSpec) -> Listing:
    try:
        table = pyarrow.parquet.read_table(path)
    except (OSError, pyarrow.ArrowException) as error:
        raise DatasetError(f"{path} is not a readable Parquet file: {error}") from error
    for column in (spec.image_column, spec.label_column):
        if column not in table.column_names:
            raise DatasetError(
                f"{path} has no column {column!r}, only {', '.join(table.column_names)}. "
                "Name them with image_column and label_column."
            )
    records = _records_of(table, spec.image_column, spec.label_column, None)
    return Listing(records, _sorted_classes(records))


def _records_of(
    table: Any,  # noqa: ANN401  # pyarrow.Table: pyarrow ships no types
    image: str,
    label: str,
    names: tuple[str, ...] | None,
) -> tuple[Record, ...]:
    def constant(content: bytes) -> Callable[[], bytes]:
        return lambda: content

    records: list[Record] = []
    pairs = zip(table[image].to_pylist(), table[label].to_pylist(), strict=True)
    for row, (cell, target) in enumerate(pairs):
        # Hugging Face writes images as {"bytes": …, "path": …}.
        content: Any = cell.get("bytes") if isinstance(cell, dict) else cell
        if not isinstance(content, bytes):
            raise DatasetError(
                f"Row {row} of column {image!r} holds {type(content).__name__}; encoded images "
                "(bytes) are needed."
            )
        records.append(
            Record(f"row {row}", names[target] if names else str(target), constant(content))
        )
    return tuple(records)


def _list_shards(path: Path) -> Listing:
    try:
        webdataset_module: Any = importlib.import_module("webdataset")
    except ImportError as error:
        raise DatasetError(
            f"{path} holds .tar shards; `pip install zoo-eval[webdataset]` reads them."
        ) from error
    shards = [str(shard) for shard in sorted(path.glob("*.tar"))]
    records: list[Record] = []
    # `.decode()` is left out on purpose: it could unpickle what a shard contains.
    for sample in webdataset_module.WebDataset(shards, shardshuffle=False, empty_check=False):
        image = next((sample[k] for k in ("jpg", "jpeg", "png", "webp") if k in sample), None)
        label = next((sample[k] for k in ("cls", "txt") if k in sample), None)
        if isinstance(image, bytes) and isinstance(label, bytes):
            name = f"{Path(str(sample['__url__'])).name}:{sample['__key__']}"
            records.append(Record(name, label.decode().strip(), (lambda x: lambda: x)(image)))
    if not records:
        raise DatasetError(f"{path}: its {len(shards)} shards hold no pair of image and .cls file.")
    return Listing(tuple(records), _sorted_classes(records))


def _sorted_classes(records: "tuple[Record, ...] | list[Record]") -> tuple[str, ...]:
    labels = {record.label for record in records}
    # Numbers in the order of numbers, so that class 10 does not come before class 2.
    return tuple(sorted(labels, key=lambda text: (not text.isdigit(), text.zfill(20))))
