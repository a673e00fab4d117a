"""The race: many networks on few images, then few networks on many."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from zoo_eval.datasets.sources import list_source
from zoo_eval.datasets.spec import DatasetSpec
from zoo_eval.drive import Ended
from zoo_eval.errors import RankingError
from zoo_eval.executors.cores import usable_cores
from zoo_eval.manifest import Manifest, ModelLine
from zoo_eval.ranking.answer import RoundNote
from zoo_eval.ranking.budget import FIRST_SHARE, Budget
from zoo_eval.ranking.candidates import LeftOut, published
from zoo_eval.ranking.finish import Finish
from zoo_eval.ranking.forecast import macs
from zoo_eval.ranking.judging import Judged, judge, judge_without_labels
from zoo_eval.ranking.race_plan import plan_of
from zoo_eval.ranking.round_job import LABEL_FREE, round_job
from zoo_eval.ranking.round_run import RoundResult, Runs
from zoo_eval.ranking.rounds import decided, going_on
from zoo_eval.ranking.watcher import Watcher

# Also where the budget is used up: judging seldom takes as long, and what was computed counts.
_LEAST_JUDGING_S = 3.0


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
        self._workers = runs.workers or usable_cores()
        self._budget = Budget(budget_s, self._workers)
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
            speed=self._budget.speed,
            workers=self._workers,
        )
        self._watcher.planned(plan)
        share = FIRST_SHARE if len(plan.rounds) > 1 else 1.0
        going: Sequence[ModelLine] = sorted(self._manifest, key=_prior)
        failed: dict[str, LeftOut] = {}
        ended = "all images"
        for number, planned in enumerate(plan.rounds, start=1):
            begun = self._budget.spent
            result = self._run(number, planned.images_per_class, going, share, labelled=labelled)
            share = 1.0
            failed |= {lost.model: lost for lost in result.failed}
            if result.missing:
                ended = "budget"
                if number > 1 and len(result.models) < min(self._top, len(going)):
                    break
            judged = self._judge(result, labelled=labelled)
            if not judged.order:
                break
            short = bool(result.missing) or len(judged.order) < len(result.models)
            if short:
                ended = "budget"
            stay = going_on(judged.standing, self._top) if judged.standing else ()
            note = RoundNote(
                *(planned.images_per_class, len(result.dataset), len(going)),
                *(len(result.models), len(stay), self._budget.spent - begun),
            )
            self._judged.append(judged)
            self._results.append(result)
            self._notes.append(note)
            self._watcher.judged(number, note, judged)
            if judged.standing and decided(judged.standing, self._top):
                ended = "budget" if short else "decided"
                break
            by_name = {line.model: line for line in going}
            going = [by_name[model] for model in stay]
        return self._finish(ended, failed)

    def _run(
        self, number: int, size: int, going: Sequence[ModelLine], share: float, *, labelled: bool
    ) -> RoundResult:
        """One round, of the networks for which there is time; those come first that lead."""
        spec = replace(self._spec, images_per_class=size, at_most=True)
        job = round_job(self._manifest, going, spec, labelled=labelled, dear=number > 1)
        prepared = self._runs.prepare(job)
        n_images, n_classes = len(prepared.dataset), len(prepared.dataset.classes)
        until = self._budget.round_until(len(going), n_images, n_classes, share=share)
        units = prepared.plan.units
        n = len(units)
        if number > 1:
            n = self._budget.that_fit([unit.line for unit in units], n_images, until)
        prepared = replace(prepared, plan=replace(prepared.plan, units=units[:n]))
        self._watcher.begins(number, prepared, len(units) - n)
        by_name = {line.model: line for line in going}

        def evaluated(ended: Ended) -> None:
            attempt = ended.outcome.attempt
            if ended.good:
                self._budget.evaluated(by_name[attempt.model], n_images, attempt.seconds)
            self._watcher.evaluated(ended)

        result = self._runs.execute(prepared, evaluated, until)
        if result.interrupted:
            raise KeyboardInterrupt
        return result

    def _judge(self, result: RoundResult, *, labelled: bool) -> Judged:
        if not labelled:
            scores = self._runs.scores(result.dataset.label)
            known = [m for m in result.models if LABEL_FREE[0] in scores.get(m, {})]
            return judge_without_labels({m: scores[m][LABEL_FREE[0]].value for m in known})
        begun = self._budget.spent
        n_classes = len(result.dataset.classes)
        judged = judge(
            *(result.models, result.embeddings, result.labels, n_classes, self._top),
            lambda: max(self._budget.left, begun + _LEAST_JUDGING_S - self._budget.spent),
        )
        if judged.order:
            seconds = self._budget.spent - begun
            self._budget.judged(len(judged.order), len(result.dataset), seconds)
        return judged

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
            self._budget.spent,
        )


def _prior(line: ModelLine) -> tuple[float, float]:
    """The order in which networks start: the best published first, of equal ones the cheapest.

    It matters only where the budget is too short for all.
    """
    accuracy = published(line)
    return (-accuracy if accuracy is not None else 0.0), macs(line)
