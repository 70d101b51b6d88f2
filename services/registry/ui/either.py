"""Paths under which a program finds JSON and a browser a page: which of both is told by ``Accept``.

A page of this kind has a path of its own as well, so that it can be linked to whatever a client prefers.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from litestar.types import ASGIApp, Message, Receive, Send

from registry.ui.accepted import accepts_html

LOG_PAGE: Final = "/log.html"
PARTIES_PAGE: Final = "/parties.html"

EITHER: Mapping[str, str] = {"/log": LOG_PAGE, "/parties": PARTIES_PAGE}
"""The page that a browser gets, by the path of the API."""
SHOWN_AS: Mapping[str, str] = {page: path for path, page in EITHER.items()}
"""The path that a page goes by in links and in the address bar."""


def varied(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Add to headers that the answer varies by ``Accept``, unless they say so already."""
    said = [*headers]
    named = b",".join(value for name, value in said if name == b"vary").lower().split(b",")
    return said if b"accept" in map(bytes.strip, named) else [*said, (b"vary", b"Accept")]


class Either:
    """An ASGI application in front of another, which it hands every request to."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        """Give a browser the page of a path that has both, and say that what is given varies."""
        path = scope["path"] if scope["type"] == "http" and scope["method"] in ("GET", "HEAD") else ""
        if path not in EITHER:
            await self.app(scope, receive, send)
            return

        async def send_varied(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = varied(message["headers"])
            await send(message)

        accept = b",".join(value for name, value in scope["headers"] if name == b"accept").decode("latin-1")
        if accepts_html(accept):
            scope = {**scope, "path": EITHER[path], "raw_path": EITHER[path].encode()}
        await self.app(scope, receive, send_varied)
