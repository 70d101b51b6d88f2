"""GET /events: the history of everything, as pages, as a stream, and one event at a time."""

import re
from typing import Any

import msgspec
from litestar import Response

from registry.api.answer import CLOUDEVENT, JSON, NDJSON, PRIVATE, Asked, digest, fresh_or_304, streamed
from registry.api.freshness import MIN_POSITION, head_for
from registry.api.history import (
    AFTER,
    CLOUDEVENT_SCHEMA,
    CURSOR,
    LIMIT,
    NEXT_LINK,
    EventPage,
    cloudevent,
    lines,
    page,
)
from registry.api.parameters import BadParameter, begin_behind, limit, query
from registry.api.problems import NotAcceptable
from registry.api.routing import Content, Operation, Parameter, read
from registry.api.threads import in_thread
from registry.domain.attributes import subject_flaw
from registry.domain.events.event import EVENT_TYPES
from registry.errors import NotFound
from registry.store.reader import Reader

SCOPE = b"full"
"""What the principal may see of an event; part of its ETag, so that a change of rights changes it."""

_POSITION = re.compile(r"[1-9][0-9]{0,14}")
_encode = msgspec.json.Encoder().encode


FILTERS = (
    Parameter("type", "Event types to give, separated by commas", {"type": "string"}),
    Parameter("agreement", "The id of the agreement whose events to give", {"type": "string"}),
)


@read(
    "/events",
    Operation(
        tag="Events",
        parameters=(LIMIT, CURSOR, AFTER, *FILTERS, MIN_POSITION),
        answers={200: (Content(JSON, EventPage), Content(NDJSON, CLOUDEVENT_SCHEMA))},
        headers={"Link": NEXT_LINK},
        problems=(400, 406),
    ),
)
async def get_events(request: Asked) -> Response[Any]:
    """Read the events of all agreements

    As a page (`application/json`), or the whole history at once, one event a line (`application/x-ndjson`),
    in the order of their positions. The stream ends at the position in `Registry-Position`; ask again with
    `after` for what came since.
    """
    given = query(request, "limit", "cursor", "after", "type", "agreement", "min_position")
    form = request.accept.best_match([JSON, NDJSON]) if "accept" in request.headers else JSON
    if form is None:
        raise NotAcceptable(f"events are given as {JSON} (a page) and as {NDJSON} (all of them)")
    after, agreement, types = begin_behind(given), _agreement(given), _types(given)
    head = await head_for(request, given)
    reader: Reader = request.app.state.reader
    if form == NDJSON:
        for name in ("limit", "cursor"):
            if name in given:
                raise BadParameter(name, f"is for pages; a stream of {NDJSON} starts behind `after`")
        every = lines(reader, after, head.size, stream=agreement, types=types)
        headers = {"Registry-Position": str(head.size), "Cache-Control": PRIVATE, "Vary": "Accept"}
        return streamed(request, every, media_type=NDJSON, headers=headers)
    size = limit(given)
    rows = await in_thread(reader.page, after, size + 1, stream=agreement, types=types)
    return page(request, given, rows, size=size, head=head.size)


@read(
    "/events/{position:str}",
    Operation(
        tag="Events",
        parameters=(
            Parameter("position", "Position of the event", {"type": "integer", "minimum": 1}, where="path"),
            MIN_POSITION,
        ),
        answers={200: Content(CLOUDEVENT, CLOUDEVENT_SCHEMA)},
        problems=(400, 404),
    ),
)
async def get_event(request: Asked) -> Response[Any]:
    """Read one event

    As the CloudEvent that was posted, with `recordedtime`, `sequence` (its position), `agreementversion` and
    `leafhash`; an erased value is `{"$part": k}`, and `erasedparts` lists such `k`.
    """
    head = await head_for(request, query(request, "min_position"))
    reader: Reader = request.app.state.reader
    position: str = request.path_params["position"]
    row = await in_thread(reader.event, int(position)) if _POSITION.fullmatch(position) else None
    if row is None:
        raise NotFound(f"there is no event at this position; the log ends at {head.size}")
    open_parts = ",".join(map(str, sorted(row.parts))).encode()
    return fresh_or_304(
        request,
        _encode(cloudevent(row)),
        etag=digest(row.leaf_hash, open_parts, SCOPE),
        media_type=CLOUDEVENT,
        headers={"Registry-Position": str(head.size)},
    )


def _agreement(given: dict[str, str]) -> str | None:
    agreement = given.get("agreement")
    if agreement is not None and (flaw := subject_flaw(agreement)) is not None:
        raise BadParameter("agreement", flaw)
    return agreement


def _types(given: dict[str, str]) -> tuple[str, ...]:
    """Read the types asked for, separated by commas."""
    if "type" not in given:
        return ()
    types = tuple(given["type"].split(","))
    for type_ in types:
        if type_ not in EVENT_TYPES:
            raise BadParameter("type", "names a type that is not known; separate several by commas")
    return types
