"""Events as they are given back: one, a page of them, or a stream."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Annotated, Any
from urllib.parse import urlencode

import msgspec
from msgspec import Meta

from registry.api.answer import Answer, Asked, digest, fresh_or_304
from registry.api.parameters import DEFAULT_LIMIT, MAX_LIMIT, next_cursor
from registry.api.routing import Parameter
from registry.api.threads import in_thread
from registry.domain.cloudevents import outgoing
from registry.merkle.entry import format_time
from registry.store.reader import Reader
from registry.store.rows import Row

STREAM_PAGE = 500
"""Events read at a time for a stream: what bounds its memory."""

LIMIT = Parameter(
    "limit",
    "Most events of a page",
    {"type": "integer", "minimum": 1, "maximum": MAX_LIMIT, "default": DEFAULT_LIMIT},
)
CURSOR = Parameter("cursor", "Where to continue: `next` of the page before", {"type": "string"})
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


def cloudevent(row: Row) -> dict[str, Any]:
    """Give a row of the log back as a CloudEvent."""
    return outgoing(
        source=row.source,
        id=row.event_id,
        type=row.type,
        subject=row.stream_id,
        position=row.position,
        version=row.version,
        recorded_time=format_time(row.recorded_at),
        leaf_hash=row.leaf_hash,
        joined=row.joined(),
    )


def page(request: Asked, given: Mapping[str, str], rows: Sequence[Row], *, size: int, head: int) -> Answer:
    """Answer with a page of at most ``size`` events; one more in ``rows`` says that there is a next one."""
    more = len(rows) > size
    seen = max([head, *(row.position for row in rows[-1:])])  # the rows were read a moment after the head
    cursor = next_cursor(rows[size - 1].position) if more else None
    content = _encoder.encode(EventPage(events=[cloudevent(row) for row in rows[:size]], next=cursor))
    headers = {"Registry-Position": str(seen)}
    if cursor is not None:
        kept = {name: value for name, value in given.items() if name not in ("after", "cursor")}
        query = urlencode({**kept, "cursor": cursor})
        headers["Link"] = f'<{request.scope["path"]}?{query}>; rel="next"'
    return fresh_or_304(request, content, etag=digest(content), headers=headers)


async def lines(
    reader: Reader, after: int, until: int, *, stream: str | None, types: Sequence[str]
) -> AsyncIterator[bytes]:
    """Yield the events behind ``after`` up to ``until``, one JSON line each, a page of lines at a time.

    Each page is a transaction of its own; what is recorded meanwhile stands behind ``until``.
    """
    while after < until:
        chunk, after = await in_thread(_page_of_lines, reader, after, until, stream, types)
        if chunk:
            yield chunk


def _page_of_lines(
    reader: Reader, after: int, until: int, stream: str | None, types: Sequence[str]
) -> tuple[bytes, int]:
    rows = reader.page(after, STREAM_PAGE, stream=stream, types=types)
    wanted = [cloudevent(row) for row in rows if row.position <= until]
    behind = rows[-1].position if len(rows) == STREAM_PAGE else until
    return _encoder.encode_lines(wanted), behind
