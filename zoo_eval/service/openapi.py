"""The OpenAPI document: FastAPI's, with the media type that our refusals really have."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from zoo_eval.service.problems import MEDIA_TYPE

_DESCRIPTION = """\
What a zoo_eval store says about its networks and scores, and the runs that fill it.

Everything is read from memory; `state` names the store's content that an answer is of. A refusal
is a problem detail (RFC 9457).
"""
_PROBLEM = {"$ref": "#/components/schemas/Problem"}


def document(app: FastAPI, *, token: bool) -> dict[str, Any]:
    """The document, made once.

    Args:
        app: The application.
        token: Whether the service asks for a token.
    """
    if app.openapi_schema is None:
        made = get_openapi(
            title="zoo_eval", version=app.version, description=_DESCRIPTION, routes=app.routes
        )
        for path in made["paths"].values():
            for operation in path.values():
                for status, response in operation["responses"].items():
                    if status >= "400":
                        response["content"] = {MEDIA_TYPE: {"schema": dict(_PROBLEM)}}
        if token:
            schemes = made.setdefault("components", {}).setdefault("securitySchemes", {})
            schemes["token"] = {"type": "http", "scheme": "bearer"}
            made["security"] = [{"token": []}]
        app.openapi_schema = made
    return app.openapi_schema
