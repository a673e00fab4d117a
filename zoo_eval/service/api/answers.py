"""What routes have in common: what they are given, and how tables and refusals look."""

import io
import json
import math
from collections.abc import Mapping
from typing import Annotated, Any, Literal

import pandas as pd
from fastapi import Depends, Request
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.responses import Response

from zoo_eval.report.csv_text import csv_text
from zoo_eval.report.frames import Frame, Series
from zoo_eval.service.live import Live
from zoo_eval.service.problems import Problem
from zoo_eval.service.statistics import Statistics

Cell = str | int | float | bool | None
Row = dict[str, Cell]
Format = Literal["json", "csv", "parquet"]

REFUSALS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "A token is needed."},
    421: {"model": Problem, "description": "The name in the header Host is not the service's."},
    422: {"model": Problem, "description": "A parameter is not what it must be."},
    429: {"model": Problem, "description": "Too many requests; see the header Retry-After."},
    500: {"model": Problem, "description": "The service failed."},
}
CHANGES: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body cannot be read."},
    403: {"model": Problem, "description": "The service is read-only, or another site asked."},
    413: {"model": Problem, "description": "The body is too long."},
    503: {"model": Problem, "description": "The queue cannot be written."},
}
NOT_FOUND: dict[int | str, dict[str, Any]] = {
    404: {"model": Problem, "description": "The store has nothing of this name."}
}
FILES: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {
            "text/csv": {"schema": {"type": "string"}},
            "application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}},
        }
    }
}


# Plain functions would each be sent to a thread, which costs more than what they do.
async def _live(request: Request) -> Live:
    return request.app.state.live


async def _statistics(request: Request) -> Statistics:
    return request.app.state.statistics


LiveDep = Annotated[Live, Depends(_live)]
StatisticsDep = Annotated[Statistics, Depends(_statistics)]


class Page(BaseModel):
    """Some rows of a table.

    The keys of a row are `columns`; a value that is not known is null.
    """

    state: str = Field(description="Names the store's content.", examples=["5e9ec0a2c1f0d1b2"])
    total: int = Field(description="Rows that fulfil the conditions.", examples=[1556])
    columns: list[str] = Field(examples=[["model", "family", "imagenet_top1"]])
    rows: list[Row] = Field(
        examples=[[{"model": "resnet50.a1_in1k", "family": "resnet", "imagenet_top1": 0.8045}]]
    )


def rows_of(frame: Frame) -> list[Row]:
    """Rows as plain values; what is missing as None."""
    cells = [[plain(value) for value in column.tolist()] for _, column in frame.items()]
    names = [*map(str, frame)]
    return [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]


def cells_of(row: Series) -> Row:
    """One row likewise."""
    return {str(name): plain(value) for name, value in row.items()}


def plain(value: Any) -> Cell:  # noqa: ANN401  # whatever a cell may hold
    """A cell as JSON has it; what is missing or infinite as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (str, int)):
        return value
    if pd.isna(value):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value.item()


def as_json(answer: BaseModel, tag: str | None = None) -> Response:
    """An answer whose parts are as its model says; to check thousands of cells takes too long.

    Args:
        answer: The answer.
        tag: Of the store's content before the answer was made, if it follows from that alone.
    """
    headers = None if tag is None else {"ETag": tag}
    return Response(json.dumps(vars(answer), default=vars), 200, headers, "application/json")


def with_tables(
    head: Mapping[str, object], tables: Mapping[str, str], tag: str | None = None
) -> Response:
    """An answer with tables that have been written already.

    Args:
        head: Everything else.
        tables: JSON arrays by name, as `Table.json` gives them.
        tag: As in `as_json`.
    """
    parts = [json.dumps(head, default=vars)[1:-1]]
    parts += [f"{json.dumps(name)}: {rows}" for name, rows in tables.items()]
    headers = None if tag is None else {"ETag": tag}
    return Response(f"{{{', '.join(parts)}}}", 200, headers, "application/json")


def as_file(frame: Frame, kind: Literal["csv", "parquet"], name: str) -> Response:
    """A table to download; its first column names the rows."""
    if kind == "csv":
        rows = frame.set_index(frame.columns[0])
        content, media = csv_text(rows).encode(), "text/csv; charset=utf-8"
    else:
        buffer = io.BytesIO()
        frame.to_parquet(buffer, index=False)
        content, media = buffer.getvalue(), "application/vnd.apache.parquet"
    disposition = {"Content-Disposition": f'attachment; filename="{name}.{kind}"'}
    return Response(content, 200, disposition, media)


def not_found(detail: str) -> HTTPException:
    """To be raised where the store has nothing of a name."""
    return HTTPException(404, detail)


def invalid(detail: str) -> HTTPException:
    """To be raised where a parameter asks for what there is not."""
    return HTTPException(422, detail)
