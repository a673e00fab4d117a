"""What a look at the images found."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace

from zoo_eval.datasets.spec import DatasetSpec


@dataclass(frozen=True)
class Copies:
    """Images that show the same.

    Attributes:
        images: Their names.
        labels: Their classes, each once; empty without labels.
        splits: Of `train`, `test` and the like, those whose folders they lie in.
        exact: Whether their files are the same, byte for byte.
    """

    images: tuple[str, ...]
    labels: tuple[str, ...]
    splits: tuple[str, ...]
    exact: bool


@dataclass(frozen=True)
class Sizes:
    """Width and height in pixels, of the smallest, the median and the largest image by area."""

    smallest: tuple[int, int]
    median: tuple[int, int]
    largest: tuple[int, int]


@dataclass(frozen=True)
class Shortage:
    """A score that these images are too few for, or not quite enough.

    Attributes:
        score: Its name.
        why: What it needs, and what there is.
        undefined: Whether it has no value then; else its value is not what it should be.
    """

    score: str
    why: str
    undefined: bool


@dataclass(frozen=True)
class Inspection:
    """What a look at the images found. Nothing in it keeps them from being used.

    Attributes:
        source: Folder, table or builtin name.
        n_images: Images that can be read.
        classes: Readable images of each class, in the classes' order; empty without labels.
        class_folder: Which folder was taken for the class; empty if folders were not asked.
        other_parents: Folders in which class folders lie, but for those called `train` and such.
        splits: Readable images in folders called `train`, `test` and the like.
        formats: Images of each file format.
        modes: Images of each kind of pixels, as PIL calls it: `RGB`, `L` (grey), `CMYK`, …
        sizes: How large the images are; None if none can be read.
        unreadable: Images that cannot be read, with the reason.
        unusable: Rows of a table that name no image or have no label, with the reason.
        ignored: Endings of files that were not taken for images, and how many there are.
        copies: Images that show the same, exact copies first.
        tiny: Images with a side below 32 pixels.
        long: Images more than three times as long as wide, or as wide as long.
        blank: Images of a single colour.
        shortages: Scores that the classes are too small for.
        seconds: What the look took.
    """

    source: str
    n_images: int
    classes: Mapping[str, int]
    class_folder: str
    other_parents: tuple[str, ...]
    splits: Mapping[str, int]
    formats: Mapping[str, int]
    modes: Mapping[str, int]
    sizes: Sizes | None
    unreadable: tuple[tuple[str, str], ...]
    unusable: tuple[tuple[str, str], ...]
    ignored: Mapping[str, int]
    copies: tuple[Copies, ...]
    tiny: tuple[str, ...]
    long: tuple[str, ...]
    blank: tuple[str, ...]
    shortages: tuple[Shortage, ...]
    seconds: float

    @property
    def labelled(self) -> bool:
        """Whether the images have labels."""
        return bool(self.classes)

    def classes_with(self, n: int) -> tuple[str, ...]:
        """The classes that have n or more readable images."""
        return tuple(name for name, size in self.classes.items() if size >= n)

    def usable(self, spec: DatasetSpec) -> DatasetSpec:
        """The same choice without images that cannot be read, and without classes of such alone.

        A draw of a few images of each class would else come upon them.
        """
        classes, there = spec.classes, self.classes_with(1)
        if len(there) < len(self.classes):
            wanted = set(there if classes is None else classes)
            classes = tuple(name for name in there if name in wanted)
        names = spec.leave_out | {name for name, _ in self.unreadable}
        return replace(spec, classes=classes, leave_out=names)

    def to_json(self) -> str:
        """All of it, as a JSON object."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)
