"""Reads how far a race is that runs in a process of its own."""

from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from zoo_eval.ranking.progress import RaceProgress

_RACE = TypeAdapter(RaceProgress)


def read_race(path: Path) -> RaceProgress | None:
    """What its `ProgressFile` wrote last; None if there is nothing yet, or of another version."""
    try:
        return _RACE.validate_json(path.read_bytes())
    except (FileNotFoundError, ValidationError):
        return None
