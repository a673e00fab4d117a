"""The report's pages, made when they are asked for."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse

from zoo_eval.errors import InputError
from zoo_eval.report.pages.about import about_page
from zoo_eval.report.pages.compare import choose, compare_page
from zoo_eval.report.pages.leaderboard import ask, leaderboard_page, select
from zoo_eval.report.pages.model import model_page
from zoo_eval.report.pages.nothing import nothing_page
from zoo_eval.report.pages.score import score_page
from zoo_eval.report.pages.scores import scores_page
from zoo_eval.report.pages.zoo import Zoo
from zoo_eval.service import page_assets, page_runs
from zoo_eval.service.api.answers import as_file
from zoo_eval.service.page_links import PageLinks
from zoo_eval.service.page_zoo import Zoos

router = APIRouter(include_in_schema=False)
router.include_router(page_assets.router)
router.include_router(page_runs.router)
_LINKS = PageLinks()
_EMPTY = "The store has no scores yet. Submit a job on the page of runs, or start `zoo-eval run`."


def _zoos(request: Request) -> Zoos:
    return request.app.state.zoos


ZoosDep = Annotated[Zoos, Depends(_zoos)]


@router.get("/")
def leaderboard(request: Request, zoos: ZoosDep) -> Response:
    """Models, as the query says."""
    pairs = request.query_params.multi_items()
    return _answer(zoos, "leaderboard", lambda zoo: leaderboard_page(zoo, ask(zoo, pairs), _LINKS))


@router.get("/leaderboard.{kind}")
def download(kind: str, request: Request, zoos: ZoosDep) -> Response:
    """All rows of a view, unrounded, as CSV or Parquet."""
    zoo = zoos.newest()
    if zoo is None or kind not in ("csv", "parquet"):
        raise HTTPException(404, "There is no such file: leaderboard.csv, leaderboard.parquet.")
    rows = select(zoo, ask(zoo, request.query_params.multi_items()).query).rows
    return as_file(rows.reset_index(), "csv" if kind == "csv" else "parquet", "leaderboard")


@router.get("/scores")
def scores(zoos: ZoosDep) -> Response:
    """Every score."""
    return _answer(zoos, "scores", lambda zoo: scores_page(zoo, _LINKS))


@router.get("/scores/{label:path}")
def score(label: str, zoos: ZoosDep) -> Response:
    """One score."""
    return _answer(zoos, "scores", lambda zoo: score_page(zoo, label, _LINKS))


@router.get("/models/{name:path}")
def model(name: str, zoos: ZoosDep) -> Response:
    """One model."""
    return _answer(zoos, "leaderboard", lambda zoo: model_page(zoo, name, _LINKS))


@router.get("/compare")
def compare(request: Request, zoos: ZoosDep) -> Response:
    """Models, or two scores, side by side."""
    names, labels = (
        [given for given in request.query_params.getlist(field) if given]
        for field in ("model", "score")
    )
    return _answer(
        zoos, "compare", lambda zoo: compare_page(zoo, choose(zoo, names, labels), _LINKS)
    )


@router.get("/about")
def about(zoos: ZoosDep) -> Response:
    """What made these pages."""
    return _answer(zoos, "about", lambda zoo: about_page(zoo, _LINKS))


def _answer(zoos: Zoos, here: str, page: Callable[[Zoo], str]) -> Response:
    """A page of the newest zoo, or one that says why there is none."""
    tag = zoos.tag()  # before the page is made: what comes after it is not in it
    zoo = zoos.newest()
    if zoo is None:
        return HTMLResponse(nothing_page(here, "Nothing here yet", _EMPTY, None, _LINKS))
    try:
        headers = {"ETag": tag} if tag else None
        return HTMLResponse(page(zoo), headers=headers)
    except InputError as error:
        return HTMLResponse(nothing_page(here, "Not found", str(error), zoo, _LINKS), 404)
