"""Lists the images of a folder; the folders that they lie in are their classes."""

import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path, PurePath

from zoo_eval.datasets.listing import Listing, Record, content_of
from zoo_eval.datasets.rgb import extensions
from zoo_eval.datasets.spec import ClassFolder
from zoo_eval.errors import DatasetError


def list_folder(path: Path, class_folder: ClassFolder) -> Listing:
    """The images of a folder and of all folders in it, in natural order.

    Args:
        path: The folder.
        class_folder: Which folder above an image is its class, see `DatasetSpec`.

    Raises:
        DatasetError: a folder cannot be read, or there is no image.
    """
    endings = extensions()
    files = [file for file in files_in(path) if PurePath(file).suffix.lower() in endings]
    found = [(file, _label(file, class_folder)) for file in sorted(files, key=natural_order)]
    in_folders = [(file, label) for file, label in found if label]
    if not in_folders and class_folder != "none":
        _require_flat(path, len(found))
    if not found:
        raise DatasetError(
            f"{path} and the folders in it hold no image. One folder per class is needed, "
            f"{path}/CLASS/IMAGE.jpg, or images without labels beside one another."
        )
    # An image beside the class folders has no label; where none has one, there are no classes.
    found = in_folders or found
    records = tuple(
        Record(_printable(file), _printable(label), partial(content_of, str(path / file)))
        for file, label in found
    )
    labels = {record.label for record in records} - {""}
    return Listing(records, tuple(sorted(labels, key=natural_order)))


def files_in(path: Path) -> Iterator[str]:
    """All files of a folder and of the folders in it, relative to it, in no order.

    Without hidden ones: notebooks and Macs put copies of images there.

    Raises:
        DatasetError: a folder cannot be read.
    """

    def refuse(error: OSError) -> None:
        raise DatasetError(f"{error.filename} cannot be read: {error.strerror}.") from error

    for folder, folders, files in os.walk(path, onerror=refuse, followlinks=True):
        folders[:] = [
            name for name in folders if _seen(name) and not _leads_back(Path(folder, name))
        ]
        for file in filter(_seen, files):
            yield Path(folder, file).relative_to(path).as_posix()


def natural_order(text: str) -> tuple[list[int | str], str]:
    """9.png before 10.png, as timm sorts.

    timm leaves ties (1.png and 01.png, cat and Cat), which would fall as the file system or the
    hash seed has it.
    """
    pieces = re.split(r"(\d+)", text.lower())
    return [int(piece) if piece.isdecimal() else piece for piece in pieces], text


def _seen(name: str) -> bool:
    return not name.startswith(".") and name != "__MACOSX"


def _leads_back(folder: Path) -> bool:
    """Whether a link leads to a folder that it lies in, where images would be found again."""
    return folder.is_symlink() and folder.parent.resolve().is_relative_to(folder.resolve())


def _require_flat(path: Path, n_images: int) -> None:
    """Images without labels are taken where there are no folders that could be classes."""
    n_folders = sum(child.is_dir() and _seen(child.name) for child in path.iterdir())
    if n_folders:
        beside = (
            ""
            if not n_images
            else (
                f" The {n_images} beside them have no label; class_folder = 'none' takes them so."
            )
        )
        raise DatasetError(f"{path} has {n_folders} folders, but no image in them.{beside}")


def _label(file: str, class_folder: ClassFolder) -> str:
    folders = PurePath(file).parts[:-1]
    if not folders or class_folder == "none":
        return ""
    return folders[0] if class_folder == "first" else folders[-1]


def _printable(name: str) -> str:
    """A name whose bytes are no UTF-8 can neither be printed nor stored as Python has it."""
    return os.fsencode(name).decode(errors="backslashreplace")
