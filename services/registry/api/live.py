"""Live events: GET /events as server-sent events, which a client takes up again where it left off."""

import asyncio
import re
from collections.abc import Mapping
from functools import partial
from typing import Any

from litestar import Response
from litestar.types import ASGIApp, Receive, Scope, Send

from registry.access import KEY, TOKEN
from registry.api.frames import Wanted
from registry.api.streams import Streams
from registry.http.answer import Answer, Asked, applied
from registry.http.gate import Gate
from registry.http.parameters import BadHeader, BadParameter, number
from registry.http.principal import principal_of
from registry.http.slots import Slots, left
from registry.http.threads import in_thread
from registry.http.told import told_of
from registry.store.reader import Reader

EVENT_STREAM = "text/event-stream"
LAST_EVENT_ID = "Last-Event-ID"
HEADERS = {
    "Cache-Control": "no-store",
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
    "X-Accel-Buffering": "no",  # nginx would gather events before it passes them on
}

SHOWN = (KEY, TOKEN)
"""Those who have shown something that may come to an end before their stream does."""

_POSITION = re.compile(r"0|[1-9][0-9]{0,15}")


class Live(Response[None]):
    """A response that goes on until the client or the service ends it."""

    def __init__(self, request: Asked, wanted: Wanted, after: int, headers: Mapping[str, str]) -> None:
        super().__init__(None, media_type=EVENT_STREAM, headers=headers)
        self.streams: Streams = request.app.state.streams
        self.slots: Slots = request.app.state.slots
        self.who = self.slots.whose(request)
        self.principal = principal_of(request)
        self.gate: Gate = request.app.state.gate
        self.wanted = wanted
        self.after = after

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIApp:  # type: ignore[override]  # nothing is merged in
        """Give the response itself."""
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        headers.append((b"content-type", EVENT_STREAM.encode()))

        async def send_all(scope: Scope, receive: Receive, send: Send) -> None:
            told_of(scope).lasting = True
            await send({"type": "http.response.start", "status": 200, "headers": headers})
            permitted = (
                partial(self.gate.holds, scope, self.principal) if self.principal.kind in SHOWN else None
            )
            with self.slots.held(self.who), self.streams.opened(self.wanted, self.after, permitted) as stream:
                leaving = asyncio.create_task(left(receive))
                leaving.add_done_callback(lambda _: stream.end())
                try:
                    async for chunk in self.streams.follow(stream):
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
                finally:
                    leaving.cancel()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        return send_all


async def answer_live(request: Asked, given: dict[str, str], wanted: Wanted) -> Response[Any]:
    """Answer with the events behind ``Last-Event-ID``, else behind ``after``, else those from now on.

    A browser repeats the query when it connects again, so the header counts. Raises BadHeader and BadParameter
    for a position that this log cannot have given, and Unavailable.
    """
    for name in ("limit", "cursor"):
        if name in given:
            raise BadParameter(name, f"is for pages; a stream of {EVENT_STREAM} starts behind `after`")
    reader: Reader = request.app.state.reader
    head = (await in_thread(reader.head)).size
    end = await in_thread(reader.position_for, wanted.sight, head)
    after = last_event_id(request)
    beyond = f"is beyond the end of the log, which is at {end}"
    if after is not None and after > head:
        raise BadHeader(LAST_EVENT_ID, beyond)
    if after is None and (after := number(given, "after")) is not None and after > head:
        raise BadParameter("after", beyond)
    headers = {**HEADERS, **applied(request), "Registry-Position": str(end)}
    if request.method == "HEAD":
        return Answer(b"", media_type=EVENT_STREAM, headers=headers, sized=False)
    return Live(request, wanted, head if after is None else after, headers)


def last_event_id(request: Asked) -> int | None:
    """Read up to which position a client has got the events, if it says so. Raises BadHeader.

    It may have got further than what it may see now, if agreements have been restricted since.
    """
    text = request.headers.get(LAST_EVENT_ID, "").strip()
    if not text:
        return None
    if not _POSITION.fullmatch(text):
        raise BadHeader(LAST_EVENT_ID, "is no position")
    return int(text)
