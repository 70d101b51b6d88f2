"""/sign-in: from an API key to a session of the pages, and back to where somebody wanted to go; /sign-out."""

import asyncio
import re
import time
from typing import Any, Final

from litestar import Response

from registry.access import ANYBODY
from registry.http.answer import Asked
from registry.http.credentials import Unauthenticated
from registry.http.parameters import BadParameter
from registry.http.rates import Rates, TooManyRequests
from registry.http.reasons import fits, reason_cookie
from registry.http.sessions import close_session, open_session
from registry.ui.fields import fields_of
from registry.ui.page import answer_page, asked_of, asking, form, page, see_other, show

SIGN_IN: Final = "/sign-in"
REFUSED_AFTER = 0.5
"""Seconds after which a key that does not hold is answered, whatever is wrong with it."""

_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]{0,2000}")
"""A path of this host with its query: browsers take ``//host`` and ``/\\host`` for another one."""


@page(SIGN_IN)
async def get_sign_in(request: Asked) -> Response[Any]:
    """Show the form."""
    given = asked_of(request, "next", "out")
    target = _target(given.get("next", ""))
    if given.get("out", "yes") != "yes":
        raise BadParameter("out", "is not yes")
    return answer_page(request, "sign_in.html", **_shown(request, target, out="out" in given))


@form(SIGN_IN)
async def post_sign_in(request: Asked) -> Response[Any]:
    """Open a session with a key, or keep the reason of one that is open."""
    given = await fields_of(request, "key", "next", "reason")
    target, why = _target(given["next"]), given["reason"].strip()
    if why and not fits(why):
        return show(request, "sign_in.html", status=422, **_shown(request, target, flaw="reason"))
    kept = [reason_cookie(request, why)] if why else []
    who = asking(request)
    if not given["key"].strip() and why and who is not None and who.kind != ANYBODY:
        return see_other(target, kept=kept)
    if request.app.state.settings.auth == "off":
        return see_other(target, kept=kept)
    rates: Rates = request.app.state.gate.rates
    began = time.monotonic()
    try:
        rates.check_failures(request.scope)
        cookie = await open_session(request, given["key"])
    except TooManyRequests as error:
        shown = _shown(request, target, flaw="often")
        return show(request, "sign_in.html", status=429, headers=error.headers, **shown)
    except Unauthenticated as error:
        rates.failed(request.scope)
        await asyncio.sleep(max(0.0, began + REFUSED_AFTER - time.monotonic()))
        shown = _shown(request, target, flaw="key")
        headers = {"WWW-Authenticate": error.challenge}
        return show(request, "sign_in.html", status=401, headers=headers, **shown)
    return see_other(target, kept=[cookie, *kept])


@form("/sign-out")
async def post_sign_out(request: Asked) -> Response[Any]:
    """End the session."""
    await fields_of(request)
    gone = await close_session(request)
    return see_other(f"{SIGN_IN}?out=yes", kept=[gone, reason_cookie(request, "")])


def _target(path: str) -> str:
    """Tell where to go afterwards. Raises BadParameter on what leads to another host."""
    if not path:
        return "/"
    if not _PATH.fullmatch(path):
        raise BadParameter("next", "is no path of this registry")
    return path


def _shown(request: Asked, target: str, *, flaw: str = "", out: bool = False) -> dict[str, Any]:
    settings = request.app.state.settings
    return {
        "target": target,
        "flaw": flaw,
        "out": out,
        "off": settings.auth == "off",
        "reason_required": settings.require_reason,
    }
