"""What made a report: command, commit, date and versions."""

import importlib.metadata
import platform
import subprocess
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import zoo_eval

_PACKAGES = ("zoo-eval", "numpy", "scipy", "pandas", "torch", "timm")


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
    return Provenance(command, datetime.now(UTC), _git_commit(), _versions())


def _versions() -> dict[str, str]:
    versions = {"python": platform.python_version()}
    for package in _PACKAGES:
        # Asked of the installer's records: importing torch for it would take seconds.
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            versions[package] = "not installed"
    return versions


def _git_commit() -> str:
    package = Path(next(iter(zoo_eval.__path__)))
    git = ["git", "--no-optional-locks", "-C", str(package)]
    try:
        top = _output([*git, "rev-parse", "--show-toplevel"])
        # An installed package may lie below a repository that is not ours.
        if Path(top) / package.name != package.resolve():
            return ""
        commit = _output([*git, "rev-parse", "HEAD"])
        changed = _output([*git, "status", "--porcelain", "--", "."])
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"{commit} with changes" if changed else commit


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()
