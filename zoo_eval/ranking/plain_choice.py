"""What somebody would take who looks at no image: the best published, or the largest."""

from collections.abc import Sequence

from zoo_eval.manifest import ModelLine
from zoo_eval.ranking.answer import PlainChoice, RankedModel
from zoo_eval.ranking.candidates import PUBLISHED, count, published


def plain_choice(lines: Sequence[ModelLine], rows: Sequence[RankedModel]) -> PlainChoice:
    """The best published ImageNet top-1 under the same limits, and where it came in the race.

    Where no network has one, the one with the most parameters.

    Args:
        lines: The candidates.
        rows: The ranking.
    """
    by = PUBLISHED if any(published(line) is not None for line in lines) else "params"

    def worth(line: ModelLine) -> float:
        value = published(line) if by == PUBLISHED else count(line, "params")
        return -1.0 if value is None else float(value)

    model = max(lines, key=worth).model
    row = next((row for row in rows if row.model == model), None)
    if row is None:
        return PlainChoice(model, by, None, None, None)
    return PlainChoice(model, by, row.place, row.accuracy, row.chance_top)
