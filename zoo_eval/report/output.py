"""A folder of files that replaces what an earlier report left in it, and nothing else."""

import errno
import os
from pathlib import Path, PurePosixPath
from types import TracebackType

from zoo_eval.report.replacing import replace_file

LIST = "zoo-eval-files.txt"


class Output:
    """Writes files; at the end those go that an earlier report wrote and this one did not.

    Which these are stands in the folder, in `zoo-eval-files.txt`. A report that failed removes
    nothing, and its list holds what is there of both.

    Args:
        folder: Where to write; made if missing.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written: dict[str, None] = {}

    def __enter__(self) -> "Output":
        """Read the list of an earlier report."""
        if self._folder.is_file():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            lines = (self._folder / LIST).read_text(encoding="utf-8").splitlines()
        except (FileNotFoundError, UnicodeDecodeError):
            lines = []
        self._before = [name for name in lines if _stays_inside(name)]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Remove what is no longer part of the report."""
        del error, trace
        if kind is None:
            for name in self._before:
                if name not in self._written:
                    _remove(self._folder, name)
        else:
            self._written |= dict.fromkeys(self._before)
        listed = "".join(f"{name}\n" for name in self._written)
        replace_file(self._folder / LIST, listed.encode())

    def write(self, name: str, data: bytes) -> Path:
        """Write one file; its path.

        Args:
            name: Path below the folder, with `/`.
            data: Its content.
        """
        file = self._folder / name
        replace_file(file, data)
        self._written[name] = None
        return file


def _stays_inside(name: str) -> bool:
    path = PurePosixPath(name)
    return bool(name) and not path.is_absolute() and ".." not in path.parts


def _remove(folder: Path, name: str) -> None:
    """Remove a file, and its folder if that is now empty; never through a link to elsewhere."""
    file = folder / name
    if not file.parent.resolve().is_relative_to(folder.resolve()) or file.is_dir():
        return
    file.unlink(missing_ok=True)
    if file.parent != folder and file.parent.is_dir() and not any(file.parent.iterdir()):
        file.parent.rmdir()
