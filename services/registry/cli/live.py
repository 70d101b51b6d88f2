"""A server's live events: heard over one connection, which is made again when it ends."""

import json
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from registry.cli import console
from registry.cli.exits import Stop
from registry.cli.remote import answer, get, reached, strange
from registry.config import Settings
from registry.errors import RegistryError, Unavailable
from registry.store.lock import lock_path

if TYPE_CHECKING:
    from registry.store.reader import Reader

RECONNECT = 1.0
"""Seconds after which a connection that has ended is made again."""
EVENT_STREAM = "text/event-stream"


def live(client: httpx.Client, after: int, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Yield the events behind a position as they are recorded, for ever and without a gap.

    Raises Stop or RegistryError when the server says that it will not give them.
    """
    while True:
        try:
            for event in _connected(client, after, query):
                after = int(event["sequence"])
                yield event
            said = "the server has ended the stream"
        except Unavailable as error:
            said = str(error)
        console.note(f"{said}; connecting again")
        time.sleep(RECONNECT)


def dispatched(pieces: Iterable[bytes]) -> Iterator[str]:
    """Yield the data of each event of an event stream (HTML, section 9.2.6), however it was cut into pieces.

    Lines end with LF, as the registry writes them; those of texts, which may hold other line ends, do not.
    """
    rest = b""
    data: list[str] = []
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                data.append(line[5:].removeprefix(b" ").decode())
            elif not line and data:
                yield "\n".join(data)
                data = []


def server_of(settings: Settings, reader: "Reader") -> str | None:
    """Find the server that holds the SQLite database and lets this command in; None without one.

    What the lock file says may be old, so whoever is there is asked for the name of its log.
    """
    path = lock_path(settings.database)
    url = _text_of(path) if path is not None else ""
    if not url:
        return None
    try:
        found = get(url, "/log")
        if not isinstance(found, dict) or found.get("origin") != reader.head().origin:
            return None
        get(url, "/events", limit="1")  # the head of the log is for everybody, events are not
    except (RegistryError, Stop):
        return None
    return url


def _connected(client: httpx.Client, after: int, query: dict[str, str]) -> Iterator[dict[str, Any]]:
    headers = {"Accept": EVENT_STREAM, "Last-Event-ID": str(after)}
    with (
        reached(client.base_url),
        client.stream("GET", "/events", params={**query, "after": str(after)}, headers=headers) as response,
    ):
        if not response.is_success:
            response.read()
            answer(response)
        if not response.headers.get("Content-Type", "").startswith(EVENT_STREAM):
            raise strange(response, "no event stream")
        for data in dispatched(response.iter_bytes()):
            yield json.loads(data)


def _text_of(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return ""
