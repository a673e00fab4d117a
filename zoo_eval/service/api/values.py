"""`/values`: every value, one row each."""

from typing import Annotated

import numpy as np
from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from zoo_eval.service.api.answers import FILES, Format, LiveDep, Page, as_file, with_tables

router = APIRouter(tags=["results"])


class ValuesQuery(BaseModel):
    """Which values."""

    model_config = ConfigDict(extra="forbid")

    model: list[str] = Field([], examples=[["resnet50.a1_in1k"]])
    score: list[str] = Field([], description="Names, without options.", examples=[["dsmi"]])
    weights: list[str] = Field([], examples=[["pretrained"]])
    dataset: list[str] = Field([], examples=[["fashion@1a2b3c4d"]])
    cursor: int = Field(0, ge=0, le=2**53, description="`next` of the page before.")
    size: int = Field(1000, ge=1, le=10_000, description="Rows of a page; a file has all rows.")
    format: Format = "json"


class ValuesPage(Page):
    """Some values."""

    next: int | None = Field(description="Cursor of the next page; null at the end.")


@router.get("/values", summary="Every value", responses=FILES, response_model=ValuesPage)
async def values(query: Annotated[ValuesQuery, Query()], live: LiveDep) -> Response:
    """The newest value of every score setting, or why there is none; one row each.

    The order is that of model, weights, seed, score, options and dataset. While a run writes, a
    later page may be of a later state: compare `state`, or download a file, which is of one state.
    """
    tag, snapshot = live.tag, live.snapshot
    table = snapshot.values_table
    chosen = np.ones(table.length, bool)
    for column in ("model", "score", "weights", "dataset"):
        wanted: list[str] = getattr(query, column)
        if wanted:
            chosen &= table.among(column, wanted)
    found = np.flatnonzero(chosen)
    if query.format != "json":
        return await run_in_threadpool(as_file, snapshot.values.iloc[found], query.format, "values")
    rows = found[query.cursor :][: query.size]
    after = query.cursor + len(rows)
    head = {
        "state": snapshot.state,
        "total": len(found),
        "columns": table.columns,
        "next": after if after < len(found) else None,
    }
    return with_tables(head, {"rows": table.json(rows)}, tag)
