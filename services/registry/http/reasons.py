"""Why somebody reads: given with each request in a header, or once in a page and kept in a cookie from then on.

A browser cannot send a header of ours, so the cookie stands for it, under the same rules; it counts only where no
``Authorization`` is shown, as with pages. It is out of reach of scripts and is not sent with what other sites start.
"""

from typing import Any
from urllib.parse import quote, unquote

from registry.http.answer import Asked
from registry.http.credentials import cookie_of
from registry.http.parameters import BadHeader
from registry.http.sessions import is_https
from registry.store.access_log import MOST_LETTERS
from registry.store.page_sessions import LONGEST

REASON = "Access-Reason"
"""The header in which whoever asks may say why."""
PLAIN = "registry_reason"
SECURE = "__Host-registry_reason"


class ReasonRequired(BadHeader):
    """What is asked for is shown only to those who say why they read it."""

    def __init__(self) -> None:
        super().__init__(REASON, "is required here: say why you read this, and name nobody")


def reason(request: Asked) -> str | None:
    """Read why somebody asks. Raises BadHeader on what is no line of text, ReasonRequired where there must be one."""
    given = request.headers.get(REASON)
    text = _of_cookie(request.scope) if given is None else _of_header(given)
    if not text:
        if request.app.state.settings.require_reason:
            raise ReasonRequired
        return None
    if not fits(text):
        raise BadHeader(REASON, f"is a line of at most {MOST_LETTERS} printable characters, in UTF-8")
    return text


def fits(text: str) -> bool:
    """Tell whether a text can stand in the access log as a reason."""
    return text.isprintable() and 0 < len(text) <= MOST_LETTERS


def reason_cookie(request: Asked, text: str) -> str:
    """Make the value of ``Set-Cookie`` that keeps a reason, or with an empty one takes it away."""
    name, more = (SECURE, "; Secure") if is_https(request.scope) else (PLAIN, "")
    age = LONGEST if text else 0
    return f"{name}={quote(text, safe='')}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{more}"


def _of_header(given: str) -> str:
    if not given.strip():
        return ""
    try:
        return given.encode("latin-1").decode().strip() or "\0"
    except ValueError:
        return "\0"  # something is given, and it is no text


def _of_cookie(scope: Any) -> str:
    """Read the reason that was kept; one that does not fit is as good as none."""
    if any(name == b"authorization" for name, _ in scope["headers"]):
        return ""
    text = unquote(cookie_of(scope, (SECURE, PLAIN)) or "", errors="replace")
    return text if fits(text) else ""
