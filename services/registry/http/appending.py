"""From whoever asks to what is appended, or would be: their bounds and rights, put on the events that they post."""

from collections.abc import Sequence
from functools import partial
from typing import Any

from registry.access import ADMIN, Principal
from registry.domain.envelope import Posted
from registry.domain.permission import check_parties, check_source
from registry.errors import Refusal
from registry.http.answer import Asked
from registry.http.threads import in_thread
from registry.store.receipt import Forecast, Receipt
from registry.store.sequencer import Sequencer


async def append(
    request: Asked, principal: Principal, events: Sequence[Posted], *, expect: int | None = None
) -> list[Receipt]:
    """Append events for a principal, all or none. Raises Refusal with the index of one, TooLarge, Unavailable."""
    sequencer: Sequencer = request.app.state.sequencer
    return await sequencer.append(events, principal.id, expect=expect, **_bounds(principal, events))


async def foresee(
    request: Asked, principal: Principal, events: Sequence[Posted], *, expect: int | None = None
) -> list[Forecast]:
    """Say what ``append`` would answer now, and write nothing. Raises what it would raise."""
    sequencer: Sequencer = request.app.state.sequencer
    wanted = sequencer.prepare(events, principal.id, expect=expect, **_bounds(principal, events))
    (said,) = await in_thread(request.app.state.forecast, [wanted])
    if isinstance(said, Exception):
        raise said
    forecasts: list[Forecast] = said
    return forecasts


def _bounds(principal: Principal, events: Sequence[Posted]) -> dict[str, Any]:
    if principal.sources:
        _check_sources(principal, events)
    return {
        "admin": principal.may(ADMIN),
        "permit": partial(check_parties, principal) if principal.parties else None,
        "restricted": principal.sight.restricted,
    }


def _check_sources(principal: Principal, events: Sequence[Posted]) -> None:
    """Refuse events of sources that the principal is not bound to. Raises NotPermitted with the index of one."""
    for index, posted in enumerate(events):
        try:
            check_source(principal, posted)
        except Refusal as refusal:
            refusal.index, refusal.subject = index, posted.subject
            raise
