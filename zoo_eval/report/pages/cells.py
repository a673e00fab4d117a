"""Cells and titles of the pages' tables: numbers as text, each kind in its own way."""

import math
from dataclasses import replace

from zoo_eval.report import formats
from zoo_eval.report.board import SPEED
from zoo_eval.report.collect import BASELINES
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.tables import Cell

_TITLES = {
    SPEED: "images/s",
    "params": "params",
    "macs": "MACs",
    "image_size": "image size",
    "label_space": "label space",
    "trusted": "trust gate",
}
_MEANINGS = {
    "params": "parameters",
    "macs": "multiply-accumulates for one image",
    "activations": "output elements of convolutions and linear layers",
    SPEED: "measured here: images of the dataset over the time of one forward pass with its score",
    "trusted": "accuracy measured here against the published one",
    "image_size": "height and width of the input in pixels",
}


def title(column: str) -> str:
    """What stands above a column."""
    return _TITLES.get(column, column)


def meaning(zoo: Zoo, column: str) -> str:
    """What a column holds, in a few words; empty if its name says so."""
    if column in _MEANINGS:
        return _MEANINGS[column]
    if column in zoo.truths:
        return "accuracy"
    known = zoo.definition(column)
    return known.summary if known else ""


def number(zoo: Zoo, column: str, value: float) -> Cell:
    """A number of a column; an empty cell for NaN."""
    if math.isnan(value):
        return Cell("", value)
    if column in zoo.truths:
        return Cell(formats.fixed(value), value)
    if column in BASELINES:
        return Cell(formats.count(value), value)
    if column == "image_size":
        return Cell(f"{value:.0f}", value)
    if column == SPEED:
        return Cell(formats.count(value) if value >= 1000 else f"{value:.3g}", value)
    return Cell(formats.significant(value), value)


def value_of(zoo: Zoo, column: str, model: str, value: float) -> Cell:
    """A model's number in a column; below an estimate its interval."""
    cell = number(zoo, column, value)
    ends = zoo.data.intervals.get(column)
    if ends is None or model not in ends.index:
        return cell
    low, high = (formats.significant(float(ends.at[model, end])) for end in ("low", "high"))
    return replace(cell, note=f"{low} to {high}")


def rank(place: float, n: int) -> Cell:
    """A rank of so many, `3 of 61`."""
    return Cell("", place) if math.isnan(place) else Cell(f"{place:.0f} of {n}", place)


def percentile(place: float, n: int) -> Cell:
    """Share of the other models that are ranked below; 100 for the best."""
    if math.isnan(place) or n < 2:
        return Cell("")
    share = 100 * (n - place) / (n - 1)
    return Cell(f"{share:.0f}", share)


def text(value: object) -> str:
    """Text of a frame's cell; empty if there is none."""
    missing = value is None or (isinstance(value, float) and math.isnan(value))
    return "" if missing else str(value)
