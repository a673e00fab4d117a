"""The card of one model: what it bears, and who would help it."""

import json
import math
from collections.abc import Callable
from dataclasses import dataclass

from zoo_eval.report import formats
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.tables import Cell, Column, Row, Table
from zoo_eval.report.typography import minus


@dataclass(frozen=True)
class _Question:
    """A line of the card: a score that is a tolerance, and its value in words."""

    score: str
    asked: str
    answer: Callable[[float], str]


def _bits(value: float) -> str:
    if value >= 32:
        return "32: even 6 bits cost more"
    return f"{value:.0f} {'bit' if value == 1 else 'bits'} per weight, by codebooks"


def _share(value: float) -> str:
    if value == 0:
        return "none: even 10 % of the weights are too many"
    return f"{100 * value:.0f} % of the weights, the smallest"


def _quality(value: float) -> str:
    return "none: even quality 95 costs more" if value > 100 else f"quality {value:.0f} or more"


def _blocks(value: float) -> str:
    if value == 0:
        return "none: even one block is too many"
    return f"{value:.0f} {'block' if value == 1 else 'blocks'}"


_QUESTIONS = (
    _Question("codebook_tolerance", "How few bits may weights have?", _bits),
    _Question("pruning_tolerance", "How many weights may be zero?", _share),
    _Question("jpeg_tolerance", "How compressed may images be?", _quality),
    _Question("removal_tolerance", "How many layers may be left out?", _blocks),
)


def what_if(zoo: Zoo, name: str, links: Links) -> Table | None:
    """The card; None if nothing of it is stored.

    Each tolerance is that of agreement: the most likely class of more than 99 % of the images
    stays what it was, without any training.
    """
    rows = [row for asked in _QUESTIONS if (row := _tolerance(zoo, name, asked, links))]
    pair = _partner(zoo, name, links)
    if not rows and not pair:
        return None
    columns = (Column("What if", numeric=False), Column("Answer", numeric=False))
    caption = "So that more than 99 % of the answers stay the same, without training"
    return Table(
        "what-if",
        caption if rows else "Together with another model",
        columns,
        (*rows, *pair),
        sortable=False,
    )


def _tolerance(zoo: Zoo, name: str, asked: _Question, links: Links) -> Row | None:
    for label in _labels(zoo, asked.score):
        value = float(zoo.data.scores.at[name, label])
        if not math.isnan(value):
            return Row((Cell(asked.asked, href=links.score(label)), Cell(asked.answer(value))))
    return None


def _labels(zoo: Zoo, score: str) -> list[str]:
    """Its columns that tell of agreement, not of a control, with trained weights."""
    columns = zoo.data.columns
    rows = columns[(columns["score"] == score) & (columns["weights"] == "pretrained")]
    found: list[str] = []
    for label, options in rows["options"].items():
        given = json.loads(options or "{}")
        if given.get("measure") == "agreement" and not given.get("control"):
            found.append(str(label))
    return found


def _partner(zoo: Zoo, name: str, links: Links) -> list[Row]:
    found = zoo.ensembles
    if found is None or found.why_none or name not in found.partners.index:
        return []
    line = found.partners.loc[name]
    partner, href = str(line["partner"]), links.ensembles()
    gain, low, high = (f"{100 * line[end]:+.1f}" for end in ("gain", "low", "high"))
    worth = f"{gain} points ({low} to {high}), right on {formats.share(line['together'])}"
    return [
        Row((Cell("Who helps it most?", href=href), Cell(partner, href=links.model(partner)))),
        Row((Cell("What do they gain over the better one?", href=href), Cell(minus(worth)))),
    ]
