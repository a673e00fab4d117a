"""What made a report: command, commit, date and versions."""

from dataclasses import dataclass
from datetime import UTC, datetime

from zoo_eval.provenance import git_commit, versions


@dataclass(frozen=True)
class Provenance:
    """What made a report.

    Attributes:
        command: The command line; empty if the report was written from Python.
        written: When, in UTC.
        commit: Git commit of the code; empty if it does not run from a checkout.
        versions: Version of Python and of each package that has a say in the numbers.
    """

    command: str
    written: datetime
    commit: str
    versions: dict[str, str]


def provenance(command: str) -> Provenance:
    """What makes a report here and now."""
    return Provenance(command, datetime.now(UTC), git_commit(), versions())
