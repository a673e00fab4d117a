"""Durations as people write them: `20m`, `1h30m`."""

import re

from zoo_eval.errors import InputError

_PART = re.compile(r"(\d+(?:\.\d+)?)\s*(h|min|m|s)?", re.IGNORECASE)
_SECONDS = {"h": 3600.0, "min": 60.0, "m": 60.0, "s": 1.0, "": 1.0}


def parse_duration(text: str) -> float:
    """Seconds, from hours, minutes and seconds; a number without a unit is seconds.

    Raises:
        InputError: it is no duration, or not above 0.

    >>> parse_duration("1h30m"), parse_duration("90")
    (5400.0, 90.0)
    """
    seconds = sum(float(n) * _SECONDS[unit.lower()] for n, unit in _PART.findall(text))
    if _PART.sub("", text).strip() or seconds <= 0:
        raise InputError(f"A duration such as 20m, 1h30m or 45s is needed, not {text!r}.")
    return seconds


def duration_text(seconds: float) -> str:
    """Seconds as a person says them.

    >>> duration_text(42.3), duration_text(600.0), duration_text(9000.0)
    ('42 s', '10 min', '2.5 h')
    """
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
