"""What becomes of a network after each try: whether, when and how it is tried again."""

from collections import Counter
from dataclasses import dataclass, replace

from zoo_eval.executors.task import Task
from zoo_eval.plan import Unit, digest_of
from zoo_eval.relief import LADDER, Relief, next_relief
from zoo_eval.store import Attempt, Outcome, ScoreKey

# Waits before a download is tried again; it has been tried several times by then.
DOWNLOAD_WAITS_S = (10.0, 60.0)
MOST_KILLS = 2

_Name = tuple[str, str, int]


@dataclass(frozen=True)
class Again:
    """A unit that is to be tried once more, with the scores that it still lacks."""

    unit: Unit
    after_s: float = 0.0


class Tries:
    """Remembers the tries at each network of one run.

    Only what can heal is tried again. `out_of_memory`: at once, one step further down the ladder
    of `zoo_eval.relief`. `killed`: at once, as another program may have done it; a second time is
    the network's own fault. `download`: after a while, a few times.

    Where a score's name is known that ended or hung the worker, the network is tried once more
    without it: one score must not lose the others.

    Args:
        precision: Of the pass over the dataset, as the job says.
    """

    def __init__(self, precision: str) -> None:
        self._precision = precision
        self._relief: dict[_Name, Relief] = {}
        self._kills: Counter[_Name] = Counter()
        self._downloads: Counter[_Name] = Counter()
        self._lost: dict[_Name, tuple[Attempt, set[ScoreKey]]] = {}

    def task(self, unit: Unit) -> Task:
        """The next try at a unit."""
        return Task(unit, self._relief.get(_name(unit), LADDER[0]))

    def settle(self, task: Task, outcome: Outcome) -> tuple[Outcome, Again | None]:
        """What to store of an outcome, and whether to try again; None: it is final.

        Only a final failure says which scores are missing: a run that is killed before it has
        tried again leaves that to the next one.
        """
        again = self._heals(task, outcome) or self._without_culprit(task, outcome)
        attempt = outcome.attempt
        if again is None:
            attempt = self._with_lost(task, outcome)
        if again is not None or attempt.outcome == "download":
            attempt = replace(attempt, missing=None)
        return replace(outcome, attempt=attempt), again

    def _heals(self, task: Task, outcome: Outcome) -> Again | None:
        name, attempt = _name(task.unit), outcome.attempt
        if attempt.outcome == "out_of_memory":
            relief = next_relief(task.relief, precision=self._precision, device=attempt.device)
            if relief is None:
                return None
            self._relief[name] = relief
            return Again(task.unit.without({row.key for row in outcome.scores}))
        if attempt.outcome == "killed":
            self._kills[name] += 1
            return Again(task.unit) if self._kills[name] < MOST_KILLS else None
        if attempt.outcome == "download" and self._downloads[name] < len(DOWNLOAD_WAITS_S):
            self._downloads[name] += 1
            return Again(task.unit, DOWNLOAD_WAITS_S[self._downloads[name] - 1])
        return None

    def _without_culprit(self, task: Task, outcome: Outcome) -> Again | None:
        lost = {key for key in task.unit.keys if key.score == outcome.during}
        rest = task.unit.without(lost)
        if not lost or not rest.settings:
            return None
        name = _name(task.unit)
        first, before = self._lost.get(name, (outcome.attempt, set[ScoreKey]()))
        self._lost[name] = (first, before | lost)
        self._relief.pop(name, None)
        return Again(rest)

    def _with_lost(self, task: Task, outcome: Outcome) -> Attempt:
        """The final attempt: if scores were left out, it failed as they did."""
        name, attempt = _name(task.unit), outcome.attempt
        if name not in self._lost:
            return attempt
        first, lost = self._lost.pop(name)
        given = {row.key for row in outcome.scores}
        missing = digest_of(lost | {key for key in task.unit.keys if key not in given})
        if attempt.missing is not None:  # it failed by itself, too
            return replace(attempt, missing=missing)
        return replace(
            attempt,
            outcome=first.outcome,
            error_type=first.error_type,
            message=f"{first.message} The other scores were computed without it.",
            missing=missing,
        )


def _name(unit: Unit) -> _Name:
    return unit.line.model, unit.weights, unit.seed
