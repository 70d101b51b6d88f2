"""API keys on the page of whoever operates the registry: made, shown once, revoked."""

from datetime import date
from typing import Any

from litestar import Response

from registry.access import SCOPES
from registry.errors import Flaw, Invalid
from registry.http.answer import Asked
from registry.http.threads import in_thread
from registry.store.api_keys import KeyRequest, Keys
from registry.ui.fields import fields_of
from registry.ui.operate import KEY_FIELDS, OPERATE, everything
from registry.ui.page import asked_of, form, page, see_other, show, with_query


@form("/operate/keys")
async def post_key_page(request: Asked) -> Response[Any]:
    """Make a key, and show it this once."""
    given = await fields_of(request, *KEY_FIELDS, *SCOPES)
    try:
        id, key = await in_thread(_keys(request).create, _wanted(given))
    except Invalid as error:
        found = await everything(request)
        found |= {"asked": given, "flaws": {flaw.pointer.split("/")[1]: flaw.detail for flaw in error.flaws}}
        return show(request, "operate.html", status=422, done=None, about="", **found)
    await request.app.state.gate.keys.anew()
    return show(request, "key_made.html", key=key, made=await in_thread(_keys(request).shown, id))


@page("/operate/keys/{id:str}/revoke")
async def get_revoke_page(request: Asked) -> Response[Any]:
    """Ask whether a key is really to be revoked."""
    asked_of(request)
    key = await in_thread(_keys(request).shown, request.path_params["id"])
    return show(request, "operate_revoke.html", key=key)


@form("/operate/keys/{id:str}/revoke")
async def post_revoke_page(request: Asked) -> Response[Any]:
    """Revoke a key."""
    await fields_of(request)
    revoked = await in_thread(_keys(request).revoke, request.path_params["id"])
    await request.app.state.gate.keys.anew()
    return see_other(with_query(OPERATE, done="revoked", about=revoked.label) + "#keys")


def _wanted(given: dict[str, str]) -> KeyRequest:
    """Read what a key is to be. Raises Invalid."""
    expires = None
    if given["expires"]:
        try:
            expires = date.fromisoformat(given["expires"])
        except ValueError:
            raise Invalid("this makes no key", [Flaw("/expires", "is no day such as 2027-12-31")]) from None
    return KeyRequest(
        label=given["label"].strip(),
        scopes=tuple(scope for scope in SCOPES if given[scope]),
        sources=tuple(given["sources"].split()),
        parties=tuple(given["parties"].split()),
        expires=expires,
    )


def _keys(request: Asked) -> Keys:
    keys: Keys = request.app.state.api_keys
    return keys
