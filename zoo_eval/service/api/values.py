"""`/values`: every value, one row each."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from zoo_eval.service.api.answers import FILES, Format, LiveDep, Page, as_file, as_json, rows_of

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
def values(query: Annotated[ValuesQuery, Query()], live: LiveDep) -> Response:
    """The newest value of every score setting, or why there is none; one row each.

    The order is that of model, weights, seed, score, options and dataset. While a run writes, a
    later page may be of a later state: compare `state`, or download a file, which is of one state.
    """
    tag, snapshot = live.tag, live.snapshot
    found = snapshot.values
    for column in ("model", "score", "weights", "dataset"):
        wanted: list[str] = getattr(query, column)
        if wanted:
            found = found[found[column].isin(wanted)]
    if query.format != "json":
        return as_file(found, query.format, "values")
    rows = found.iloc[query.cursor :][: query.size]
    after = query.cursor + len(rows)
    answer = ValuesPage.model_construct(
        state=snapshot.state,
        total=len(found),
        columns=[*map(str, found)],
        rows=rows_of(rows),
        next=after if after < len(found) else None,
    )
    return as_json(answer, tag)
