"""What a score's docstring says about it."""

import inspect
from collections.abc import Callable
from typing import Any


def summary(function: Callable[..., Any]) -> str:
    """First line of the docstring."""
    return (inspect.getdoc(function) or "").partition("\n")[0]


def references(function: Callable[..., Any]) -> list[str]:
    """Entries of the docstring's References, each on one line."""
    text = inspect.getdoc(function) or ""
    section = text.partition("References:\n")[2].partition("\n\n")[0]
    entries: list[str] = []
    for line in filter(None, map(str.strip, section.splitlines())):
        if entries and not _is_whole(entries[-1]):
            entries[-1] += f" {line}"
        else:
            entries.append(line)
    return entries


def _is_whole(entry: str) -> bool:
    """Whether an entry is at its end: a full stop, or an address without a comma."""
    return entry.endswith(".") or (entry.split()[-1].startswith("http") and entry[-1] != ",")
