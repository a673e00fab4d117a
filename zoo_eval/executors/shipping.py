"""Sends decoded images to a machine whose cache folder does not have them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from filelock import FileLock

from zoo_eval.cache import cache_folder
from zoo_eval.errors import DatasetError
from zoo_eval.unfinished import workspace

PART_BYTES = 64 * 1024**2
_FILES = ("index.json", "pixels.bin")


def has(decoded: str) -> bool:
    """Whether this machine has the decoded images, or shares the cache folder of one that has.

    Args:
        decoded: Their digest, which names their folder.
    """
    return (cache_folder("decoded") / decoded).is_dir()


def parts_of(decoded: str) -> Iterator[tuple[str, bytes]]:
    """Name of the file and its next bytes, until all files are sent."""
    for name in _FILES:
        with (cache_folder("decoded") / decoded / name).open("rb") as file:
            while part := file.read(PART_BYTES):
                yield name, part


def keep(decoded: str, parts: Iterable[tuple[str, bytes]]) -> None:
    """Write the images that `parts_of` sent; once, if several processes are told to.

    Raises:
        DatasetError: the cache folder cannot be written.
    """
    folder = cache_folder("decoded") / decoded
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_suffix(".lock")):
            if not folder.is_dir():
                _write(folder, parts)
    except OSError as error:
        raise DatasetError(
            f"Decoded images cannot be kept in {folder.parent}: {error}. "
            "ZOO_EVAL_CACHE names another folder."
        ) from error


def _write(folder: Path, parts: Iterable[tuple[str, bytes]]) -> None:
    """Elsewhere first: a folder that has its name is whole."""
    with workspace(folder.parent) as unfinished:
        whole = unfinished / "decoded"
        whole.mkdir()
        for name in _FILES:
            (whole / name).touch()  # no part of an empty file is sent
        for name, part in parts:
            with (whole / name).open("ab") as file:
                file.write(part)
        whole.rename(folder)
