"""`/runs`: what runs, what waits, what has been; submit, cancel, retry; events."""

from collections.abc import AsyncIterable
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

from zoo_eval.service.api.answers import CHANGES, NOT_FOUND, LiveDep, Row, not_found, rows_of
from zoo_eval.service.api.streams import goes_on, pause
from zoo_eval.service.history import RunView, RunViews, attempts_of, view_of
from zoo_eval.service.jobs import Jobs, tail
from zoo_eval.service.options import ServiceOptions
from zoo_eval.service.problems import Problem
from zoo_eval.service.queued import ENDED, Kind, State
from zoo_eval.service.ranking_request import RankingRequest
from zoo_eval.service.submission import check_job, check_ranking

router = APIRouter(prefix="/runs", tags=["runs"])
_JOB = """\
manifest = "fashion"
weights = ["init"]
scores = ["params", "naswot"]

[dataset]
source = "fashion"
images_per_class = 10
"""
_CONFLICT = {409: {"model": Problem, "description": "The run is not in a state for this."}}


class Submission(BaseModel):
    """A job to be run."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"toml": _JOB}]})

    name: str = Field(
        "job", pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$", description="The job's name."
    )
    toml: str = Field(description="A job file's text; paths in it are full ones.", max_length=2**19)
    limit: int | None = Field(None, ge=1, le=10**9, description="Only the first models.")
    workers: int | None = Field(None, ge=1, le=1024, description="Worker processes.")


class ProgressAnswer(BaseModel):
    """How far a run is."""

    done: int = Field(description="Networks that are finished, the failed ones included.")
    failed: int
    left: int | None = Field(description="Null for a run that was started in a terminal.")
    per_minute: float | None
    seconds_left: float | None


class Run(BaseModel):
    """A run, a job that waits to become one, or one that was."""

    id: str = Field(examples=["3f2a9c0d1e4b"])
    name: str = Field(examples=["quickstart"])
    kind: Kind
    source: Literal["service", "terminal"] = Field(description="Who started it.")
    state: State
    submitted: datetime
    started: datetime | None
    ended: datetime | None
    exit_code: int | None
    message: str = Field(description="Why it failed.")
    store_run: str | None = Field(description="Its name in the store's tables.")
    progress: ProgressAnswer | None


class RunsAnswer(BaseModel):
    """All runs."""

    runs: list[Run]


class RunAnswer(Run):
    """A run with its job and its failures."""

    toml: str = Field(description="The job file's text; of a ranking its request, as JSON.")
    failures: list[Row] = Field(description="Networks that failed in it, with traceback.")
    log: str = Field(description="The last lines that it printed; see /log for more.")


async def _jobs(request: Request) -> Jobs:
    return request.app.state.jobs


async def _options(request: Request) -> ServiceOptions:
    return request.app.state.options


JobsDep = Annotated[Jobs, Depends(_jobs)]
OptionsDep = Annotated[ServiceOptions, Depends(_options)]
RunId = Annotated[str, Path(alias="id", description="`id` of a run.", max_length=64)]


async def _views(request: Request) -> RunViews:
    return request.app.state.run_views


ViewsDep = Annotated[RunViews, Depends(_views)]


def _found(run_id: RunId, views: ViewsDep) -> RunView:
    """The run that an address names: looked for before a stream begins."""
    for view in views.newest():
        if view.id == run_id:
            return view
    raise not_found(f"There is no run {run_id!r}; /api/v1/runs lists them.")


ViewDep = Annotated[RunView, Depends(_found)]


@router.get("", summary="All runs")
async def runs(views: ViewsDep) -> RunsAnswer:
    """The queue, what runs, and what has been; the newest first."""
    return RunsAnswer(runs=_runs(views))


@router.post("", summary="Submit a job", status_code=201, responses=CHANGES)
def submit(submission: Submission, jobs: JobsDep, options: OptionsDep) -> Run:
    """Put a job at the end of the queue, if `zoo-eval run` would accept it.

    What it names must be builtin, or lie in one of the folders that the service allows.
    """
    check_job(submission.name, submission.toml, options.allowed)
    wishes: list[str] = []
    for name in ("limit", "workers"):
        wish = getattr(submission, name)
        wishes += [] if wish is None else [f"--{name}", str(wish)]
    return queued(jobs, options, submission.name, submission.toml, wishes, "run")


@router.get(
    "/events", summary="Changes of all runs, as they come", response_class=EventSourceResponse
)
async def events(
    request: Request, live: LiveDep, views: ViewsDep
) -> AsyncIterable[ServerSentEvent]:
    """Server-sent events: `run` with a run that is new or has changed, `store` with a new state."""
    seen: dict[str, Run] = {}
    state: str | None = None
    while goes_on(request):
        for run in await run_in_threadpool(_runs, views):
            if seen.get(run.id) != run:
                seen[run.id] = run
                yield ServerSentEvent(event="run", data=run)
        if state != live.snapshot.state:
            state = live.snapshot.state
            yield ServerSentEvent(event="store", data={"state": state})
        await pause(request)


@router.get("/{id}", summary="One run", responses=NOT_FOUND)
def run(view: ViewDep, live: LiveDep, jobs: JobsDep) -> RunAnswer:
    """With its job, the networks that failed in it, and the end of what it printed."""
    last = attempts_of(view, live.activity)
    failed = last if last.empty else last[~last["outcome"].isin(["ok", "undefined"])]
    job = jobs.queue.get(view.id)
    stored = live.activity.runs
    if job is None:
        text = str(stored.loc[stored["run"] == view.id, "job_text"].iloc[0])
    else:
        text = job.toml
    log = "" if job is None else tail(jobs.queue.log_of(job))
    return RunAnswer(
        **_run(view).model_dump(),
        toml=text,
        failures=rows_of(failed),
        log="\n".join(log.splitlines()[-20:]),
    )


@router.get(
    "/{id}/log",
    summary="What a run printed",
    response_class=PlainTextResponse,
    responses=NOT_FOUND,
)
def log(
    view: ViewDep,
    jobs: JobsDep,
    lines: Annotated[int, Query(ge=1, le=10_000, description="At most so many, the last.")] = 200,
) -> PlainTextResponse:
    """Nothing for a run that was started in a terminal: it printed there."""
    job = jobs.queue.get(view.id)
    printed = "" if job is None else tail(jobs.queue.log_of(job))
    return PlainTextResponse("\n".join(printed.splitlines()[-lines:]))


@router.get(
    "/{id}/events",
    summary="Changes of one run, as they come",
    response_class=EventSourceResponse,
    responses=NOT_FOUND,
)
async def run_events(
    view: ViewDep, request: Request, views: ViewsDep
) -> AsyncIterable[ServerSentEvent]:
    """Server-sent events `run`; the last one when it has ended."""
    seen: Run | None = None
    while goes_on(request):
        now = _run(await run_in_threadpool(_found, view.id, views))
        if now != seen:
            seen = now
            yield ServerSentEvent(event="run", data=now)
        if now.state in ENDED:
            return
        await pause(request)


@router.post(
    "/{id}/cancel",
    summary="Cancel a run",
    status_code=202,
    responses={**NOT_FOUND, **_CONFLICT, **CHANGES},
)
def cancel(view: ViewDep, jobs: JobsDep, views: ViewsDep) -> Run:
    """Take it from the queue, or end it in order: what it has stored stays."""
    if view.source == "terminal":
        text = f"Run {view.id} was started in a terminal; press Ctrl-C there."
        raise HTTPException(409, text)
    if jobs.cancel(view.id) is None:
        raise HTTPException(409, f"Run {view.id} is {view.state}; there is nothing to cancel.")
    return _run(_found(view.id, views))


@router.post(
    "/{id}/retry",
    summary="Try again what failed",
    status_code=201,
    responses={**NOT_FOUND, **_CONFLICT, **CHANGES},
)
def retry(view: ViewDep, jobs: JobsDep, options: OptionsDep) -> Run:
    """Queue `zoo-eval retry` of its job: the networks whose last attempt failed.

    A ranking is queued as it was, and goes on with what it has stored.
    """
    job = jobs.queue.get(view.id)
    if job is None:
        text = f"Run {view.id} was started in a terminal; use `zoo-eval retry` there."
        raise HTTPException(409, text)
    if view.state not in ENDED:
        raise HTTPException(409, f"Run {view.id} is {view.state}; wait until it has ended.")
    if job.kind == "rank":
        check_ranking(RankingRequest.model_validate_json(job.toml), options.allowed)
        return queued(jobs, options, job.name, job.toml, job.options, "rank")
    check_job(job.name, job.toml, options.allowed)
    return queued(jobs, options, job.name, job.toml, job.options, "retry")


def queued(
    jobs: Jobs,
    options: ServiceOptions,
    name: str,
    toml: str,
    wishes: list[str] | tuple[str, ...],
    kind: Kind,
) -> Run:
    """Put a job at the end of the queue, if it is not too long.

    Raises:
        HTTPException: it is.
        StoreError: it cannot be written.
    """
    if len(jobs.queue.waiting()) >= options.max_queued:
        text = f"{options.max_queued} jobs wait already; wait until some are done, or cancel them."
        raise HTTPException(429, text, {"Retry-After": "60"})
    job = jobs.queue.submit(name, toml, wishes, kind)
    return _run(view_of(job))


def _runs(views: RunViews) -> list[Run]:
    return [_run(view) for view in views.newest()]


def _run(view: RunView) -> Run:
    return Run.model_validate(view, from_attributes=True)
