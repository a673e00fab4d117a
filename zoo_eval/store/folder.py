"""A folder whose files are whole or not there, on a disk or wherever fsspec can write."""

import os
import uuid
from collections.abc import Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.local import LocalFileSystem

from zoo_eval.errors import ArrayError
from zoo_eval.unfinished import PREFIX, abandoned, sweep, workspace

# Where there are no locks, what is older than this has no writer any more.
_LONGEST_WRITE = timedelta(days=1)


@dataclass(frozen=True)
class Folder:
    """A folder of files.

    Attributes:
        location: A path or a URL: `kept/`, `s3://bucket/kept`.
    """

    location: str

    def path(self, file: str) -> str:
        """How messages name a file."""
        return f"{self.location.rstrip('/')}/{file}"

    def read(self, file: str) -> bytes:
        """All of a file.

        Raises:
            ArrayError: it is missing, or cannot be read.
        """
        files, root = self._open()
        with self._explained("read"):
            try:
                return files.cat_file(f"{root}/{file}")
            except FileNotFoundError as error:
                raise ArrayError(f"{self.path(file)} is missing.") from error

    def put(self, file: str, content: bytes) -> None:
        """Write a file whole or not at all, in place of the one that has its name.

        Raises:
            ArrayError: the folder cannot be written, or its disk is full.
        """
        files, root = self._open()
        with self._explained("written"):
            files.makedirs(root, exist_ok=True)
            if isinstance(files, LocalFileSystem):
                with workspace(Path(root)) as folder:
                    with (folder / file).open("wb") as opened:
                        opened.write(content)
                        opened.flush()
                        os.fsync(opened.fileno())
                    (folder / file).replace(Path(root) / file)
                return
            unfinished = f"{root}/{PREFIX}{uuid.uuid4().hex}"
            try:
                files.pipe_file(unfinished, content)
                files.mv(unfinished, f"{root}/{file}")
            finally:
                if files.exists(unfinished):
                    files.rm_file(unfinished)

    def finished(self) -> list[str]:
        """Names of all files that were written whole.

        Raises:
            ArrayError: the folder cannot be read.
        """
        return [name for name in self._names() if not name.startswith(PREFIX)]

    def abandoned(self) -> list[str]:
        """Names of what writers that live no more left.

        Raises:
            ArrayError: the folder cannot be read.
        """
        files, root = self._open()
        begun = [name for name in self._names() if name.startswith(PREFIX)]
        with self._explained("read"):
            if isinstance(files, LocalFileSystem):
                return [path.name for path in abandoned(Path(root))] if begun else []
            too_old = datetime.now(UTC) - _LONGEST_WRITE
            return [name for name in begun if files.modified(f"{root}/{name}") < too_old]

    def drop(self, names: Iterable[str]) -> None:
        """Remove files, and what writers that live no more left.

        Raises:
            ArrayError: one cannot be removed.
        """
        files, root = self._open()
        with self._explained("written"):
            if isinstance(files, LocalFileSystem):
                sweep(Path(root))
            for name in names:
                if files.exists(f"{root}/{name}"):
                    files.rm_file(f"{root}/{name}")

    def _names(self) -> list[str]:
        files, root = self._open()
        with self._explained("read"):
            if not files.isdir(root):
                return []
            return sorted(str(path).rsplit("/", 1)[-1] for path in files.ls(root, detail=False))

    def _open(self) -> tuple[Any, str]:  # fsspec ships no types
        try:
            files, root = fsspec.url_to_fs(self.location)
        except (ImportError, ValueError) as error:
            raise ArrayError(f"Arrays cannot be kept in {self.location}: {error}") from error
        return files, root.rstrip("/")

    @contextmanager
    def _explained(self, verb: str) -> Generator[None]:
        try:
            yield
        except ArrayError:
            raise
        except Exception as error:  # each file system of fsspec raises errors of its own
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise ArrayError(f"Arrays in {self.location} cannot be {verb}: {reason}") from error
