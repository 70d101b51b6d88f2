"""Feeds to subscribe to: the newest events of one agreement, of the agreements of a party, and of all."""

from collections.abc import Iterable
from typing import Any

import msgspec
from litestar import Response

from registry.access import Sight
from registry.api.atom import MEDIA_TYPE, write_feed
from registry.api.calendars import PARTY, party_id
from registry.domain.envelope import Recorded
from registry.domain.wording import title_of
from registry.http.answer import Asked, digest, fresh_or_304
from registry.http.as_of import ID, agreement_id, read_as_of
from registry.http.freshness import LOG
from registry.http.parameters import number, query
from registry.http.principal import principal_of
from registry.http.routing import Content, Operation, Parameter, read
from registry.http.threads import in_thread
from registry.projections.agreements import AGREEMENTS
from registry.projections.feed import newest_of_party
from registry.projections.views import Views
from registry.store.reader import Reader

MOST_ENTRIES = 100

BEFORE = Parameter("before", "Only events before this position", {"type": "integer", "minimum": 1})
FORM = Content("application/atom+xml", {"type": "string"})
OPERATION: dict[str, Any] = {"tag": "Agreements", "answers": {200: FORM}}


class Found(msgspec.Struct, frozen=True):
    """What a page of a feed shows."""

    title: str
    events: tuple[Recorded, ...]
    """The newest first; one more than a page has says that there is a next one."""
    position: int
    """Up to which the log was read."""


@read(
    "/agreements/{id:str}/feed.atom",
    Operation(reads=(LOG,), parameters=(ID, BEFORE), problems=(400, 404), **OPERATION),
)
async def get_agreement_feed(request: Asked) -> Response[Any]:
    """Read the feed of an agreement

    Its newest events, at most 100 a page, as Atom; `rel="next"` leads to older ones. Each entry says in words what
    its event says, without naming anybody, and links to it.
    """
    before, id = _before(request), agreement_id(request)
    sight = principal_of(request).sight
    found = await in_thread(_of_agreement, request.app.state.reader, id, before, sight)
    return await _answer(request, found, before)


@read(
    "/parties/{id:str}/feed.atom",
    Operation(reads=(AGREEMENTS,), parameters=(PARTY, BEFORE), problems=(400, 404), **OPERATION),
)
async def get_party_feed(request: Asked) -> Response[Any]:
    """Read the feed of the agreements of a party

    As that of one agreement.
    """
    before, party = _before(request), party_id(request)
    views: Views = request.app.state.views
    sight = principal_of(request).sight
    newest = await views.read(newest_of_party, party, before, MOST_ENTRIES + 1, sight=sight)
    events = tuple(row.recorded() for row in newest.rows)
    return await _answer(request, Found(f"Agreements of {party}", events, newest.position), before)


@read("/feed.atom", Operation(reads=(LOG,), parameters=(BEFORE,), problems=(400,), **OPERATION))
async def get_feed(request: Asked) -> Response[Any]:
    """Read the feed of all agreements

    As that of one agreement.
    """
    before = _before(request)
    found = await in_thread(_of_all, request.app.state.reader, before, principal_of(request).sight)
    return await _answer(request, found, before)


def _before(request: Asked) -> int | None:
    return number(query(request, "before"), "before", least=1)


def _of_agreement(reader: Reader, id: str, before: int | None, sight: Sight) -> Found:
    known = read_as_of(reader, id, None, sight)
    older: Iterable[Recorded] = known.state.recorded.values()
    if before is not None:
        older = (event for event in older if event.position < before)
    events = sorted(older, key=lambda event: event.position, reverse=True)
    return Found(title_of(known.state), tuple(events[: MOST_ENTRIES + 1]), known.position)


def _of_all(reader: Reader, before: int | None, sight: Sight) -> Found:
    size = reader.head().size
    rows = reader.newest(size + 1 if before is None else min(size + 1, before), MOST_ENTRIES + 1, sight)
    return Found("Agreements", tuple(row.recorded() for row in rows), reader.position_for(sight, size))


async def _answer(request: Asked, found: Found, before: int | None) -> Response[Any]:
    content = await in_thread(_write, request.app.state.reader, request.scope["path"], found, before)
    headers = {"Registry-Position": str(found.position)}
    return fresh_or_304(request, content, etag=digest(content), media_type=MEDIA_TYPE, headers=headers)


def _write(reader: Reader, path: str, found: Found, before: int | None) -> bytes:
    shown = found.events[:MOST_ENTRIES]
    return write_feed(
        found.title,
        shown,
        origin=reader.head().origin,
        path=path,
        here=path if before is None else f"{path}?before={before}",
        onward=f"{path}?before={shown[-1].position}" if len(found.events) > MOST_ENTRIES else None,
    )
