"""The form by which a browser gets its cookie: a token never stands in an address."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from zoo_eval.report.environment import render
from zoo_eval.service.identity import COOKIE, SESSION_S, knows, new_session
from zoo_eval.service.options import ServiceOptions
from zoo_eval.service.page_links import PageLinks

router = APIRouter(include_in_schema=False)


@router.get("/login")
def form() -> HTMLResponse:
    """The form."""
    return _form()


@router.post("/login")
async def login(request: Request) -> Response:
    """A cookie for who knows the token."""
    options: ServiceOptions = request.app.state.options
    sent = parse_qs((await request.body()).decode("utf-8", "replace"))
    if options.token is not None:
        if not knows(options.token, "".join(sent.get("token", []))):
            return _form("This is not the token.", 401)
        response = RedirectResponse("/", 303)
        response.set_cookie(
            COOKIE,
            new_session(options.token),
            max_age=SESSION_S,
            secure=request.url.scheme == "https",
            httponly=True,
            samesite="strict",
        )
        return response
    return RedirectResponse("/", 303)


@router.post("/logout")
def logout() -> Response:
    """Forget the cookie."""
    response = RedirectResponse("/login", 303)
    response.delete_cookie(COOKIE, httponly=True, samesite="strict")
    return response


def _form(problem: str = "", status: int = 200) -> HTMLResponse:
    style = PageLinks().asset("style.css")
    return HTMLResponse(render("login.html.jinja", problem=problem, style=style), status)
