"""File systems that are small or cannot be written, where this machine lets a test have them."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest


@contextmanager
def mounted(folder: Path, options: str) -> Iterator[Path]:
    """A file system in memory, or a skipped test."""
    folder.mkdir()
    mount = ("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder))
    try:
        done = subprocess.run(mount, capture_output=True, text=True, check=False)
    except OSError as error:
        pytest.skip(f"this system has no mount: {error}")
    if done.returncode:
        pytest.skip(f"this system allows no mount: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(("umount", str(folder)), check=True)


def make_read_only(disk: Path) -> None:
    """From now on nothing on this file system can be written, by root neither."""
    subprocess.run(("mount", "-o", "remount,ro", str(disk)), check=True)


def fill(disk: Path, *, free: int = 0) -> None:
    """Leave next to nothing free."""
    ballast = disk / "ballast"
    with ballast.open("wb", buffering=0) as file, suppress(OSError):
        while file.write(bytes(4096)):
            pass
    with ballast.open("r+b") as file:
        file.truncate(max(0, ballast.stat().st_size - free))


def empty(disk: Path) -> None:
    """Give the space back."""
    (disk / "ballast").unlink()
