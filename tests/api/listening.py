"""Clients of live streams: one in the process of the service, and a reader of what is sent."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

from litestar import Litestar


class Heard(NamedTuple):
    """An event of an event stream, as section 9.2.6 of the HTML standard says it is dispatched."""

    id: str
    event: str
    data: str

    @property
    def position(self) -> int:
        return int(self.id)


class Dispatcher:
    """Reads an event stream piece by piece, wherever it is cut."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []
        self.comments: list[str] = []
        self.retry: int | None = None
        """Milliseconds after which to connect again, once the stream has said so."""
        self._rest = b""
        self._id = self._event = ""
        self._data: list[str] = []

    def feed(self, piece: bytes) -> None:
        *lines, self._rest = (self._rest + piece).split(b"\n")
        for line in lines:
            self._line(line.decode())

    def _line(self, line: str) -> None:
        if not line:
            if self._data:
                self.heard.append(Heard(self._id, self._event, "\n".join(self._data)))
            self._event, self._data = "", []
            return
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        match name:
            case "":
                self.comments.append(value)
            case "id":
                self._id = value
            case "event":
                self._event = value
            case "data":
                self._data.append(value)
            case "retry":
                self.retry = int(value)
            case _:
                raise AssertionError(line)


class Listening:
    """A client that takes what it is sent; while ``stalled`` it takes nothing."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.ended = False
        self._dispatcher = Dispatcher()
        self._changed = asyncio.Condition()
        self._taking = asyncio.Event()
        self._taking.set()
        self._left = asyncio.Event()
        self._asked = False

    @property
    def heard(self) -> list[Heard]:
        return self._dispatcher.heard

    @property
    def comments(self) -> list[str]:
        return self._dispatcher.comments

    @property
    def positions(self) -> list[int]:
        return [one.position for one in self.heard]

    def stall(self) -> None:
        self._taking.clear()

    def go_on(self) -> None:
        self._taking.set()

    def leave(self) -> None:
        self._left.set()

    async def until(self, fits: Any) -> None:
        """Wait for a condition on this client."""
        async with asyncio.timeout(20), self._changed:
            await self._changed.wait_for(lambda: fits(self))

    async def hears(self, position: int) -> None:
        """Wait for the event at a position."""
        await self.until(lambda _: position in self.positions)

    async def receive(self) -> Any:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Any) -> None:
        await self._taking.wait()
        async with self._changed:
            if message["type"] == "http.response.start":
                self.status = message["status"]
                self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            else:
                self.body += message["body"]
                self._dispatcher.feed(message["body"])
                self.ended = not message["more_body"]
            self._changed.notify_all()


@asynccontextmanager
async def listening(app: Litestar, query: str = "", **headers: str) -> AsyncIterator[Listening]:
    """Listen to ``GET /events``; a header's ``_`` stands for ``-``."""
    given = {"accept": "text/event-stream", **headers}
    client = Listening()
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/events",
        "raw_path": b"/events",
        "root_path": "",
        "query_string": query.encode(),
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
        "client": ("127.0.0.1", 1),
        "server": ("registry.test", 80),
        "state": {},
    }
    task = asyncio.create_task(app(scope, client.receive, client.send))  # type: ignore[arg-type]
    await client.until(lambda one: one.body or one.ended)
    try:
        yield client
    finally:
        client.leave()
        client.go_on()
        await task
