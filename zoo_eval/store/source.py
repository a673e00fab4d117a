"""What an import reads from: another result file or an export, as a file with today's tables."""

import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from zoo_eval.errors import StoreError
from zoo_eval.store import layout
from zoo_eval.store.arrays import ArrayFolder
from zoo_eval.store.connection import SCHEMA_VERSION, connect, open_as_it_is
from zoo_eval.store.exported import read_tables
from zoo_eval.store.store import Store


@contextmanager
def opened_source(source: Path, into: Path, patience_s: float) -> Generator[Store]:
    """A store to import from. The source itself is never changed.

    Args:
        source: A result file, or a folder that `zoo-eval export parquet` wrote.
        into: The file to import into, which must be another.
        patience_s: How long to wait while another process has the source.

    Raises:
        StoreError: the source is not there, not ours, of a newer zoo_eval, or the same file.
    """
    if not source.exists():
        raise StoreError(f"There is nothing to import: {source} does not exist.")
    if into.exists() and into.samefile(source):
        raise StoreError(f"{source} cannot be imported into itself.")
    with tempfile.TemporaryDirectory(prefix="zoo_eval-import-") as scratch:
        copy = Path(scratch) / "copy.duckdb"
        if source.is_dir():
            read_tables(source, copy)
            yield Store(copy)
            return
        # As long as it is open here, nobody can write to it.
        with open_as_it_is(source, patience_s=patience_s) as (connection, version):
            if version == SCHEMA_VERSION:
                _require_tables(layout.lacks(layout.seen_tables(connection)), source)
                yield Store(source)
                return
            for ending in ("", ".wal"):  # what is not in the file yet comes along
                path = source.with_name(source.name + ending)
                if path.exists():
                    shutil.copyfile(path, f"{copy}{ending}")
        with connect(copy, read_only=False, patience_s=0.0) as connection:
            _require_tables(layout.lacks(layout.seen_tables(connection)), source)
        yield Store(copy)


def arrays_of(source: Path) -> ArrayFolder:
    """Where the kept arrays of a source are by default."""
    return ArrayFolder(str(source / "arrays")) if source.is_dir() else Store(source).arrays


def _require_tables(lacking: list[str], source: Path) -> None:
    if lacking:
        raise StoreError(f"{source} is not whole, so it cannot be imported: {'; '.join(lacking)}.")
