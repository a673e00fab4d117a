"""Where the manifests, jobs and data that come with zoo_eval lie."""

from pathlib import Path

_PACKAGE = Path(__file__).parent
# A wheel carries the folders inside the package; a checkout has them beside it.
_ROOT = _PACKAGE / "_data" if (_PACKAGE / "_data").is_dir() else _PACKAGE.parent


def builtin_manifests() -> dict[str, Path]:
    """Name → CSV file of every manifest that comes with zoo_eval."""
    folder = _ROOT / "manifests"
    found = {path.stem: path for path in folder.glob("*.csv")}
    found |= {path.parent.name: path for path in folder.glob("*/manifest.csv")}
    return dict(sorted(found.items()))


def builtin_jobs() -> dict[str, Path]:
    """Name → TOML file of every job that comes with zoo_eval."""
    return {path.stem: path for path in sorted((_ROOT / "jobs").glob("*.toml"))}
