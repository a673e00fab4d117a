"""From what the rounds of a race say to one list of networks, best first."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from zoo_eval.manifest import Manifest, ModelLine
from zoo_eval.ranking.answer import RankedModel
from zoo_eval.ranking.candidates import count, published
from zoo_eval.ranking.finish import Finish
from zoo_eval.ranking.judging import Judged
from zoo_eval.ranking.round_run import StoredScore
from zoo_eval.report.pages.pareto import front

Scores = Mapping[str, Mapping[str, StoredScore]]
# Computed in every round, so the seconds of its pass are known of every network.
_TIMED_BY = ("knn_accuracy", "participation_ratio")


def ranked_rows(
    manifest: Manifest, finish: Finish, scores: Sequence[Scores]
) -> tuple[RankedModel, ...]:
    """Every network that a round judged: first those of the last round, in its order.

    Behind them come those that left in the round before, in the order of that one, and so on.

    Args:
        manifest: The candidates.
        finish: The race.
        scores: Of each round, what is stored.
    """
    lines = {line.model: line for line in manifest}
    rows: list[RankedModel] = []
    placed: set[str] = set()
    for number in range(len(finish.judged), 0, -1):
        judged, of_round = finish.judged[number - 1], scores[number - 1]
        n_images = len(finish.datasets[number - 1])
        last = number == len(finish.judged)
        for at, model in enumerate(judged.order):
            if model not in placed:
                placed.add(model)
                row = _row(lines[model], judged, at, of_round.get(model, {}), n_images)
                group = row.group if last else None
                rows.append(replace(row, place=len(rows) + 1, rounds=number, group=group))
    return _with_fronts(rows)


def _row(
    line: ModelLine, judged: Judged, at: int, scores: Mapping[str, StoredScore], n_images: int
) -> RankedModel:
    found = (judged.accuracies or {}).get(line.model)
    stands = judged.standing
    licence = line.cells.get("licence")
    timed = next((scores[name].seconds for name in _TIMED_BY if name in scores), 0.0)
    return RankedModel(
        place=at + 1,
        model=line.model,
        family=line.family,
        licence=None if licence is None else str(licence),
        params=count(line, "params"),
        macs=count(line, "macs"),
        published=published(line),
        rounds=1,
        n_images=n_images,
        accuracy=found.value if found else None,
        accuracy_low=found.low if found else None,
        accuracy_high=found.high if found else None,
        chance_top=stands.chance_top[at] if stands else None,
        chance_best=stands.chance_best[at] if stands else None,
        group=stands.group[at] if stands else None,
        images_per_second=n_images / timed if timed > 0 else None,
        pareto_params=False,
        pareto_speed=False,
        scores={name: score.value for name, score in scores.items()},
    )


def _with_fronts(rows: Sequence[RankedModel]) -> tuple[RankedModel, ...]:
    """The same rows, with those marked that no other beats at their size or speed."""
    by_params = _front([(row.params, row.accuracy) for row in rows])
    slowness = [-row.images_per_second if row.images_per_second else None for row in rows]
    by_speed = _front([(slow, row.accuracy) for slow, row in zip(slowness, rows, strict=True)])
    return tuple(
        replace(row, pareto_params=params, pareto_speed=speed)
        for row, params, speed in zip(rows, by_params, by_speed, strict=True)
    )


def _front(points: Sequence[tuple[int | float | None, float | None]]) -> list[bool]:
    """Which are on the front; not those of which one of the two is unknown."""
    cost, accuracy = (
        np.array([math.nan if p[i] is None else p[i] for p in points], np.float64) for i in (0, 1)
    )
    known = ~(np.isnan(cost) | np.isnan(accuracy))
    on_front = np.zeros(len(points), bool)
    on_front[known] = front(cost[known], accuracy[known])
    return on_front.tolist()
