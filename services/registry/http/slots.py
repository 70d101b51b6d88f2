"""What is sent for a long time: live streams and whole lists, and how many of them there may be at once."""

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from litestar import Response
from litestar.types import ASGIApp, Receive, Scope, Send

from registry.access import DEVELOPMENT, KEY, TOKEN
from registry.config import Settings
from registry.errors import Unavailable
from registry.http.answer import Answer, Asked, applied
from registry.http.clients import Clients
from registry.http.principal import principal_of
from registry.http.rates import TooManyRequests

RETRY_AFTER = 5
"""Seconds after which somebody who has too many may try again."""


class Slots:
    """Counts what is being sent, by who takes it. Belongs to the event loop."""

    def __init__(self, settings: Settings, clients: Clients) -> None:
        self._most = settings.max_streams
        self._most_each = settings.max_streams_each
        self._clients = clients
        self._taken: Counter[str] = Counter()
        self.taken = 0
        """How many there are in all."""

    def whose(self, request: Asked) -> str:
        """Tell under which name a request takes a slot. Raises TooManyRequests or Unavailable when there is none.

        The one who stands for everybody with ``REGISTRY_AUTH=off`` is bound by the number in all only.
        """
        principal = principal_of(request)
        known = principal.kind in (KEY, TOKEN, DEVELOPMENT)
        who_asks = "key or token" if known else "address"
        who = principal.id if known else self._clients.address(request.scope)
        if self.taken >= self._most:
            raise Unavailable(
                f"this process sends {self.taken} streams, as many as it may", retry_after=RETRY_AFTER
            )
        if principal.kind != DEVELOPMENT and self._taken[who] >= self._most_each:
            raise TooManyRequests(
                f"{self._taken[who]} streams are open for this {who_asks}, as many as may be",
                RETRY_AFTER,
            )
        return who

    @contextmanager
    def held(self, who: str) -> Iterator[None]:
        """Hold a slot for as long as the block lasts."""
        self.taken += 1
        self._taken[who] += 1
        try:
            yield
        finally:
            self.taken -= 1
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]


class Streamed(Response[None]):
    """A body of unknown length, sent piece by piece: no faster than it is taken, and no longer than it is wanted."""

    def __init__(
        self,
        chunks: AsyncGenerator[bytes, None],
        slots: Slots,
        who: str,
        *,
        media_type: str,
        headers: Mapping[str, str],
    ) -> None:
        super().__init__(None, media_type=media_type, headers=headers)
        self.chunks = chunks
        self.slots = slots
        self.who = who

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIApp:  # type: ignore[override]  # nothing is merged in
        """Give the response itself."""
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in self.headers.items()]
        headers.append((b"content-type", str(self.media_type).encode()))

        async def send_all(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001
            leaving = asyncio.create_task(left(receive))
            try:
                with self.slots.held(self.who):
                    await send({"type": "http.response.start", "status": 200, "headers": headers})
                    async for chunk in self.chunks:
                        if leaving.done():
                            return
                        await send({"type": "http.response.body", "body": chunk, "more_body": True})
            finally:
                leaving.cancel()
                await self.chunks.aclose()
            await send({"type": "http.response.body", "body": b"", "more_body": False})

        return send_all


def streamed(
    request: Asked, chunks: AsyncGenerator[bytes, None], *, media_type: str, headers: Mapping[str, str]
) -> Response[Any]:
    """Answer with a body of unknown length; HEAD gets the headers and reads nothing.

    Raises TooManyRequests or Unavailable when too many are being sent.
    """
    headers = {**applied(request), **headers, "X-Content-Type-Options": "nosniff"}
    if request.method == "HEAD":
        return Answer(b"", media_type=media_type, headers=headers, sized=False)
    slots: Slots = request.app.state.slots
    return Streamed(chunks, slots, slots.whose(request), media_type=media_type, headers=headers)


async def left(receive: Receive) -> None:
    """Wait for the client to leave."""
    while (await receive())["type"] != "http.disconnect":
        pass
