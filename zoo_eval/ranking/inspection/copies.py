"""Groups of images that show the same, and what is suspicious about them."""

from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import PurePosixPath

import numpy as np

from zoo_eval.datasets.listing import Record
from zoo_eval.ranking.inspection.findings import Copies
from zoo_eval.ranking.inspection.image import Seen
from zoo_eval.ranking.inspection.near import near_copies

_SPLITS = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
_SPLIT_OF = {name: split for split, names in _SPLITS.items() for name in names}


def split_of(name: str) -> str:
    """`train`, `val` or `test` if a folder of an image is called so; else nothing."""
    folders = PurePosixPath(name).parts[:-1]
    return next((_SPLIT_OF[f.lower()] for f in folders if f.lower() in _SPLIT_OF), "")


def find_copies(records: Sequence[Record], seen: Sequence[Seen]) -> tuple[Copies, ...]:
    """Files that are the same, then images that show nearly the same, each in listed order.

    A group of near copies holds at least two different files, and all copies of them.
    """
    same: dict[bytes, list[int]] = {}
    for place, image in enumerate(seen):
        same.setdefault(image.digest, []).append(place)
    found = [_copies(records, places, exact=True) for places in same.values() if len(places) > 1]
    if len(same) > 1:
        ones = list(same.values())
        near: dict[int, list[list[int]]] = {}
        groups = near_copies(np.stack([seen[places[0]].thumbnail for places in ones]))
        for group, places in zip(groups.tolist(), ones, strict=True):
            near.setdefault(group, []).append(places)
        for files in near.values():
            if len(files) > 1:
                found.append(_copies(records, sorted(chain(*files)), exact=False))
    return tuple(found)


def _copies(records: Sequence[Record], places: Iterable[int], *, exact: bool) -> Copies:
    some = [records[place] for place in places]
    labels = {record.label: None for record in some if record.label}
    splits = {split: None for record in some if (split := split_of(record.name))}
    return Copies(tuple(record.name for record in some), tuple(labels), tuple(splits), exact)
