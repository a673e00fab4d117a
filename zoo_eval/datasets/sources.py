"""Lists the labelled images of a source, without decoding them.

Folders are listed by timm's own reader, so that whatever timm accepts is accepted here, and
WebDataset shards by webdataset; a Parquet file is read by its image and label columns.
"""

import importlib
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from zoo_eval.apart import apart
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

_MOST_MEMBER_BYTES = 2**30


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
    if not any(child.is_dir() for child in path.iterdir()):
        raise DatasetError(
            f"{path} holds no folder. Images are needed in one folder per class: "
            f"{path}/CLASS/IMAGE.jpg."
        )

    # timm imports torch, of which the process that hands out the work has no need.
    found, classes = apart("timm", _folder_by_timm, str(path))
    records = tuple(
        Record(Path(file).relative_to(path).as_posix(), label, partial(_content, file))
        for file, label in found
    )
    if not records:
        n_folders = sum(child.is_dir() for child in path.iterdir())
        raise DatasetError(f"{path} has {n_folders} folders, but no image in them.")
    return Listing(records, classes)


def _folder_by_timm(path: str) -> tuple[list[tuple[str, str]], tuple[str, ...]]:
    """Images with their labels, and the labels, all in natural order."""
    ensure_torchvision()
    from timm.data.readers.reader_image_folder import find_images_and_targets
    from timm.utils.misc import natural_key

    def key(text: str) -> tuple[list[int | str], str]:
        # timm's natural order leaves ties (1.png and 01.png, cat and Cat), which would fall as
        # the file system or the hash seed has it.
        return natural_key(text), text

    pairs, class_to_index = find_images_and_targets(path)
    names = {index: name for name, index in class_to_index.items()}
    label_of = {file: names[target] for file, target in pairs}
    # An image beside the folders has no label.
    found = [(file, label_of[file]) for file in sorted(label_of, key=key) if label_of[file]]
    return found, tuple(sorted({label for _, label in found}, key=key))


def _content(file: str) -> bytes:
    path = Path(file)
    if path.exists() and not path.is_file():  # a pipe or device may never end
        raise OSError("it is no regular file")
    return path.read_bytes()


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
        if target is None:
            raise DatasetError(f"Row {row} of column {label!r} is empty; a label is needed.")
        records.append(
            Record(f"row {row}", names[target] if names else str(target), _constant(content))
        )
    return tuple(records)


def _list_shards(path: Path) -> Listing:
    try:
        tar_iterators: Any = importlib.import_module("webdataset.tariterators")
    except ImportError as error:
        raise DatasetError(
            f"{path} holds .tar shards; `pip install zoo-eval[webdataset]` reads them."
        ) from error
    shards = sorted(path.glob("*.tar"))
    records: list[Record] = []
    for shard in shards:
        try:
            _refuse_bombs(shard)
            # Only webdataset's grouping is used: its opener would run a name such as `pipe:…`
            # as a command, and its decoder could unpickle what a shard contains.
            with shard.open("rb") as stream:
                files = tar_iterators.tar_file_expander([{"url": shard.name, "stream": stream}])
                records += _samples(tar_iterators.group_by_keys(files), shard.name)
        except (OSError, ValueError, tarfile.TarError) as error:
            raise DatasetError(
                f"{shard} is not a readable WebDataset shard: {error.args[0]}"
            ) from error
    if not records:
        raise DatasetError(f"{path}: its {len(shards)} shards hold no pair of image and .cls file.")
    return Listing(tuple(records), _sorted_classes(records))


def _refuse_bombs(shard: Path) -> None:
    """A tar file can claim members far larger than itself, which would be read into memory."""
    with tarfile.open(shard, "r|*") as members:
        for member in members:
            if member.size > _MOST_MEMBER_BYTES:
                raise DatasetError(
                    f"{shard} holds {member.name} of {member.size:,} bytes; encoded images of at "
                    f"most {_MOST_MEMBER_BYTES:,} are needed."
                )


def _samples(samples: Iterable[dict[str, Any]], shard: str) -> Iterator[Record]:
    for sample in samples:
        image = next((sample[k] for k in ("jpg", "jpeg", "png", "webp") if k in sample), None)
        label = next((sample[k] for k in ("cls", "txt") if k in sample), None)
        if isinstance(image, bytes) and isinstance(label, bytes):
            yield Record(f"{shard}:{sample['__key__']}", label.decode().strip(), _constant(image))


def _constant(content: bytes) -> Callable[[], bytes]:
    return lambda: content


def _sorted_classes(records: Iterable[Record]) -> tuple[str, ...]:
    """Numbers in the order of numbers, so that class 10 comes after class 2; then names."""

    def key(text: str) -> tuple[bool, int, str]:
        is_number = text.isdecimal()
        return not is_number, int(text) if is_number else 0, text

    return tuple(sorted({record.label for record in records}, key=key))
