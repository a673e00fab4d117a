"""Looks at every image of a source once."""

import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path, PurePosixPath

import numpy as np

from zoo_eval.datasets.folders import files_in
from zoo_eval.datasets.listing import Listing, Record
from zoo_eval.datasets.rgb import undisturbed
from zoo_eval.datasets.sources import list_source
from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.executors.cores import usable_cores
from zoo_eval.ranking.inspection.copies import find_copies, split_of
from zoo_eval.ranking.inspection.findings import Inspection, Sizes
from zoo_eval.ranking.inspection.image import Seen, see
from zoo_eval.ranking.inspection.near import blank
from zoo_eval.ranking.inspection.needs import shortages

TINY = 32
LONG = 3.0


def inspect_images(
    source: str | Path | DatasetSpec,
    *,
    on_image: Callable[[int, int], None] = lambda done, of: None,
) -> Inspection:
    """Look at every image: what can be read, what is there twice, what is too little.

    Takes the time of decoding all images once, on all cores, and little memory: an image is
    forgotten as soon as it was looked at. Nothing is written.

    Args:
        source: A folder, a CSV or Parquet file, a builtin name, or a whole choice of images, of
            which only where they are and how they are labelled counts here.
        on_image: Called with the number of images done and of all.

    Raises:
        DatasetError: the source cannot be listed. Images that cannot be read are no error.

    >>> found = inspect_images("fashion")
    >>> found.n_images, found.classes["Bag"], found.unreadable
    (2000, 200, ())
    """
    clock = time.perf_counter()
    spec = source if isinstance(source, DatasetSpec) else DatasetSpec(str(source))
    listing = list_source(spec)
    records: list[Record] = []
    seen: list[Seen] = []
    unreadable: list[tuple[str, str]] = []
    with undisturbed():
        for done, (record, found) in enumerate(_seen(listing.records), 1):
            if isinstance(found, str):
                unreadable.append((record.name, found))
            else:
                records.append(record)
                seen.append(found)
            on_image(done, len(listing.records))
    sizes = Counter(record.label for record in records)
    classes = {name: sizes[name] for name in listing.classes}
    of_folder = Path(spec.source).is_dir() and spec.class_folder != "none" and bool(classes)
    flat = blank(np.stack([image.thumbnail for image in seen])) if seen else []
    return Inspection(
        source=spec.source,
        n_images=len(seen),
        classes=classes,
        class_folder=spec.class_folder if of_folder else "",
        other_parents=_other_parents(listing.records, spec) if of_folder else (),
        splits=_counts(split for record in records if (split := split_of(record.name))),
        formats=_counts(image.format for image in seen),
        modes=_counts(image.mode for image in seen),
        sizes=_sizes(seen),
        unreadable=tuple(unreadable),
        unusable=listing.unusable,
        ignored=_ignored(spec, listing),
        copies=find_copies(records, seen),
        tiny=_named(records, [min(image.size) < TINY for image in seen]),
        long=_named(records, [max(image.size) > LONG * min(image.size) for image in seen]),
        blank=_named(records, flat),
        shortages=shortages(classes),
        seconds=time.perf_counter() - clock,
    )


def _seen(records: Sequence[Record]) -> Iterator[tuple[Record, Seen | str]]:
    """Every image in order; PIL decodes without Python's lock, so threads are enough."""
    n_threads = usable_cores()
    ahead: deque[tuple[Record, Future[Seen | str]]] = deque()
    with ThreadPoolExecutor(n_threads) as threads:
        for record in records:
            ahead.append((record, threads.submit(see, record)))
            # A short queue, so that an interruption does not wait for the whole folder.
            if len(ahead) > 4 * n_threads:
                first, found = ahead.popleft()
                yield first, found.result()
        while ahead:
            first, found = ahead.popleft()
            yield first, found.result()


def _counts(names: Iterator[str]) -> Mapping[str, int]:
    """The commonest first."""
    return dict(Counter(names).most_common())


def _named(records: Sequence[Record], chosen: Sequence[bool] | np.ndarray) -> tuple[str, ...]:
    return tuple(record.name for record, yes in zip(records, chosen, strict=True) if yes)


def _sizes(seen: Sequence[Seen]) -> Sizes | None:
    if not seen:
        return None
    by_area = sorted((image.size for image in seen), key=lambda size: (size[0] * size[1], size))
    return Sizes(by_area[0], by_area[len(by_area) // 2], by_area[-1])


def _ignored(spec: DatasetSpec, listing: Listing) -> Mapping[str, int]:
    """Endings of the files of a folder that were not listed, with a name in place of none."""
    path = Path(spec.source)
    if not path.is_dir() or any(path.glob("*.tar")):
        return {}
    there = Counter(_ending(file) for file in files_in(path))
    there.subtract(_ending(record.name) for record in listing.records)
    return {ending: n for ending, n in there.most_common() if n > 0}


def _ending(file: str) -> str:
    return PurePosixPath(file).suffix.lower() or "without an ending"


def _other_parents(records: Sequence[Record], spec: DatasetSpec) -> tuple[str, ...]:
    """Folders between the source and the class folders that could be the classes themselves."""
    if spec.class_folder != "last":
        return ()
    parents = {PurePosixPath(record.name).parent.parent.as_posix(): None for record in records}
    return tuple(parent for parent in parents if parent != "." and not split_of(f"{parent}/_"))
