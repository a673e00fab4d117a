"""Checks kept arrays: that each row has its file as it was written, and each file its row."""

from collections.abc import Iterator

from zoo_eval.errors import ArrayError
from zoo_eval.finding import Finding
from zoo_eval.store.arrays import ArrayFolder
from zoo_eval.store.store import Store


def check_arrays(store: Store, folder: ArrayFolder, *, fix: bool = False) -> Iterator[Finding]:
    """Findings about kept arrays.

    Args:
        store: The store.
        folder: Where its arrays are.
        fix: Whether to drop rows without a good file, whose arrays the next run then computes
            again, and files without a row. Not while a run is going, whose newest files have no
            row yet, and not in a folder that several stores share.
    """
    try:
        rows = store.kept_arrays()
        lost: list[str] = []
        reasons: list[str] = []
        for row in rows:
            try:
                folder.content(row)
            except ArrayError as error:
                lost.append(row.file)
                reasons.append(str(error))
        yield _lost(store, len(rows), lost, reasons, fix)
        if fix:
            rows = [row for row in rows if row.file not in lost]
        yield _unreferenced(folder, folder.unreferenced(rows), fix)
    except ArrayError as error:
        yield Finding("files", False, str(error))


def _lost(store: Store, n: int, lost: list[str], reasons: list[str], fix: bool) -> Finding:
    if not lost:
        return Finding("arrays", True, f"{n:,} kept, all as they were written")
    text = f"{len(lost):,} of {n:,} are lost, for example: {reasons[0]}"
    if not fix:
        return Finding("arrays", False, f"{text} --fix drops their rows; a run makes them again.")
    store.forget_arrays(lost)
    return Finding("arrays", True, f"{text} Their rows were dropped; a run makes them again.")


def _unreferenced(folder: ArrayFolder, names: list[str], fix: bool) -> Finding:
    if not names:
        return Finding("files", True, f"{folder.location} holds nothing else")
    text = f"{len(names):,} in {folder.location} belong to no row: {', '.join(names[:5])}"
    text += ", …" if len(names) > 5 else ""
    if not fix:
        return Finding("files", False, f"{text}. --fix drops them.")
    folder.drop(names)
    return Finding("files", True, f"{text}; dropped")
