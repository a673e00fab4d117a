"""Does a round of a race, and reads what came of it: embeddings of the same images."""

import math
from collections.abc import Callable
from dataclasses import astuple, dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float32, Int

from zoo_eval.datasets import Dataset
from zoo_eval.drive import Ended
from zoo_eval.errors import ArrayError
from zoo_eval.files import Files
from zoo_eval.job import Job
from zoo_eval.plan import Unit, make_plan
from zoo_eval.ranking.candidates import LeftOut
from zoo_eval.runner import Prepared, execute, prepare
from zoo_eval.store import Store
from zoo_eval.store.arrays import ArrayKey

KEEP = Files(keep_arrays=True)


@dataclass(frozen=True)
class RoundResult:
    """What came of a round.

    Attributes:
        dataset: The images.
        labels: Class of each.
        embeddings: By network, one row per image; reads a file each time it is called.
        models: Networks with embeddings.
        failed: Networks that gave none, and why.
        missing: Networks that were not reached before the time was up.
        interrupted: Whether somebody stopped it.
    """

    dataset: Dataset
    labels: Int[np.ndarray, " n"]
    embeddings: Callable[[str], Float32[np.ndarray, "n d"]]
    models: tuple[str, ...]
    failed: tuple[LeftOut, ...]
    missing: tuple[str, ...]
    interrupted: bool


class StoredScore(NamedTuple):
    """A score's value, and the seconds of it and of the pass that it needs."""

    value: float
    seconds: float


@dataclass(frozen=True)
class Runs:
    """How rounds are run.

    Attributes:
        store: Where results and arrays are kept; held by `one_run`.
        workers: Worker processes; None: one per core.
        files: Room for weights, and where arrays are kept.
        command: The command line, for the record.
    """

    store: Store
    workers: int | None = None
    files: Files = KEEP
    command: str = ""

    def prepare(self, job: Job) -> Prepared:
        """Load the images; plan what is not stored, and what has lost its embeddings."""
        prepared = prepare(job, self.store, workers=self.workers)
        whole = _whole(prepared.job, self.store, prepared.dataset)
        lost = {unit.line.model for unit in whole if unit.kept is None or not self._readable(unit)}
        planned = {unit.line.model: unit for unit in prepared.plan.units}
        given_up = {unit.line.model for unit in prepared.plan.left_out}
        units = tuple(
            unit if unit.line.model in lost else planned[unit.line.model]
            for unit in whole
            if unit.line.model in lost - given_up or unit.line.model in planned
        )
        return replace(prepared, plan=replace(prepared.plan, units=units))

    def execute(
        self, prepared: Prepared, on_outcome: Callable[[Ended], None], until: float = math.inf
    ) -> RoundResult:
        """Do the round until it is done or the time is up, and read what the store has of it."""
        summary = execute(
            prepared,
            workers=self.workers,
            files=self.files,
            command=self.command,
            on_outcome=on_outcome,
            until=until,
        )
        kept = {
            unit.line.model: unit
            for unit in _whole(prepared.job, self.store, prepared.dataset)
            if unit.kept is not None
        }
        reasons = _failures(self.store)

        def embeddings(model: str) -> Float32[np.ndarray, "n d"]:
            row = kept[model].kept
            assert row is not None, "only those that are kept are asked for"
            return self.files.folder(self.store).read(row)[0]

        names = [line.model for line in prepared.job.manifest]
        without = [name for name in names if name not in kept]
        return RoundResult(
            dataset=prepared.dataset,
            labels=np.array(prepared.dataset.labels, np.int64),
            embeddings=embeddings,
            models=tuple(name for name in names if name in kept),
            failed=tuple(
                LeftOut(name, "failed", reasons[name]) for name in without if name in reasons
            ),
            missing=tuple(name for name in without if name not in reasons),
            interrupted=summary.interrupted,
        )

    def scores(self, dataset: str) -> dict[str, dict[str, StoredScore]]:
        """Scores of the trained networks on these images: by network, by name."""
        frame = self.store.scores(compact=True)
        chosen = (frame["dataset"] == dataset) & (frame["weights"] == "pretrained")
        found: dict[str, dict[str, StoredScore]] = {}
        columns = ("model", "score", "value", "seconds")
        for model, score, value, seconds in zip(
            *(frame.loc[chosen, column].tolist() for column in columns), strict=True
        ):
            if not math.isnan(value):
                found.setdefault(str(model), {})[str(score)] = StoredScore(value, seconds)
        return found

    def _readable(self, unit: Unit) -> bool:
        assert unit.kept is not None, "asked of kept arrays only"
        try:
            self.files.folder(self.store).content(unit.kept)
        except ArrayError:
            return False
        return True


def _whole(job: Job, store: Store, dataset: Dataset) -> tuple[Unit, ...]:
    """The round as if nothing were stored, with the arrays that are kept."""
    kept = {ArrayKey(*astuple(row)[:5]): row for row in store.kept_arrays()}
    return make_plan(job, dataset.label, frozenset(), kept=kept).units


def _failures(store: Store) -> dict[str, str]:
    """Why the last attempt at a network did not end well."""
    if not store.path.exists():
        return {}
    rows = store.failures()
    return {
        str(model): f"{outcome}: {message}"
        for model, outcome, message in zip(
            rows["model"], rows["outcome"], rows["message"], strict=True
        )
    }
