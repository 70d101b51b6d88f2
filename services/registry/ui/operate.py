"""/operate: how the registry does, for whoever operates it, and what can be done about it."""

import asyncio
import logging
from typing import Any, Final

import msgspec
from litestar import Response

from registry.access import SCOPES, Sight
from registry.audit.overview import overview
from registry.errors import NotFound, RegistryError
from registry.http.answer import Asked
from registry.http.parameters import BadParameter
from registry.http.principal import principal_of
from registry.http.refusals import Refused
from registry.http.threads import in_thread
from registry.merkle.entry import format_time
from registry.projections.operate import Operator, ProjectionStatus
from registry.projections.parking import RETRY
from registry.store.reader import Reader
from registry.ui.fields import fields_of
from registry.ui.page import asked_of, form, page, see_other, show, with_query

log = logging.getLogger(__name__)

OPERATE: Final = "/operate"
PATIENCE = 2.0
"""Seconds after which a page no longer waits for a rebuild, which goes on all the same."""
KEY_FIELDS = ("label", "sources", "parties", "expires")
"""What makes a key, beside its scopes."""
DONE = ("retry", "skipped", "rebuilt", "rebuilding", "revoked")
"""What can have been done before the page is shown again."""


class Refusal(msgspec.Struct, frozen=True):
    """A post that was refused, with its time in words."""

    at: str
    refused: Refused


@page(OPERATE)
async def get_operate(request: Asked) -> Response[Any]:
    """Show how the registry does."""
    given = asked_of(request, "done", "about")
    if given.get("done", DONE[0]) not in DONE:
        raise BadParameter("done", f"is not one of {', '.join(DONE)}")
    done, about = given.get("done"), given.get("about", "")
    return show(request, "operate.html", done=done, about=about[:80], **await everything(request))


@form("/operate/projections/{name:str}/rebuild")
async def post_rebuild_page(request: Asked) -> Response[Any]:
    """Build a read model anew; the page does not wait until a long build is done."""
    await fields_of(request)
    name = request.path_params["name"]
    _model(await in_thread(_operator(request).status), name)
    building = asyncio.create_task(_rebuild(request, name))
    running: set[asyncio.Task[bool]] = request.app.state.rebuilds
    running.add(building)
    building.add_done_callback(running.discard)
    done, _ = await asyncio.wait([building], timeout=PATIENCE)
    return _back("rebuilt" if done and building.result() else "rebuilding", name)


@form("/operate/projections/{name:str}/parked/{id:str}/retry")
async def post_retry_page(request: Asked) -> Response[Any]:
    """Try a parked agreement again."""
    await fields_of(request)
    name, id = request.path_params["name"], request.path_params["id"]
    await in_thread(_operator(request).retry, name, id)
    return _back("retry", id)


@page("/operate/projections/{name:str}/parked/{id:str}/skip")
async def get_skip_page(request: Asked) -> Response[Any]:
    """Ask whether a parked agreement is really to go on without what cannot be made."""
    asked_of(request)
    name, id = request.path_params["name"], request.path_params["id"]
    model = _model(await in_thread(_operator(request).status), name)
    parked = next((one for one in model.parked if one.stream == id), None)
    if parked is None:
        raise NotFound(f"{id[:80]!r} is not parked in the read model {name}")
    return show(request, "operate_skip.html", parked=parked)


@form("/operate/projections/{name:str}/parked/{id:str}/skip")
async def post_skip_page(request: Asked) -> Response[Any]:
    """Let a parked agreement go on with its next event."""
    await fields_of(request)
    name, id = request.path_params["name"], request.path_params["id"]
    await in_thread(_operator(request).skip, name, id)
    return _back("skipped", id)


async def everything(request: Asked) -> dict[str, Any]:
    """Gather what the page shows, the keys among it."""
    state = request.app.state
    sight = principal_of(request).sight
    seen = await in_thread(overview, state.reader, state.settings, sight)
    models = await in_thread(_operator(request).status)
    return {
        "models": models,
        "parked": [each for model in models for each in model.parked],
        "retry": RETRY,
        "seen": seen,
        "standing": state.sequencer.read_only,
        "waiting": state.sequencer.queued,
        "refusals": await in_thread(refusals_shown, state.reader, tuple(state.refusals), sight),
        "keys": await in_thread(state.api_keys.listed),
        "scopes": SCOPES,
        "asked": dict.fromkeys((*KEY_FIELDS, *SCOPES), ""),
        "flaws": {},
    }


def refusals_shown(reader: Reader, refused: tuple[Refused, ...], sight: Sight) -> list[Refusal]:
    """Give what was refused, the newest first, without what is about agreements that do not exist for a reader."""
    named = {one.agreement for one in refused if one.agreement}
    hidden = frozenset() if sight.restricted else reader.restricted_among(named)
    return [Refusal(format_time(one.at), one) for one in reversed(refused) if one.agreement not in hidden]


async def _rebuild(request: Asked, name: str) -> bool:
    try:
        await in_thread(_operator(request).rebuild, name)
    except RegistryError:
        log.warning("the read model %s could not be built anew", name, exc_info=True)
        return False
    return True


def _model(models: list[ProjectionStatus], name: str) -> ProjectionStatus:
    for model in models:
        if model.name == name:
            return model
    raise NotFound("there is no such read model")


def _back(done: str, about: str) -> Response[Any]:
    return see_other(with_query(OPERATE, done=done, about=about))


def _operator(request: Asked) -> Operator:
    operator: Operator = request.app.state.operator
    return operator
