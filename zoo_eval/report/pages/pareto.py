"""Models that no other model beats in accuracy at the same cost or less."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float

from zoo_eval.report.board import SPEED
from zoo_eval.report.frames import Frame
from zoo_eval.report.pages.cells import meaning, number, title
from zoo_eval.report.pages.figure import PageFigure
from zoo_eval.report.pages.links import Links
from zoo_eval.report.pages.plots import Axes, Points, scatter, spans_decades
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.tables import Cell, Column, Row, Table

COSTS = ("params", "macs", SPEED)
_CHEAPER = {
    "params": "with fewer parameters",
    "macs": "with fewer multiply-accumulates",
    SPEED: "at more images a second, as measured here",
}


def front(
    cost: Float[np.ndarray, " n"], accuracy: Float[np.ndarray, " n"]
) -> Bool[np.ndarray, " n"]:
    """Which models are on the front: nothing is cheaper and as accurate, or as cheap and better.

    Args:
        cost: The less, the better.
        accuracy: The more, the better.

    >>> front(np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.4, 0.6])).tolist()
    [True, False, True]
    """
    order = np.lexsort((-accuracy, cost))
    best_before = np.concatenate([[-np.inf], np.maximum.accumulate(accuracy[order])[:-1]])
    kept = np.zeros(len(cost), bool)
    kept[order] = accuracy[order] > best_before
    # Twins, as cheap and as accurate as each other, are both on the front.
    places = {(c, a) for c, a in zip(cost[kept].tolist(), accuracy[kept].tolist(), strict=True)}
    return np.array([p in places for p in zip(cost.tolist(), accuracy.tolist(), strict=True)], bool)


def fronts(zoo: Zoo, board: Frame, links: Links) -> list[tuple[PageFigure, Table]]:
    """A figure and a table for each cost that two models or more have, among those of a view."""
    found: list[tuple[PageFigure, Table]] = []
    for cost in COSTS:
        if not zoo.truth or cost not in board:
            continue
        known = board[board[cost].notna() & board[zoo.truth].notna()]
        if len(known) > 1:
            found.append(_front(zoo, known, cost, links))
    return found


def _front(zoo: Zoo, known: Frame, cost: str, links: Links) -> tuple[PageFigure, Table]:
    x, y = (known[name].to_numpy(np.float64) for name in (cost, zoo.truth))
    chosen = front(-x if cost == SPEED else x, y)
    names = known.index.astype(str).to_numpy()
    order = np.argsort(x[chosen], kind="stable")
    best = names[chosen][order].tolist()
    on_front = Points("on the front", x[chosen][order], y[chosen][order], best)
    rest = Points("others", x[~chosen], y[~chosen], names[~chosen].tolist())
    axes = Axes(title(cost), zoo.truth, spans_decades(x))
    what = f"{zoo.truth} against {title(cost)}"
    figure = PageFigure(
        f"front-{cost.replace('_', '-')}",
        what,
        f"{int(chosen.sum())} of {len(known):,} models are on the front: no other is as accurate "
        f"{_CHEAPER[cost]}.",
        scatter([rest, on_front], axes, steps="vh" if cost == SPEED else "hv"),
    )
    return figure, _table(zoo, known[chosen].sort_values(cost), cost, what, links)


def _table(zoo: Zoo, rows: Frame, cost: str, what: str, links: Links) -> Table:
    columns = (
        Column("Model", numeric=False),
        Column(title(cost), meaning(zoo, cost)),
        Column(zoo.truth, "accuracy"),
    )
    values: Sequence[tuple[float, float]] = rows[[cost, zoo.truth]].to_numpy().tolist()
    lines = tuple(
        Row(
            (
                Cell(str(model), href=links.model(str(model))),
                number(zoo, cost, a),
                number(zoo, zoo.truth, b),
            )
        )
        for model, (a, b) in zip(rows.index, values, strict=True)
    )
    name = f"on-front-{cost.replace('_', '-')}"
    return Table(name, f"On the front of {what}", columns, lines)
