"""Chooses which images of a source make up the dataset."""

import hashlib

import numpy as np

from zoo_eval.datasets.sources import Listing, Record
from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.errors import DatasetError


def choose(listing: Listing, spec: DatasetSpec) -> tuple[tuple[Record, ...], tuple[str, ...]]:
    """The chosen records, class by class, and the names of their classes in order.

    The same spec chooses the same images of the same listing on every machine: each class is
    drawn with its own generator, seeded by the spec's seed and the class's name. What is drawn
    of a class does not depend on which other classes there are.

    Raises:
        DatasetError: a class that does not exist or has too few images, or fewer than two.
    """
    classes = listing.classes
    if spec.classes is not None:
        unknown = [name for name in spec.classes if name not in classes]
        if unknown:
            raise DatasetError(
                f"{spec.source} has no class {unknown[0]!r}; its {len(classes)} classes are "
                f"{', '.join(classes[:12])}{' …' if len(classes) > 12 else ''}."
            )
        classes = tuple(name for name in classes if name in spec.classes)
    if len(classes) < 2:
        raise DatasetError(
            f"At least two classes are needed, but {spec.source} gives {len(classes)} "
            f"({', '.join(classes) or 'none'})."
        )
    by_class: dict[str, list[Record]] = {name: [] for name in classes}
    for record in listing.records:
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
