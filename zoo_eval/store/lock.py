"""Lets one run at a time work on a store, so that no two compute the same."""

from collections.abc import Generator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from zoo_eval.errors import StoreError
from zoo_eval.store.store import Store

PATIENCE_S = 1.0  # for another run that is just ending


@contextmanager
def one_run(store: Store) -> Generator[None]:
    """Hold a store for one run; reports, services and notebooks go on reading it.

    The lock is the operating system's, so that it ends with the process, however that ends.

    Raises:
        StoreError: another run works on the store; says which.
    """
    path = store.path.with_name(f"{store.path.name}.lock")
    lock = FileLock(path, timeout=PATIENCE_S)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    except Timeout as error:
        raise StoreError(
            f"Another run works on {store.path}{_which(store)}. Wait for it, or name another file "
            "with --store; `zoo-eval import` puts the two together later."
        ) from error
    except OSError as error:
        raise StoreError(f"{store.path} cannot be written: {error}") from error
    try:
        store.fold_in_log()
        yield
    finally:
        path.unlink(missing_ok=True)  # while it is held: who opened it before sees that it is gone
        lock.release()


def _which(store: Store) -> str:
    if not store.path.exists():
        return ""
    running = store.sql(
        "SELECT job, host, started FROM runs WHERE state = 'running' ORDER BY rowid DESC LIMIT 1"
    ).to_dict("records")
    if not running:
        return ""
    run = running[0]
    return f": {run['job']} on {run['host']}, since {run['started']:%Y-%m-%d %H:%M} UTC"


def run_in_progress(store: Store) -> bool:
    """Whether a run holds the store now. One that was killed does not."""
    path = store.path.with_name(f"{store.path.name}.lock")
    if not path.exists():
        return False
    lock = FileLock(path, timeout=0)
    try:
        lock.acquire()
    except (Timeout, OSError):
        return True
    path.unlink(missing_ok=True)  # as above; a run that was killed left it
    lock.release()
    return False
