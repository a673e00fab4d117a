"""What has become of the rankings that were submitted: their races, their answers."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from zoo_eval.ranking.answer import Ranking
from zoo_eval.ranking.progress import RaceProgress
from zoo_eval.service.history import RunView
from zoo_eval.service.queue import JobQueue
from zoo_eval.service.race_files import read_race
from zoo_eval.service.ranking_request import RankingRequest

_RANKING = TypeAdapter(Ranking)


@dataclass(frozen=True)
class RankingView:
    """A ranking as the service shows it.

    Attributes:
        run: The run that makes it.
        request: What was asked for.
        race: How far it is; None before it has looked at the images.
        answer: The file with the answer as JSON; None before.
    """

    run: RunView
    request: RankingRequest
    race: RaceProgress | None
    answer: Path | None

    def ranking(self) -> Ranking:
        """The answer, if there is one."""
        assert self.answer is not None, "asked of those that have an answer"
        return _RANKING.validate_json(self.answer.read_bytes())


def ranking_views(runs: Iterable[RunView], queue: JobQueue) -> list[RankingView]:
    """Those of the runs that are rankings, in their order."""
    requests = {job.id: job.toml for job in queue.jobs() if job.kind == "rank"}
    return [ranking_view(run, requests[run.id], queue) for run in runs if run.id in requests]


def ranking_view(run: RunView, request: str, queue: JobQueue) -> RankingView:
    """One ranking.

    Args:
        run: Its run.
        request: As JSON.
        queue: Where its files are.
    """
    answer = queue.page_of(run.id) / "ranking.json"
    return RankingView(
        run,
        RankingRequest.model_validate_json(request),
        read_race(queue.progress_of(run.id)),
        answer if answer.is_file() else None,
    )
