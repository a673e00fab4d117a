"""Who may use the service: a bearer token, or a cookie that its owner got for it."""

import hashlib
import hmac
import time

COOKIE = "zoo_eval_session"
SESSION_S = 7 * 24 * 3600


def knows(token: str, given: str) -> bool:
    """Whether a text is the token, in a time that does not depend on where they differ."""
    return hmac.compare_digest(_digest(token, given), _digest(token, token))


def new_session(token: str) -> str:
    """A cookie that proves for a week that its owner had the token; the token is not in it."""
    issued = f"{int(time.time()):x}"
    return f"{issued}.{_digest(token, issued).hex()}"


def in_session(token: str, cookie: str) -> bool:
    """Whether a cookie is one of ours and not too old."""
    issued, _, signature = cookie.partition(".")
    expected = _digest(token, issued).hex().encode()
    if not hmac.compare_digest(signature.encode("utf-8", "replace"), expected):
        return False
    return time.time() - int(issued, 16) < SESSION_S


def _digest(token: str, text: str) -> bytes:
    return hmac.digest(token.encode(), text.encode("utf-8", "replace"), hashlib.sha256)
