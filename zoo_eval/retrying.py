"""What becomes of a network after each try: whether, when and how it is tried again."""

from collections import Counter
from dataclasses import dataclass

from zoo_eval.executors.task import Task
from zoo_eval.plan import Unit
from zoo_eval.relief import LADDER, Relief, next_relief
from zoo_eval.store import Outcome

# Waits before a download is tried again; the hub's client has tried several times by itself.
DOWNLOAD_WAITS_S = (10.0, 60.0)
MOST_KILLS = 2

_Name = tuple[str, str, int]


@dataclass(frozen=True)
class Again:
    """A unit that is to be tried once more, with the scores that it still lacks."""

    unit: Unit
    after_s: float


class Tries:
    """Remembers the tries at each network of one run.

    Only what can heal is tried again. `out_of_memory`: at once, one step further down the ladder
    of `zoo_eval.relief`. `killed`: at once, as another program may have done it; a second time is
    the network's own fault, and it is set aside. `download`: after a while, a few times.

    Args:
        precision: Of the pass over the dataset, as the job says.
    """

    def __init__(self, precision: str) -> None:
        self._precision = precision
        self._relief: dict[_Name, Relief] = {}
        self._kills: Counter[_Name] = Counter()
        self._downloads: Counter[_Name] = Counter()

    def task(self, unit: Unit) -> Task:
        """The next try at a unit."""
        return Task(unit, self._relief.get(_name(unit), LADDER[0]))

    def again(self, task: Task, outcome: Outcome) -> Again | None:
        """Whether to try again after this outcome; None: it is final."""
        name, attempt = _name(task.unit), outcome.attempt
        if attempt.outcome == "out_of_memory":
            relief = next_relief(task.relief, precision=self._precision, device=attempt.device)
            if relief is None:
                return None
            self._relief[name] = relief
            return Again(task.unit.without({row.key for row in outcome.scores}), 0.0)
        if attempt.outcome == "killed":
            self._kills[name] += 1
            return Again(task.unit, 0.0) if self._kills[name] < MOST_KILLS else None
        if attempt.outcome == "download" and self._downloads[name] < len(DOWNLOAD_WAITS_S):
            self._downloads[name] += 1
            return Again(task.unit, DOWNLOAD_WAITS_S[self._downloads[name] - 1])
        return None


def _name(unit: Unit) -> _Name:
    return unit.line.model, unit.weights, unit.seed
