"""How far a race is, in a file that another program may read at any time."""

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from zoo_eval.drive import Ended
from zoo_eval.errors import RankingError
from zoo_eval.ranking.answer import RoundNote
from zoo_eval.ranking.judging import Judged
from zoo_eval.ranking.race_plan import RacePlan
from zoo_eval.ranking.watcher import Watcher
from zoo_eval.report.replacing import replace_file
from zoo_eval.runner import Prepared


@dataclass(frozen=True)
class RoundProgress:
    """A round of a race.

    Attributes:
        n_images: Of it.
        networks: That are in it.
        stored: Of these, stored before it began.
        without_time: Of these, those for which the budget is too short.
        done: Evaluated in it, the failed ones included.
        failed: Of these.
        leader: The best one, once the round is over.
        note: What happened in it, once it is over.
    """

    n_images: int
    networks: int
    stored: int
    without_time: int
    done: int = 0
    failed: int = 0
    leader: str | None = None
    note: RoundNote | None = None


@dataclass(frozen=True)
class RaceProgress:
    """A race that runs, or has.

    Attributes:
        look: What was seen of the images, as text.
        plan: What it is going to do; None before that is known.
        rounds: Those that have begun.
    """

    look: str
    plan: RacePlan | None = None
    rounds: tuple[RoundProgress, ...] = ()


class ProgressFile(Watcher):
    """Keeps it in a file as JSON, and passes on what it is told.

    Args:
        path: The file; it is replaced as a whole.
        look: What was seen of the images.
        then: Is told all the same.

    Raises:
        RankingError: the file cannot be written.
    """

    def __init__(self, path: Path, look: str, then: Watcher) -> None:
        self._path, self._then = path, then
        self._keep(RaceProgress(look))

    def planned(self, plan: RacePlan) -> None:
        """The plan is there."""
        self._keep(replace(self._now, plan=plan))
        self._then.planned(plan)

    def begins(self, number: int, prepared: Prepared, without_time: int) -> None:
        """One round more."""
        networks = len(prepared.job.manifest)
        stored = networks - len(prepared.plan.units) - without_time
        fresh = RoundProgress(len(prepared.dataset), networks, stored, without_time)
        self._keep(replace(self._now, rounds=(*self._now.rounds, fresh)))
        self._then.begins(number, prepared, without_time)

    def evaluated(self, ended: Ended) -> None:
        """One network more, unless it is tried again."""
        if not ended.again:
            last = self._now.rounds[-1]
            self._round(replace(last, done=last.done + 1, failed=last.failed + (not ended.good)))
        self._then.evaluated(ended)

    def judged(self, number: int, note: RoundNote, judged: Judged) -> None:
        """The round is over."""
        self._round(replace(self._now.rounds[-1], leader=judged.order[0], note=note))
        self._then.judged(number, note, judged)

    def _round(self, changed: RoundProgress) -> None:
        self._keep(replace(self._now, rounds=(*self._now.rounds[:-1], changed)))

    def _keep(self, now: RaceProgress) -> None:
        self._now = now
        try:
            replace_file(self._path, json.dumps(asdict(now)).encode())
        except OSError as error:
            reason = error.strerror or str(error)
            raise RankingError(
                f"The progress cannot be kept in {self._path}: {reason}. Name another file with "
                "--progress, or leave it out."
            ) from error
