"""The page of runs: what the service knows of them, and its form to submit a job."""

from collections.abc import Callable
from datetime import datetime

from fastapi import APIRouter, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, RedirectResponse

from zoo_eval.errors import ZooEvalError
from zoo_eval.report.pages.attempts import failed
from zoo_eval.report.pages.runs import RunsView, SubmitForm, runs_page
from zoo_eval.report.pages.runs import RunView as Shown
from zoo_eval.service.api.answers import LiveDep
from zoo_eval.service.api.runs import (
    JobsDep,
    OptionsDep,
    Submission,
    ViewDep,
    ViewsDep,
    cancel,
    retry,
    submit,
)
from zoo_eval.service.forms import FieldsDep, mistakes
from zoo_eval.service.history import RunView, RunViews
from zoo_eval.service.live import Live
from zoo_eval.service.options import API, ServiceOptions
from zoo_eval.service.page_links import PageLinks
from zoo_eval.service.queued import ENDED

router = APIRouter(prefix="/runs", include_in_schema=False)
_NOTES = {"run": "", "retry": "retry of what failed", "rank": "ranking of networks"}
_EXAMPLE = """\
manifest = "fashion"
weights = ["pretrained"]
scores = ["params", "macs", "ncm_accuracy"]

[dataset]
source = "fashion"
images_per_class = 10
"""


@router.get("")
def runs(live: LiveDep, views: ViewsDep, options: OptionsDep) -> Response:
    """Runs and queue."""
    return HTMLResponse(_page(live, views, options, SubmitForm("/runs", text=_EXAMPLE)))


@router.post("")
async def submitted(
    fields: FieldsDep, live: LiveDep, jobs: JobsDep, views: ViewsDep, options: OptionsDep
) -> Response:
    """Queue a job; if it is refused, the page again with the text and the reasons."""
    name, toml = fields.get("name", ""), fields.get("toml", "").replace("\r\n", "\n")
    try:
        submission = Submission.model_validate({"name": name, "toml": toml})
        await run_in_threadpool(submit, submission, jobs, options)
    except ValidationError as error:
        problems = mistakes(error)
    except ZooEvalError as error:
        problems = (str(error),)
    else:
        return RedirectResponse("/runs", 303)
    form = SubmitForm("/runs", name, toml, problems)
    page = await run_in_threadpool(_page, live, views, options, form)
    return HTMLResponse(page, 422)


@router.post("/{id}/cancel")
def cancelled(view: ViewDep, jobs: JobsDep, views: ViewsDep) -> Response:
    """Cancel a run, if it still can be, and show the runs."""
    return _then_runs(lambda: cancel(view, jobs, views))


@router.post("/{id}/retry")
def tried_again(view: ViewDep, jobs: JobsDep, options: OptionsDep) -> Response:
    """Queue what failed once more, and show the runs."""
    return _then_runs(lambda: retry(view, jobs, options))


def _page(live: Live, views: RunViews, options: ServiceOptions, form: SubmitForm) -> str:
    shown = tuple(shown_run(view, options) for view in views.newest())
    failures = tuple(failed(live.activity.runs, live.activity.attempts))
    form_or_none = None if options.read_only else form
    view = RunsView(shown, failures, form_or_none, f"{API}/runs/events")
    return runs_page(view, None, PageLinks())


def shown_run(view: RunView, options: ServiceOptions) -> Shown:
    """A run as pages show it."""
    progress = view.progress
    changes = view.source == "service" and not options.read_only
    failed_some = progress is not None and progress.failed > 0
    unfinished = view.state in ENDED and (failed_some or view.state != "done")
    total = None if progress is None or progress.left is None else progress.done + progress.left
    return Shown(
        run=view.id,
        name=view.name,
        state=view.state,
        note=view.message or _NOTES[view.kind],
        started=_time(view.started or view.submitted),
        ended=_time(view.ended),
        done=None if progress is None else progress.done,
        failed=0 if progress is None else progress.failed,
        total=total,
        left="" if progress is None else _left(progress.seconds_left),
        cancel=f"/runs/{view.id}/cancel" if changes and view.state in ("queued", "running") else "",
        retry=f"/runs/{view.id}/retry" if changes and unfinished else "",
        log=f"{API}/runs/{view.id}/log" if view.source == "service" else "",
        page=f"/rank/{view.id}" if view.kind == "rank" else "",
    )


def _time(time: datetime | None) -> str:
    return "" if time is None else f"{time:%Y-%m-%d %H:%M}"


def _left(seconds: float | None) -> str:
    """A duration as a reader wants it: one unit, rounded up.

    >>> _left(40.0), _left(61.0), _left(7201.0), _left(None)
    ('40 s', '2 min', '3 h', '')
    """
    if seconds is None:
        return ""
    for size, unit, most in ((1, "s", 60), (60, "min", 120), (3600, "h", 48)):
        if seconds <= most * size:
            return f"{-(-seconds // size):.0f} {unit}"
    return f"{-(-seconds // 86_400):.0f} days"


def _then_runs(change: Callable[[], object]) -> Response:
    """Do something to a run; what is too late by now the page of runs shows by itself."""
    try:
        change()
    except HTTPException as error:
        if error.status_code != 409:
            raise
    return RedirectResponse("/runs", 303)
