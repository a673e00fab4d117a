"""The race: many networks on few images, then few networks on many."""

import math
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from zoo_eval.datasets import Dataset
from zoo_eval.datasets.sources import list_source
from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.drive import Ended
from zoo_eval.errors import RankingError
from zoo_eval.executors.cores import usable_cores
from zoo_eval.manifest import Manifest, ModelLine
from zoo_eval.ranking.answer import RoundNote
from zoo_eval.ranking.candidates import LeftOut, published
from zoo_eval.ranking.forecast import Timed, corrected, first_speed, macs, that_fit
from zoo_eval.ranking.judging import Judged, judge, judge_without_labels
from zoo_eval.ranking.race_plan import RacePlan, plan_of
from zoo_eval.ranking.round_job import LABEL_FREE, round_job
from zoo_eval.ranking.round_run import RoundResult, Runs
from zoo_eval.ranking.rounds import decided, going_on
from zoo_eval.runner import Prepared

# Of the budget, for the first round: the speed is not known yet, and later rounds need time too.
FIRST_SHARE = 0.6


class Watcher:
    """Is told how a race goes; this one does not care."""

    def planned(self, plan: RacePlan) -> None:
        """Before anything is computed."""

    def begins(self, number: int, prepared: Prepared, without_time: int) -> None:
        """A round begins; the first is 1. For so many networks the budget is too short."""

    def evaluated(self, ended: Ended) -> None:
        """A network was evaluated, and its results are stored."""

    def judged(self, number: int, note: RoundNote, judged: Judged) -> None:
        """A round is over."""


@dataclass(frozen=True)
class Finish:
    """How a race went.

    Attributes:
        judged: What each round says, the first first.
        datasets: The images of each.
        last: What the last of them left: images and embeddings.
        rounds: What happened in each.
        left_out: Networks that no round judged, and why.
        ended: Why it ended: `decided`, `all images`, `budget`.
        seconds: That it took.
    """

    judged: tuple[Judged, ...]
    datasets: tuple[Dataset, ...]
    last: RoundResult
    rounds: tuple[RoundNote, ...]
    left_out: tuple[LeftOut, ...]
    ended: str
    seconds: float


