"""The form by which a browser gets its cookie: a token never stands in an address."""

from urllib.parse import parse_qs

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from zoo_eval.service.identity import COOKIE, SESSION_S, knows, new_session
from zoo_eval.service.options import ServiceOptions

router = APIRouter(include_in_schema=False)

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>Log in: zoo_eval</title>
<main>
<h1>zoo_eval</h1>
<form method="post" action="/login">
{message}
<label>Token <input type="password" name="token" autocomplete="current-password" required></label>
<button>Log in</button>
</form>
</main>
</html>
"""


@router.get("/login")
def form() -> HTMLResponse:
    """The form."""
    return HTMLResponse(_PAGE.format(message=""))


@router.post("/login")
async def login(request: Request) -> Response:
    """A cookie for who knows the token."""
    options: ServiceOptions = request.app.state.options
    sent = parse_qs((await request.body()).decode("utf-8", "replace"))
    if options.token is not None:
        if not knows(options.token, "".join(sent.get("token", []))):
            message = '<p role="alert">This is not the token.</p>'
            return HTMLResponse(_PAGE.format(message=message), 401)
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
