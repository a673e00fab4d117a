"""Errors as RFC 9457 problem details: what was needed, what was seen, what to do."""

import json
from collections.abc import Mapping
from http import HTTPStatus

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Match

from zoo_eval.errors import StoreError, ZooEvalError
from zoo_eval.report.pages.nothing import nothing_page
from zoo_eval.service.options import API
from zoo_eval.service.page_links import PageLinks

MEDIA_TYPE = "application/problem+json"
_OURS = {
    400: "The body cannot be read; it must be JSON in UTF-8.",
    404: "There is nothing at this address; /api/v1/openapi.json lists what the API has.",
    405: "This address does not take the method; the header Allow says which it does.",
}


class Mistake(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(examples=["query.size"])
    message: str = Field(examples=["should be less than or equal to 1000"])


class Problem(BaseModel):
    """What went wrong, as RFC 9457 has it."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "about:blank",
                    "title": "Not Found",
                    "status": 404,
                    "detail": "There is no model 'resnet5' in the store.",
                    "instance": "/api/v1/models/resnet5",
                    "errors": [],
                }
            ]
        }
    )

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    instance: str
    errors: list[Mistake] = []


def problem(
    status: int,
    detail: str,
    instance: str,
    errors: list[Mistake] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A response that says what went wrong."""
    title = HTTPStatus(status).phrase
    body = Problem(
        title=title, status=status, detail=detail, instance=instance, errors=errors or []
    )
    content = json.dumps(body.model_dump(), ensure_ascii=True)
    return Response(content, status, headers, MEDIA_TYPE)


async def on_http_error(request: Request, error: Exception) -> Response:
    """A refusal by a route or by the framework; to a browser as a page."""
    assert isinstance(error, HTTPException)
    status, detail = error.status_code, error.detail
    if status == 400 or detail == HTTPStatus(status).phrase:  # the framework's own
        detail = _OURS.get(status, detail)
    headers = {"Allow": _methods(request)} if status == 405 else error.headers
    if _is_for_people(request):
        title = HTTPStatus(status).phrase
        return HTMLResponse(nothing_page("", title, detail, None, PageLinks()), status, headers)
    return problem(status, detail, request.url.path, headers=headers)


def _is_for_people(request: Request) -> bool:
    """Whether a browser asks for a page."""
    accepts = request.headers.get("accept", "")
    return "text/html" in accepts and not request.url.path.startswith(f"{API}/")


def _methods(request: Request) -> str:
    """Methods that an address takes; the framework names those of one route only."""
    scopes = {method: {**request.scope, "method": method} for method in ("GET", "POST")}
    return ", ".join(
        method
        for method, scope in scopes.items()
        if any(route.matches(scope)[0] is Match.FULL for route in request.app.routes)
    )


async def on_invalid_request(request: Request, error: Exception) -> Response:
    """Parameters or a body that are not as the OpenAPI document says."""
    assert isinstance(error, RequestValidationError)
    mistakes = [
        Mistake(
            where=".".join(str(part) for part in found["loc"]),
            message=found["msg"].removeprefix("Input "),
        )
        for found in error.errors()
    ]
    detail = "; ".join(f"{mistake.where}: {mistake.message}" for mistake in mistakes)
    return problem(422, detail, request.url.path, mistakes)


async def on_our_error(request: Request, error: Exception) -> Response:
    """An expected failure, with the same message as on the command line."""
    assert isinstance(error, ZooEvalError)
    status = 503 if isinstance(error, StoreError) else 422
    return problem(status, str(error), request.url.path)
