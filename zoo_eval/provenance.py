"""What makes a result: git commit of the code, and versions of what has a say in the numbers."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = ("zoo-eval", "torch", "torchvision", "timm", "numpy", "scipy", "scikit-learn", "duckdb")


def versions() -> dict[str, str]:
    """Version of Python and of each package; asked of the installer's records, not imported."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def git_commit() -> str:
    """Commit of the checkout that this code runs from; empty if it runs from none."""
    package = Path(__file__).resolve().parent
    git = ["git", "--no-optional-locks", "-C", str(package)]
    try:
        top = _output([*git, "rev-parse", "--show-toplevel"])
        # An installed package may lie below a repository that is not ours.
        if Path(top) / package.name != package:
            return ""
        commit = _output([*git, "rev-parse", "HEAD"])
        changed = _output([*git, "status", "--porcelain", "--", "."])
    except (OSError, subprocess.SubprocessError):
        return ""
    return f"{commit} with changes" if changed else commit


def _output(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=10)
    return done.stdout.strip()
