"""Manifest lines for tests, parsed as a manifest's own."""

from pathlib import Path

from zoo_eval.manifest import ModelLine
from zoo_eval.manifest.lines import parse_line


def line(model: str, folder: Path = Path("."), **cells: str) -> ModelLine:
    """A line; what a test does not say is as in the fashion zoo."""
    given = {
        "model": model,
        "family": "tests",
        "label_space": "fashion-mnist",
        "image_size": "32",
        "source": "made for a test",
    }
    return parse_line({**given, **cells}, "test", folder)
