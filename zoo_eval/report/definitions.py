"""What a score is, as its docstring says."""

import inspect
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoo_eval.scores import PoolScore, Score

_SECTION = re.compile(r"^(Args|Returns|Raises|References):\n", re.MULTILINE)
_EXAMPLE = re.compile(r"^>>> .*", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Definition:
    """A score as its author declared it.

    Attributes:
        name: Of the score.
        group: Folder that it lives in: information, zero_cost, transfer, geometry, weights,
            robustness, initialisation.
        unit: Unit of the value.
        higher_is_better: The literature's claim; None where it makes none.
        low: Smallest possible value.
        high: Largest possible value.
        weights: What networks it is meant for, in words.
        cost: Passes over the images that it takes, in words.
        summary: First line of the docstring: formula or meaning.
        body: The definition's paragraphs.
        returns: What the value means and what leaves it unchanged.
        undefined: When it has no value, or refuses its options.
        references: Papers.
    """

    name: str
    group: str
    unit: str
    higher_is_better: bool | None
    low: float
    high: float
    weights: str
    cost: str
    summary: str
    body: tuple[str, ...]
    returns: str
    undefined: str
    references: tuple[str, ...]

    @property
    def better(self) -> str:
        """Which values the literature calls better."""
        return {True: "higher", False: "lower", None: "not claimed"}[self.higher_is_better]

    @property
    def range(self) -> str:
        """Possible values, in words."""
        ends = (f"{self.low:g}", f"{self.high:g}")
        if math.isinf(self.low) and math.isinf(self.high):
            return "any real number"
        if math.isinf(self.high):
            return f"{ends[0]} or more"
        return f"{ends[1]} or less" if math.isinf(self.low) else f"{ends[0]} to {ends[1]}"


@cache
def definitions() -> Mapping[str, Definition]:
    """Every score and pool score that is installed here, by name."""
    from zoo_eval.scores import POOL_SCORES, SCORES  # imports torch, which takes seconds

    return {name: _definition(score) for name, score in {**SCORES, **POOL_SCORES}.items()}


def _definition(score: "Score | PoolScore") -> Definition:
    text = inspect.cleandoc(score.__doc__ or "")
    parts = _SECTION.split(_EXAMPLE.sub("", text))
    sections = dict(zip(parts[1::2], map(_joined, parts[2::2]), strict=True))
    summary, _, body = parts[0].partition("\n")
    weights: tuple[str, ...] | None = getattr(score, "weights", ("those of its parts",))
    return Definition(
        name=score.name,
        group=score.group,
        unit=score.unit,
        higher_is_better=score.higher_is_better,
        low=score.bounds[0],
        high=score.bounds[1],
        weights=", ".join(weights or ("any",)),
        cost=str(getattr(score, "cost", "that of its parts")),
        summary=summary,
        body=tuple(_joined(block) for block in body.strip().split("\n\n") if block.strip()),
        returns=sections.get("Returns", ""),
        undefined=sections.get("Raises", ""),
        references=tuple(score.references),
    )


def _joined(block: str) -> str:
    """A paragraph on one line; a list or a formula set apart keeps its lines."""
    lines = inspect.cleandoc(block).splitlines()
    set_apart = any(line.startswith(("  ", "* ", "- ")) for line in lines)
    return "\n".join(lines) if set_apart else " ".join(lines)
