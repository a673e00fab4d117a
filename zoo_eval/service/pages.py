"""The report's pages, made when they are asked for."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, TypeVar
from urllib.parse import parse_qsl

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from zoo_eval.errors import InputError, ReportError
from zoo_eval.report.details import Details
from zoo_eval.report.pages.about import about_page
from zoo_eval.report.pages.compare import choose, compare_page
from zoo_eval.report.pages.leaderboard import ask, leaderboard_page, select
from zoo_eval.report.pages.model import model_page
from zoo_eval.report.pages.nothing import nothing_page
from zoo_eval.report.pages.predictions import predictions_page
from zoo_eval.report.pages.score import score_page
from zoo_eval.report.pages.scores import scores_page
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.report.predictions import METHODS, Predictions
from zoo_eval.service import page_assets, page_rank, page_runs
from zoo_eval.service.api.answers import as_file
from zoo_eval.service.ondemand import Answer, OnDemand
from zoo_eval.service.page_links import PageLinks
from zoo_eval.service.page_zoo import Zoos

router = APIRouter(include_in_schema=False)
router.include_router(page_assets.router)
router.include_router(page_runs.router)
router.include_router(page_rank.router)
T = TypeVar("T")
_EMPTY = "The store has no scores yet. Submit a job on the page of runs, or start `zoo-eval run`."
_PATIENCE_S = 0.5
_POLL_S = 0.02


def _zoos(request: Request) -> Zoos:
    return request.app.state.zoos


def _ondemand(request: Request) -> OnDemand:
    return request.app.state.ondemand


@dataclass(frozen=True)
class View:
    """What a page is made with.

    Attributes:
        zoos: Makes what it shows.
        links: Where other pages lie, judged by the same accuracy.
        query: What was asked, the accuracy aside.
    """

    zoos: Zoos
    links: PageLinks
    query: tuple[tuple[str, str], ...]

    def page(
        self, here: str, make: Callable[[Zoo], str], settled: Callable[[], bool] = lambda: True
    ) -> Response:
        """A page of the newest zoo, or one that says why there is none.

        Args:
            here: Which entry of the navigation it belongs to.
            make: Makes it.
            settled: Whether nothing on it, once made, is still to come.
        """
        truth = self.links.truth
        tag = self.zoos.tag(truth)  # before the page is made: what comes after it is not in it
        zoo = None
        try:
            zoo = self.zoos.newest(truth)
            if zoo is None:
                return HTMLResponse(
                    nothing_page(here, "Nothing here yet", _EMPTY, None, self.links)
                )
            text = make(zoo)
        except (InputError, ReportError) as error:
            text = nothing_page(here, "Not found", str(error), zoo, self.links)
            return HTMLResponse(text, 404)
        return HTMLResponse(text, headers={"ETag": tag} if tag and settled() else None)


def _view(request: Request, zoos: Annotated[Zoos, Depends(_zoos)]) -> View:
    asked = request.query_params.multi_items()
    query = tuple(pair for pair in asked if pair[0] != "truth")
    truth = request.query_params.get("truth", "")
    return View(zoos, PageLinks(truth, request.url.path, query), query)


ViewDep = Annotated[View, Depends(_view)]
OnDemandDep = Annotated[OnDemand, Depends(_ondemand)]


@router.get("/")
def leaderboard(view: ViewDep) -> Response:
    """Models, as the query says."""

    def make(zoo: Zoo) -> str:
        asked = ask(zoo, view.query)
        understood = tuple(parse_qsl(asked.query.to_string()))
        return leaderboard_page(zoo, asked, replace(view.links, query=understood))

    return view.page("leaderboard", make)


@router.get("/leaderboard.{kind}")
def download(kind: str, view: ViewDep) -> Response:
    """All rows of a view, unrounded, as CSV or Parquet."""
    zoo = view.zoos.newest(view.links.truth)
    if zoo is None or kind not in ("csv", "parquet"):
        raise HTTPException(404, "There is no such file: leaderboard.csv, leaderboard.parquet.")
    rows = select(zoo, ask(zoo, view.query).query).rows
    return as_file(rows.reset_index(), "csv" if kind == "csv" else "parquet", "leaderboard")


@router.get("/scores")
def scores(view: ViewDep) -> Response:
    """Every score."""
    return view.page("scores", lambda zoo: scores_page(zoo, view.links))


@router.get("/scores/{label:path}")
def score(label: str, view: ViewDep, ondemand: OnDemandDep) -> Response:
    """One score."""
    answers: list[Answer[Details] | None] = []

    def make(zoo: Zoo) -> str:
        if zoo.found is None or label not in zoo.data.scores:
            return score_page(zoo, label, view.links)
        truth = zoo.truth
        answers.append(_soon(lambda: ondemand.details(truth, label)))
        more, failed = _value(answers[0])
        return score_page(zoo, label, view.links, more, failed=failed)

    return view.page("scores", make, lambda: _settled(view, answers))


@router.get("/predictions")
def predictions(view: ViewDep, ondemand: OnDemandDep, method: str = METHODS[0]) -> Response:
    """The accuracy as predicted from the scores."""
    answers: list[Answer[Predictions] | None] = []

    def make(zoo: Zoo) -> str:
        if method not in METHODS:
            raise InputError(f"There is no method {method!r}; there are {', '.join(METHODS)}.")
        if zoo.truth:
            answers.append(_soon(lambda: ondemand.predictions(zoo.truth)))
        found, failed = _value(answers[0]) if answers else (None, False)
        return predictions_page(zoo, found, view.links, method, failed=failed)

    return view.page("predictions", make, lambda: _settled(view, answers))


@router.get("/models/{name:path}")
def model(name: str, view: ViewDep) -> Response:
    """One model."""
    return view.page("leaderboard", lambda zoo: model_page(zoo, name, view.links))


@router.get("/compare")
def compare(view: ViewDep) -> Response:
    """Models, or two scores, side by side."""
    names, labels = (
        [given for field, given in view.query if field == wanted and given]
        for wanted in ("model", "score")
    )
    return view.page(
        "compare", lambda zoo: compare_page(zoo, choose(zoo, names, labels), view.links)
    )


@router.get("/about")
def about(view: ViewDep) -> Response:
    """What made these pages."""
    return view.page("about", lambda zoo: about_page(zoo, view.links))


def _soon(ask_for: Callable[[], T | None]) -> T | None:
    """An answer, if it is there in a moment: a small store's is."""
    end = time.monotonic() + _PATIENCE_S
    while (found := ask_for()) is None and time.monotonic() < end:
        time.sleep(_POLL_S)
    return found


def _value(answer: Answer[T] | None) -> tuple[T | None, bool]:
    """What was computed, and whether that failed."""
    return (None, False) if answer is None else (answer.value, answer.value is None)


def _settled(view: View, answers: Sequence[Answer[Any] | None]) -> bool:
    state = view.zoos.state
    return all(one and one.value is not None and one.snapshot.state == state for one in answers)
