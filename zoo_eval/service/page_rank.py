"""The pages of rankings: the form, a race while it runs, its answer."""

import re
import shlex
from collections.abc import Mapping
from concurrent.futures import Future, wait
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse, HTMLResponse, RedirectResponse

from zoo_eval.builtin import builtin_manifests
from zoo_eval.durations import parse_duration
from zoo_eval.errors import ZooEvalError
from zoo_eval.executors.cores import usable_cores
from zoo_eval.ranking.rank import DEFAULT_MANIFEST
from zoo_eval.ranking.sentences import plan_lines
from zoo_eval.report.pages.rank import RankForm, race_page, rank_page
from zoo_eval.report.pages.ranking import ranking_page_among
from zoo_eval.report.pages.runs import RunsView
from zoo_eval.report.provenance import Provenance
from zoo_eval.report.rank_files import samples_in
from zoo_eval.service.api.rankings import RankingDep, submit
from zoo_eval.service.api.runs import JobsDep, OptionsDep, ViewsDep
from zoo_eval.service.forms import FieldsDep, mistakes
from zoo_eval.service.history import RunViews
from zoo_eval.service.inspections import Inspections
from zoo_eval.service.options import API, ServiceOptions
from zoo_eval.service.page_links import PageLinks
from zoo_eval.service.page_runs import shown_run
from zoo_eval.service.queued import ENDED
from zoo_eval.service.ranking_request import RankingRequest
from zoo_eval.service.rankings import RankingView
from zoo_eval.service.submission import check_images

router = APIRouter(prefix="/rank", include_in_schema=False)
_PATIENCE_S = 0.5
_PICTURE = re.compile(r"\d{3}-\d+\.webp")
_MANIFESTS = (DEFAULT_MANIFEST, *(name for name in builtin_manifests() if name != DEFAULT_MANIFEST))


async def _inspections(request: Request) -> Inspections:
    return request.app.state.inspections


InspectionsDep = Annotated[Inspections, Depends(_inspections)]


@router.get("")
def form(
    request: Request, inspections: InspectionsDep, views: ViewsDep, options: OptionsDep
) -> Response:
    """The form, with a look at the images if some are named, and all rankings."""
    given = dict(request.query_params)
    if not given.get("source") or options.read_only:
        return HTMLResponse(_page(views, options, _form(given)))
    try:
        asked = _request(given)
        check_images(asked, options.allowed)
        look = inspections.of(asked.images)
    except ZooEvalError as error:
        return HTMLResponse(_page(views, options, _form(given, str(error))), 422)
    except ValidationError as error:
        return HTMLResponse(_page(views, options, _form(given, *mistakes(error))), 422)
    return HTMLResponse(_page(views, options, _looked(given, look)))


@router.post("")
async def submitted(
    fields: FieldsDep, jobs: JobsDep, views: ViewsDep, options: OptionsDep
) -> Response:
    """Start a race; if it is refused, the form again with the reasons."""
    try:
        queued = await run_in_threadpool(submit, _request(fields), jobs, options)
    except ValidationError as error:
        problems = mistakes(error)
    except ZooEvalError as error:
        problems = (str(error),)
    else:
        return RedirectResponse(f"/rank/{queued.id}", 303)
    page = await run_in_threadpool(_page, views, options, _form(fields, *problems))
    return HTMLResponse(page, 422)


@router.get("/{id}")
def ranking(view: RankingDep, jobs: JobsDep, options: OptionsDep) -> Response:
    """The answer, or the race that will give one."""
    if view.answer is None:
        return HTMLResponse(_race(view, options))
    found = view.ranking()
    here = f"/rank/{view.run.id}/"
    samples = samples_in(jobs.queue.page_of(view.run.id), found, here)
    written = datetime.fromtimestamp(view.answer.stat().st_mtime, UTC)
    command = shlex.join(["zoo-eval", *view.request.arguments({})])
    made = Provenance(command, written, "", {})
    return HTMLResponse(ranking_page_among(PageLinks(), found, samples, made))


@router.get("/{id}/samples/{name}")
def sample(view: RankingDep, name: str, jobs: JobsDep) -> Response:
    """A small picture of one of the images."""
    file = jobs.queue.page_of(view.run.id) / "samples" / name
    if not _PICTURE.fullmatch(name) or not file.is_file():
        raise HTTPException(404, f"There is no picture {name!r}.")
    return FileResponse(file, media_type="image/webp")


def _request(fields: Mapping[str, str]) -> RankingRequest:
    """What a form asks for; a field that is left empty says nothing.

    Raises:
        ValidationError: it is not what it must be.
    """
    known = {name: fields[name] for name in RankingRequest.model_fields if fields.get(name)}
    given: dict[str, object] = {**known}
    if "licences" in known:
        given["licences"] = [name.strip() for name in known["licences"].split(",")]
    return RankingRequest.model_validate(given)


def _form(fields: Mapping[str, str], *problems: str) -> RankForm:
    given = {name: fields[name] for name in RankingRequest.model_fields if fields.get(name)}
    return RankForm("/rank", _MANIFESTS, given, problems)


def _looked(fields: Mapping[str, str], look: "Future[str] | None") -> RankForm:
    """The form, with what was seen; a small folder is looked at in a moment."""
    asked = _form(fields)
    if look is None:
        busy = "The images of many others are being looked at; try again later, or start the race."
        return _form(fields, busy)
    if not wait([look], _PATIENCE_S).done:
        return RankForm(asked.action, asked.manifests, asked.values, looking=True)
    error = look.exception()
    if error is None:
        return RankForm(asked.action, asked.manifests, asked.values, look=look.result())
    if isinstance(error, ZooEvalError):
        return _form(fields, str(error))
    return _form(fields, f"The images could not be looked at: {type(error).__name__}.")


def _page(views: RunViews, options: ServiceOptions, form: RankForm) -> str:
    rankings = [shown_run(view, options) for view in views.newest() if view.kind == "rank"]
    view = RunsView(tuple(rankings), (), None, f"{API}/runs/events")
    return rank_page(None if options.read_only else form, view, PageLinks())


def _race(view: RankingView, options: ServiceOptions) -> str:
    run, request = view.run, view.request
    events = "" if run.state in ENDED else f"{API}/rankings/{run.id}/events"
    shown = RunsView((shown_run(run, options),), (), None, events)
    budget_s = None if request.budget is None else parse_duration(request.budget)
    plan = view.race.plan if view.race else None
    lines = plan_lines(plan, request.workers or usable_cores(), budget_s) if plan else ()
    waiting = "It has not begun yet." if run.state == "queued" else "The images are looked at."
    said = "It ended before the images were looked at." if run.state in ENDED else waiting
    return race_page(request.name, shown, view.race, lines, said, PageLinks())
