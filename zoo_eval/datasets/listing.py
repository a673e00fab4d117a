"""What a source holds, before any image is decoded."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Record:
    """An image that has not been decoded yet; its label is empty in a source without labels."""

    name: str
    label: str
    read: Callable[[], bytes]


@dataclass(frozen=True)
class Listing:
    """All images of a source.

    Attributes:
        records: The images.
        classes: Names in the order of their ids; none if the source has no labels.
        unusable: What the source names but does not have, such as rows without a label, with
            the reason.
    """

    records: tuple[Record, ...]
    classes: tuple[str, ...]
    unusable: tuple[tuple[str, str], ...] = ()


def content_of(file: str) -> bytes:
    """The bytes of a file.

    Raises:
        OSError: it cannot be read, or is a pipe or device, which may never end.
    """
    path = Path(file)
    if path.exists() and not path.is_file():
        raise OSError("it is no regular file")
    return path.read_bytes()


def constant(content: bytes) -> Callable[[], bytes]:
    """Reads what is in memory already."""
    return lambda: content


def sorted_classes(records: Iterable[Record]) -> tuple[str, ...]:
    """Numbers in the order of numbers, so that class 10 comes after class 2; then names."""

    def key(text: str) -> tuple[bool, int, str]:
        is_number = text.isdecimal()
        return not is_number, int(text) if is_number else 0, text

    return tuple(sorted({record.label for record in records}, key=key))
