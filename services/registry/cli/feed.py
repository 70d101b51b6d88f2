"""The log as ``tail`` reads it: page by page behind a position, from a database or from a server."""

import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

import msgspec

from registry.config import Settings

if TYPE_CHECKING:
    import httpx

PAGE = 500
POLL = 0.2
"""Seconds between two looks at a database."""

Event = dict[str, Any]
"""A CloudEvent, as the registry gives it back."""


class Wanted(msgspec.Struct, frozen=True):
    """Which events are wanted."""

    agreement: str | None = None
    types: tuple[str, ...] = ()

    @property
    def everything(self) -> bool:
        """True when nothing is left out."""
        return self.agreement is None and not self.types


class Page(msgspec.Struct, frozen=True):
    """Some events, and where to go on."""

    events: list[Event]
    behind: int
    """Every event up to this position has been seen."""
    head: int
    """Where the log ended."""


class Feed(Protocol):
    """A log that can be read from any position."""

    def page(self, after: int, wanted: Wanted) -> Page:
        """Read some events behind a position; none when there are no more. Raises Unavailable."""

    def news(self, after: int, wanted: Wanted) -> Iterator[list[Event]]:
        """Yield the events behind a position as they are recorded, for ever. Raises Unavailable."""


class LocalFeed:
    """The log in a database of this machine."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader

    def page(self, after: int, wanted: Wanted) -> Page:
        """Read up to ``PAGE`` events."""
        from registry.store.rows import cloudevent

        head = self._reader.head().size  # before the rows, so that none of them is passed over
        rows = self._reader.page(after, PAGE, stream=wanted.agreement, types=wanted.types)
        behind = rows[-1].position if len(rows) == PAGE else max([head, *(row.position for row in rows)])
        return Page([cloudevent(row) for row in rows], max(after, behind), head)

    def news(self, after: int, wanted: Wanted) -> Iterator[list[Event]]:
        """Look again and again."""
        while True:
            page = self.page(after, wanted)
            yield page.events
            if page.behind == after:
                time.sleep(POLL)
            after = page.behind


class RemoteFeed:
    """The log behind a URL."""

    def __init__(self, client: "httpx.Client") -> None:
        self._client = client

    def page(self, after: int, wanted: Wanted) -> Page:
        """Ask for up to ``PAGE`` events."""
        from registry.cli.remote import answer, reached, strange

        query = {"after": str(after), "limit": str(PAGE), **_query(wanted)}
        with reached(self._client.base_url):
            response = self._client.get("/events", params=query)
        found = answer(response)
        try:
            head = int(response.headers["Registry-Position"])
            events: list[Event] = found["events"]
            seen = [position_of(event) for event in events]
            behind = seen[-1] if "next" in found else max([head, after, *seen])
        except (KeyError, TypeError, ValueError, IndexError) as error:
            raise strange(response, "no page of events") from error
        return Page(events, behind, head)

    def news(self, after: int, wanted: Wanted) -> Iterator[list[Event]]:
        """Listen to the server."""
        from registry.cli.live import live

        for event in live(self._client, after, _query(wanted)):
            yield [event]


def _query(wanted: Wanted) -> dict[str, str]:
    agreement = {} if wanted.agreement is None else {"agreement": wanted.agreement}
    return agreement | ({"type": ",".join(wanted.types)} if wanted.types else {})


@contextmanager
def feed(url: str | None, settings: Settings, *, follow: bool = False) -> Iterator[Feed]:
    """Open a server, or the database of the settings; to follow it, the server that holds it.

    Raises Stop or Unavailable.
    """
    with ExitStack() as opened:
        if not url:
            from registry.cli.database import reader

            found = opened.enter_context(reader(settings))
            if follow:
                from registry.cli.live import server_of

                url = server_of(settings, found)
            if not url:
                yield LocalFeed(found)
                return
        import httpx

        from registry.cli.remote import client_options

        yield RemoteFeed(opened.enter_context(httpx.Client(**client_options(url))))


def position_of(event: Mapping[str, Any]) -> int:
    """Return where an event stands in the log."""
    return int(event["sequence"])
