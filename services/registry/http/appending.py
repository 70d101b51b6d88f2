"""From whoever asks to what is appended, or would be: their bounds and rights, put on the events that they post."""

import re
from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from registry.access import ADMIN, Principal
from registry.domain.envelope import Posted
from registry.domain.permission import check_parties, check_source
from registry.errors import Refusal
from registry.http.answer import Asked
from registry.http.threads import in_thread
from registry.http.told import told_of
from registry.store.receipt import Forecast, Receipt
from registry.store.sequencer import Sequencer

_TRACEPARENT = re.compile(rb"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


async def append(
    request: Asked, principal: Principal, events: Sequence[Posted], *, expect: int | None = None
) -> list[Receipt]:
    """Append events for a principal, all or none. Raises Refusal with the index of one, TooLarge, Unavailable.

    An event that names no trace is of the trace in which the request is sent, if that says so.
    """
    sequencer: Sequencer = request.app.state.sequencer
    trace = traceparent(request.scope["headers"])
    if trace is not None:
        for event in events:
            event.attrs.setdefault("traceparent", trace)
    receipts = await sequencer.append(events, principal.id, expect=expect, **_bounds(principal, events))
    told_of(request.scope).position = max((receipt.position for receipt in receipts), default=0)
    return receipts


def traceparent(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """Read the header that names the trace of a request (W3C Trace Context); one that is not valid counts as none."""
    for name, value in headers:
        if name == b"traceparent":
            return value.decode() if _TRACEPARENT.fullmatch(value) else None
    return None


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
