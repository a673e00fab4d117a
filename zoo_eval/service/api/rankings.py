"""`/rankings`: which network for some images; submit, watch, read the answer.

A ranking is a run of the queue: `/runs` has it too, cancels it and lets it go on.
"""

from collections.abc import AsyncIterable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from zoo_eval.ranking.answer import Ranking
from zoo_eval.ranking.progress import RaceProgress
from zoo_eval.service.api.answers import CHANGES, NOT_FOUND, not_found
from zoo_eval.service.api.runs import JobsDep, OptionsDep, Run, RunId, ViewsDep, queued
from zoo_eval.service.api.streams import goes_on, pause
from zoo_eval.service.queued import ENDED
from zoo_eval.service.ranking_request import RankingRequest
from zoo_eval.service.rankings import RankingView, ranking_view, ranking_views
from zoo_eval.service.submission import check_ranking

router = APIRouter(prefix="/rankings", tags=["rankings"])


class RankingAnswer(BaseModel):
    """A ranking, finished or not."""

    run: Run
    request: RankingRequest
    race: RaceProgress | None = Field(
        description="The look at the images, the plan and the rounds so far; null before."
    )
    has_result: bool = Field(description="Whether /result gives one.")


class RankingsAnswer(BaseModel):
    """All rankings."""

    rankings: list[RankingAnswer]


def _found(ranking_id: RunId, jobs: JobsDep, views: ViewsDep) -> RankingView:
    """The ranking that an address names."""
    job = jobs.queue.get(ranking_id)
    if job is not None and job.kind == "rank":
        for run in views.newest():
            if run.id == ranking_id:
                return ranking_view(run, job.toml, jobs.queue)
    raise not_found(f"There is no ranking {ranking_id!r}; /api/v1/rankings lists them.")


RankingDep = Annotated[RankingView, Depends(_found)]


@router.get("", summary="All rankings")
def rankings(jobs: JobsDep, views: ViewsDep) -> RankingsAnswer:
    """Those that wait, that run, and that have been; the newest first."""
    found = ranking_views(views.newest(), jobs.queue)
    return RankingsAnswer(rankings=[_answer(view) for view in found])


@router.post("", summary="Rank networks for some images", status_code=201, responses=CHANGES)
def submit(request: RankingRequest, jobs: JobsDep, options: OptionsDep) -> Run:
    """Put a race at the end of the queue, if `zoo-eval rank` would begin with it.

    What it names must be builtin, or lie in one of the folders that the service allows.
    """
    check_ranking(request, options.allowed)
    return queued(jobs, options, request.name, request.model_dump_json(indent=1), (), "rank")


@router.get("/{id}", summary="One ranking", responses=NOT_FOUND)
def ranking(view: RankingDep) -> RankingAnswer:
    """How far it is."""
    return _answer(view)


@router.get(
    "/{id}/events",
    summary="Changes of one ranking, as they come",
    response_class=EventSourceResponse,
    responses=NOT_FOUND,
)
async def events(
    view: RankingDep, request: Request, jobs: JobsDep, views: ViewsDep
) -> AsyncIterable[ServerSentEvent]:
    """Server-sent events `ranking`; the last one when it has ended."""
    seen: RankingAnswer | None = None
    while goes_on(request):
        now = _answer(await run_in_threadpool(_found, view.run.id, jobs, views))
        if now != seen:
            seen = now
            yield ServerSentEvent(event="ranking", data=now)
        if now.run.state in ENDED:
            return
        await pause(request)


@router.get("/{id}/result", summary="The answer", response_model=Ranking, responses=NOT_FOUND)
def result(view: RankingDep) -> Response:
    """Networks, best first, and how sure that is, as `zoo-eval rank --json` prints it."""
    if view.answer is None:
        raise not_found(f"Ranking {view.run.id} has no result: it is {view.run.state}.")
    return Response(view.answer.read_bytes(), media_type="application/json")


def _answer(view: RankingView) -> RankingAnswer:
    return RankingAnswer(
        run=Run.model_validate(view.run, from_attributes=True),
        request=view.request,
        race=view.race,
        has_result=view.answer is not None,
    )
