"""Events as they are given back: one, a page of them, or a stream."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from typing import Annotated, Any, NamedTuple
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from registry.access import Sight
from registry.http.answer import Answer, Asked, digest, fresh_or_304
from registry.http.parameters import DEFAULT_LIMIT, MAX_LIMIT, next_cursor
from registry.http.routing import Parameter
from registry.http.threads import LISTS
from registry.store.reader import Reader
from registry.store.rows import Row, written

STREAM_PAGE = 1000
"""Events read at a time for a stream; two such pages are what bounds its memory."""
FIRST_PAGE = 50
STREAM_BYTES = 512 << 10
"""What a page of a stream is to come to at most, by how large the events of the one before it were."""

LIMIT = Parameter(
    "limit",
    "Most events of a page",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
)
CURSOR = Parameter(
    "cursor", "Where to continue: `next` of the page before", {"type": "string", "minLength": 1}
)
AFTER = Parameter("after", "Begin behind this position", {"type": "integer", "minimum": 0})
NEXT_LINK = 'The next page, as `<...>; rel="next"`; absent on the last'

_encoder = msgspec.json.Encoder()


CLOUDEVENT_SCHEMA = {"$ref": "#/components/schemas/RecordedEvent"}


class EventPage(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Some events in the order of the log."""

    events: Annotated[
        list[Annotated[dict[str, Any], Meta(extra_json_schema=CLOUDEVENT_SCHEMA)]],
        Meta(description="CloudEvents, by position"),
    ]
    next: Annotated[
        str | None, Meta(description="The cursor of the next page; absent on the last for now")
    ] = None


class Page(NamedTuple):
    """A page, ready to be sent."""

    content: bytes
    cursor: str | None
    """Of the next page; None on the last."""
    position: int
    """Up to which the log was read."""


def make_page(rows: Sequence[Row], *, size: int, position: int) -> Page:
    """Make a page of at most ``size`` events; one more among ``rows`` says that there is a next one."""
    cursor = next_cursor(rows[size - 1].position) if len(rows) > size else None
    events: list[Any] = [msgspec.Raw(written(row)) for row in rows[:size]]
    content = _encoder.encode(EventPage(events=events, next=cursor))
    return Page(content, cursor, position)


def answer_page(
    request: Asked, given: Mapping[str, str], page: Page, headers: Mapping[str, str] | None = None
) -> Answer:
    """Answer with a page, and a link to the next one that keeps the parameters."""
    headers = {"Registry-Position": str(page.position), **(headers or {})}
    if page.cursor is not None:
        kept = {name: value for name, value in given.items() if name not in ("after", "cursor")}
        query = urlencode({**kept, "cursor": page.cursor})
        headers["Link"] = f'<{request.scope["path"]}?{query}>; rel="next"'
    return fresh_or_304(request, page.content, etag=digest(page.content), headers=headers)


class Which(NamedTuple):
    """Which events are read, and as whom."""

    agreement: str | None
    types: Sequence[str]
    """All of them when it is empty."""
    sight: Sight


def read_page(reader: Reader, after: int, size: int, which: Which) -> list[Row]:
    """Read some events behind a position."""
    return reader.page(after, size, stream=which.agreement, types=which.types, sight=which.sight)


async def lines(reader: Reader, after: int, until: int, which: Which) -> AsyncGenerator[bytes, None]:
    """Yield the events behind ``after`` up to ``until``, one JSON line each, a page of lines at a time.

    Each page is a transaction of its own; what is recorded meanwhile stands behind ``until``. A page is read while
    the one before it is sent.
    """

    def read(after: int, size: int) -> asyncio.Future[tuple[bytes, int]]:
        run = asyncio.get_running_loop().run_in_executor
        return run(LISTS, _page_of_lines, reader, after, until, which, size)

    size = FIRST_PAGE
    ahead = read(after, size)
    try:
        while True:
            chunk, after = await ahead
            if after < until:
                size = next_size(size, len(chunk))
                ahead = read(after, size)
            if chunk:
                yield chunk
            if after >= until:
                return
    finally:
        ahead.cancel()


def next_size(size: int, length: int) -> int:
    """Tell how many events to read after as many of them came to so many bytes; at most thrice as many."""
    return max(1, min(STREAM_PAGE, 3 * size, size * STREAM_BYTES // max(1, length)))


def _page_of_lines(reader: Reader, after: int, until: int, which: Which, size: int) -> tuple[bytes, int]:
    rows = read_page(reader, after, size, which)
    wanted = [written(row) for row in rows if row.position <= until]
    behind = rows[-1].position if len(rows) == size else until
    return b"\n".join((*wanted, b"")), behind
