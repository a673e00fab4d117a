"""What a score's docstring says about it."""

import inspect
from collections.abc import Callable
from typing import Any

_INDENT = 4


def summary(function: Callable[..., Any]) -> str:
    """First line of the docstring."""
    return (inspect.getdoc(function) or "").partition("\n")[0]


def references(function: Callable[..., Any]) -> list[str]:
    """Entries of the docstring's References, each on one line."""
    text = inspect.getdoc(function) or ""
    section = text.partition("References:\n")[2].partition("\n\n")[0]
    entries: list[str] = []
    for line in section.splitlines():
        if entries and line.startswith(" " * (_INDENT + 1)):  # goes on with the entry before
            entries[-1] += f" {line.strip()}"
        elif line.strip():
            entries.append(line.strip())
    return entries
