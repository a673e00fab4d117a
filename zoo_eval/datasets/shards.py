"""Lists the samples of a folder of WebDataset shards."""

import importlib
import tarfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from zoo_eval.datasets.listing import Listing, Record, constant, sorted_classes
from zoo_eval.errors import DatasetError

_MOST_MEMBER_BYTES = 2**30


def list_shards(path: Path) -> Listing:
    """The pairs of image and label of all shards, in the order of the shards' names.

    Raises:
        DatasetError: webdataset is not installed, or a shard cannot be read, or there is no pair.
    """
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
    return Listing(tuple(records), sorted_classes(records))


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
            yield Record(f"{shard}:{sample['__key__']}", label.decode().strip(), constant(image))