class Race:
    """One race; `go` runs it.

    Args:
        manifest: The networks.
        spec: The images; how many of each class is the race's own choice.
        top: How many networks are wanted.
        runs: How rounds are run.
        budget_s: Seconds that it may take.
        watcher: Is told how it goes.
    """

    def __init__(
        self,
        manifest: Manifest,
        spec: DatasetSpec,
        top: int,
        runs: Runs,
        budget_s: float = math.inf,
        watcher: Watcher | None = None,
    ) -> None:
        self._manifest, self._spec, self._top, self._runs = manifest, spec, top, runs
        self._watcher = watcher or Watcher()
        self._started = time.monotonic()
        self._until = self._started + budget_s
        self._workers = runs.workers or usable_cores()
        self._speed = first_speed(self._workers)
        self._times: list[Timed] = []
        self._first_share = 1.0
        self._judging = 0.0  # seconds for one network and image
        self._judged: list[Judged] = []
        self._results: list[RoundResult] = []
        self._notes: list[RoundNote] = []

    def go(self) -> Finish:
        """Run it to its end.

        Raises:
            KeyboardInterrupt: it was interrupted; what is done is stored, and it can go on.
            RankingError: no network could be evaluated.
            ZooEvalError: it cannot be run as it is.
        """
        listing = list_source(self._spec)
        labelled = bool(listing.classes)
        counts = [*Counter(record.label for record in listing.records).values()]
        plan = plan_of(
            self._manifest.lines,
            counts,
            labelled=labelled,
            speed=self._speed,
            workers=self._workers,
        )
        self._watcher.planned(plan)
        self._first_share = FIRST_SHARE if len(plan.rounds) > 1 else 1.0
        going: Sequence[ModelLine] = sorted(self._manifest, key=_prior)
        failed: dict[str, LeftOut] = {}
        ended = "all images"
        for number, planned in enumerate(plan.rounds, start=1):
            clock = time.monotonic()
            result = self._run(number, planned.images_per_class, going, labelled=labelled)
            failed |= {lost.model: lost for lost in result.failed}
            if result.missing:
                ended = "budget"
                if number > 1 and len(result.models) < min(self._top, len(going)):
                    break
            begun = time.monotonic()
            judged = self._judge(result, labelled=labelled)
            if not judged.order:
                break
            work = len(judged.order) * len(result.dataset)
            self._judging = (time.monotonic() - begun) / work
            stay = going_on(judged.standing, self._top) if judged.standing else ()
            seconds = time.monotonic() - clock
            note = RoundNote(
                *(planned.images_per_class, len(result.dataset), len(going)),
                *(len(result.models), len(stay), seconds),
            )
            self._judged.append(judged)
            self._results.append(result)
            self._notes.append(note)
            self._watcher.judged(number, note, judged)
            if judged.standing and decided(judged.standing, self._top):
                ended = "decided"
                break
            by_name = {line.model: line for line in going}
            going = [by_name[model] for model in stay]
            self._speed = corrected(self._speed, self._times)
        return self._finish(ended, failed)

    def _run(
        self, number: int, size: int, going: Sequence[ModelLine], *, labelled: bool
    ) -> RoundResult:
        """One round, of the networks for which there is time; those come first that lead.

        No network begins that would not fit, once it is known how long they take; whoever is
        under way when the time is up is lost.
        """
        spec = replace(self._spec, images_per_class=size, at_most=True)
        job = round_job(self._manifest, going, spec, labelled=labelled, dear=number > 1)
        prepared = self._runs.prepare(job)
        n_images, units = len(prepared.dataset), prepared.plan.units
        until, n = self._until, len(units)
        if number == 1:
            until = self._started + self._first_share * (until - self._started)
        else:
            until -= self._judging * len(going) * n_images
            lines = [unit.line for unit in units]
            left = until - time.monotonic()
            n = len(that_fit(lines, self._speed, n_images, self._workers, left))
        prepared = replace(prepared, plan=replace(prepared.plan, units=units[:n]))
        self._watcher.begins(number, prepared, len(units) - n)
        by_name = {line.model: line for line in going}

        def evaluated(ended: Ended) -> None:
            attempt = ended.outcome.attempt
            if ended.good:
                work = macs(by_name[attempt.model])
                self._times.append(Timed(work, n_images, attempt.seconds))
            self._watcher.evaluated(ended)

        result = self._runs.execute(prepared, evaluated, until)
        if result.interrupted:
            raise KeyboardInterrupt
        return result

    def _judge(self, result: RoundResult, *, labelled: bool) -> Judged:
        if labelled:
            n_classes = len(result.dataset.classes)
            return judge(result.models, result.embeddings, result.labels, n_classes, self._top)
        scores = self._runs.scores(result.dataset.label)
        known = [m for m in result.models if LABEL_FREE[0] in scores.get(m, {})]
        return judge_without_labels({m: scores[m][LABEL_FREE[0]].value for m in known})

    def _finish(self, ended: str, failed: dict[str, LeftOut]) -> Finish:
        reached = {model for judged in self._judged for model in judged.order}
        if not reached:
            one = next(iter(failed.values()), None)
            raise RankingError(
                "No network could be evaluated"
                + (f"; {one.model}, for one: {one.reason}" if one else " within the budget.")
            )
        left_out = tuple(
            failed.get(line.model, LeftOut(line.model, "budget", "no time was left for it"))
            for line in self._manifest
            if line.model not in reached
        )
        return Finish(
            tuple(self._judged),
            tuple(result.dataset for result in self._results),
            self._results[-1],
            tuple(self._notes),
            left_out,
            ended,
            time.monotonic() - self._started,
        )


def _prior(line: ModelLine) -> tuple[float, float]:
    """The order in which networks start: the best published first, of equal ones the cheapest.

    It matters only where the budget is too short for all.
    """
    accuracy = published(line)
    return (-accuracy if accuracy is not None else 0.0), macs(line)
