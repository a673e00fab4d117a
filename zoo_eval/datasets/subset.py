"""Chooses which images of a source make up the dataset."""

import hashlib

import numpy as np

from zoo_eval.datasets.listing import Listing, Record
from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.errors import DatasetError


def choose(listing: Listing, spec: DatasetSpec) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """The chosen records, class by class, and the names of their classes in order.

    Images without labels are chosen as those of one class, and have no classes.

    The same spec chooses the same images of the same listing on every machine: each class is
    drawn with its own generator, seeded by the spec's seed and the class's name. What is drawn
    of a class does not depend on which other classes there are.

    Raises:
        DatasetError: a class that does not exist or has too few images, or fewer than two.
    """
    classes = listing.classes
    left = [record for record in listing.records if record.name not in spec.leave_out]
    if not classes and spec.classes is None:
        return tuple(_draw(left, "", spec)), ()
    if spec.classes is not None:
        wanted, there = set(spec.classes), set(classes)
        unknown = [name for name in spec.classes if name not in there]
        if unknown:
            some = f"{', '.join(classes[:12])}{' …' if len(classes) > 12 else ''}"
            known = f"{len(classes)} classes are {some}" if classes else "images have no labels"
            raise DatasetError(f"{spec.source} has no class {unknown[0]!r}; its {known}.")
        classes = tuple(name for name in classes if name in wanted)
    if len(classes) < 2:
        raise DatasetError(
            f"At least two classes are needed, but {spec.source} gives {len(classes)} "
            f"({', '.join(classes) or 'none'})."
        )
    by_class: dict[str, list[Record]] = {name: [] for name in classes}
    for record in left:
        if record.label in by_class:
            by_class[record.label].append(record)
    chosen: list[Record] = []
    for name, records in by_class.items():
        chosen += _draw(records, name, spec)
    return tuple(chosen), classes


def _draw(records: list[Record], name: str, spec: DatasetSpec) -> list[Record]:
    wanted = spec.images_per_class
    if wanted is None:
        return records
    if wanted < 1:
        raise DatasetError(f"images_per_class = {wanted}, but at least 1 is needed.")
    if len(records) < wanted and not spec.at_most:
        raise DatasetError(
            f"images_per_class = {wanted}, but class {name!r} of {spec.source} has only "
            f"{len(records)} images."
        )
    key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    order = np.random.default_rng([spec.seed, key]).permutation(len(records))
    return [records[i] for i in sorted(order[:wanted])]
