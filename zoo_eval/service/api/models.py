"""`/models`: the leaderboard; `/models/NAME`: all that is known of one network."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from zoo_eval.report.frames import Frame
from zoo_eval.report.pages.snippet import details_of, loading_snippet
from zoo_eval.report.selection import containing
from zoo_eval.service.api.answers import (
    FILES,
    NOT_FOUND,
    Format,
    LiveDep,
    Page,
    Row,
    as_file,
    cells_of,
    not_found,
    plain,
    with_tables,
)
from zoo_eval.service.api.selection import known, matching, ordered
from zoo_eval.service.snapshot import Snapshot

router = APIRouter(tags=["results"])


class ModelsQuery(BaseModel):
    """Which models, which columns, in which order."""

    model_config = ConfigDict(extra="forbid")

    q: str = Field("", description="Part of the name or family, in any case.", examples=["resnet"])
    family: list[str] = Field([], description="Any of these families.", examples=[["resnet"]])
    where: list[str] = Field(
        [],
        description="Conditions that must all hold: a column, one of `<= >= < > = !=`, a value.",
        examples=[["params<=30000000"]],
    )
    columns: str = Field(
        "",
        description="Columns beside `model`, with commas between; all if empty.",
        examples=["family,params"],
    )
    sort: str = Field(
        "", description="Columns to sort by; `-` before one: largest first.", examples=["-params"]
    )
    page: int = Field(1, ge=1, le=1_000_000)
    size: int = Field(50, ge=1, le=1000, description="Rows of a page; a file has all rows.")
    format: Format = "json"


class Ranked(BaseModel):
    """A score of one model among all models that have it."""

    score: str = Field(description="Label of the score.", examples=["dsmi @pretrained"])
    value: float | None
    rank: int | None = Field(description="1 is the best, in the direction `better`.")
    percentile: float | None = Field(description="Share of the other models that are worse, in %.")
    models: int = Field(description="Models that have this score.")
    better: str = Field(description="`higher` or `lower`, by the literature.", examples=["higher"])
    undefined_because: str | None


class ModelAnswer(BaseModel):
    """All that the store knows of a model."""

    state: str
    model: str = Field(examples=["resnet50.a1_in1k"])
    facts: Row
    accuracies: dict[str, float]
    scores: list[Ranked]
    siblings: list[str] = Field(description="Same architecture, other weights.")
    attempts: list[Row] = Field(description="Every try at it, the newest first.")
    trust: list[Row] = Field(description="Its measured against its published accuracy.")
    snippet: str = Field(description="Python that loads it.")


@router.get("/models", summary="The leaderboard", responses=FILES, response_model=Page)
async def models(query: Annotated[ModelsQuery, Query()], live: LiveDep) -> Response:
    """Models that were tried: facts, accuracies and scores; sorted, filtered and paged."""
    tag, snapshot = live.tag, live.snapshot
    board, table = snapshot.board, snapshot.board_table
    chosen = [known(board, name) for name in query.columns.split(",") if name]
    columns = list(dict.fromkeys(["model", *chosen])) if chosen else table.columns
    found = _found(board, query)
    if query.format != "json":
        return await run_in_threadpool(as_file, board.iloc[found][columns], query.format, "models")
    rows = found[(query.page - 1) * query.size :][: query.size]
    head = {"state": snapshot.state, "total": len(found), "columns": columns}
    return with_tables(head, {"rows": table.json(rows, columns if chosen else None)}, tag)


def _found(board: Frame, query: ModelsQuery) -> np.ndarray:
    """Numbers of the rows that are asked for, in order."""
    board = containing(board, board["model"], query.q)
    if query.family:
        board = board[board["family"].isin(query.family)]
    return ordered(matching(board, query.where), query.sort)


@router.get(
    "/models/{name:path}", summary="One model", responses=NOT_FOUND, response_model=ModelAnswer
)
async def model(name: str, live: LiveDep) -> Response:
    """Its scores with rank and percentile, its siblings, and what happened when it was tried."""
    snapshot = live.snapshot
    if snapshot.data is None or name not in snapshot.data.models.index:
        raise not_found(f"There is no model {name!r} in the store.")
    data = snapshot.data
    accuracies = data.accuracies.loc[name].dropna()
    siblings = snapshot.siblings[name.partition(".")[0]]
    head = {
        "state": snapshot.state,
        "model": name,
        "facts": cells_of(data.models.loc[name]),
        "accuracies": {str(truth): float(value) for truth, value in accuracies.items()},
        "scores": _ranked(snapshot, name),
        "siblings": [other for other in siblings if other != name],
        "snippet": loading_snippet(name, details_of(data.models, name)),
    }
    tables = {"attempts": live.activity.tries.json(name), "trust": snapshot.trust.json(name)}
    return with_tables(head, tables)


def _ranked(snapshot: Snapshot, name: str) -> list[Ranked]:
    assert snapshot.data is not None
    standings, counts = snapshot.standings, snapshot.counts
    place = snapshot.data.scores.index.get_loc(name)
    values, ranks, percentiles = (
        frame.to_numpy()[place].tolist()
        for frame in (snapshot.data.scores, standings.ranks, standings.percentiles)
    )
    return [
        Ranked.model_construct(
            score=label,
            value=plain(value),
            rank=None if rank != rank else int(rank),
            percentile=plain(percentile),
            models=counts[label],
            better=way,
            undefined_because=standings.reasons.get((name, label)),
        )
        for (label, way), value, rank, percentile in zip(
            standings.better.items(), values, ranks, percentiles, strict=True
        )
    ]
