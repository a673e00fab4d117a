"""What a check found: `zoo-eval doctor` prints one line of each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One finding; if it is not good, the text says what to do."""

    name: str
    good: bool
    text: str
