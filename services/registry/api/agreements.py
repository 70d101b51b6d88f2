"""GET /agreements/{id}: what is true of one agreement on any day, as known at any time; and its history."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
from litestar import Response

from registry.api.answer import JSON, Asked, digest, fresh_or_304
from registry.api.freshness import MIN_POSITION, reached
from registry.api.history import (
    AFTER,
    CURSOR,
    LIMIT,
    NEXT_LINK,
    EventPage,
    Page,
    answer_page,
    make_page,
)
from registry.api.parameters import BadParameter, begin_behind, day, limit, number, query
from registry.api.routing import Content, Operation, Parameter, read
from registry.api.threads import in_thread
from registry.domain.agreement import Agreement, fold
from registry.domain.attributes import subject_flaw, time_flaw
from registry.domain.values import write_custom
from registry.domain.view import AgreementView, view, visibility
from registry.errors import NotFound
from registry.store.head import Head
from registry.store.reader import Reader

ID = Parameter("id", "The id of the agreement", {"type": "string"}, required=True, where="path")
KNOWN_AS_OF = Parameter(
    "known_as_of",
    "Answer with what the registry knew then: a position, or a time (RFC 3339; write its `+` as `%2B`). The "
    "header `Registry-Position` says which position a time stands for.",
    {"type": "string"},
)
VALID_AS_OF = Parameter(
    "valid_as_of",
    "The day that decides status and whatever else depends on one; by default today in UTC",
    {"type": "string", "format": "date"},
)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)

_encode = msgspec.json.Encoder(enc_hook=write_custom).encode


@read(
    "/agreements/{id:str}",
    Operation(
        tag="Agreements",
        parameters=(ID, VALID_AS_OF, KNOWN_AS_OF, MIN_POSITION),
        answers={200: Content(JSON, AgreementView)},
        headers={"ETag": 'The version of the agreement and a digest of what is shown: `"v8.<digest>"`'},
        problems=(400, 404),
    ),
)
async def get_agreement(request: Asked) -> Response[Any]:
    """Read an agreement

    Its state, folded from its events: status and what explains it, claims, disputes, parts and warnings.
    """
    given = query(request, "valid_as_of", "known_as_of", "min_position")
    on = day(given, "valid_as_of")
    id = _id(request)
    await reached(request, given)
    reader: Reader = request.app.state.reader
    content, etag, until = await in_thread(_show, reader, id, on, given.get("known_as_of"))
    return fresh_or_304(request, content, etag=etag, headers={"Registry-Position": str(until)})


@read(
    "/agreements/{id:str}/events",
    Operation(
        tag="Agreements",
        parameters=(ID, KNOWN_AS_OF, LIMIT, CURSOR, AFTER, MIN_POSITION),
        answers={200: Content(JSON, EventPage)},
        headers={"Link": NEXT_LINK},
        problems=(400, 404),
    ),
)
async def get_agreement_events(request: Asked) -> Response[Any]:
    """Read the events of an agreement

    In the order of their positions, each as the CloudEvent that was posted.
    """
    given = query(request, "known_as_of", "limit", "cursor", "after", "min_position")
    id = _id(request)
    after, size = begin_behind(given), limit(given)
    await reached(request, given)
    reader: Reader = request.app.state.reader
    page = await in_thread(_history, reader, id, after, size, given.get("known_as_of"))
    return answer_page(request, given, page)


def _history(reader: Reader, id: str, after: int, size: int, known_as_of: str | None) -> Page:
    """Read a page of the events of an agreement. Raises NotFound before its first."""
    until = _known(reader, known_as_of, reader.head())
    rows = reader.page(after, size + 1, stream=id)
    first = reader.page(0, 1, stream=id) if after else rows
    if not first or first[0].position > until:
        raise NotFound(f"there is no agreement {id!r} as of position {until}")
    return make_page([row for row in rows if row.position <= until], size=size, position=until)


def _id(request: Asked) -> str:
    """Take the id out of the path. What can be no id is not looked for."""
    id: str = request.path_params["id"]
    if subject_flaw(id) is not None:
        raise NotFound("there is no such agreement: this is no agreement id")
    return id


def _show(reader: Reader, id: str, on: date, known_as_of: str | None) -> tuple[bytes, str, int]:
    """Return what is shown of an agreement, its ETag, and the position up to which the log was read.

    The head is read first, so that the state has seen at least that much. Raises NotFound.
    """
    head = reader.head()
    now = reader.agreement(id)
    if known_as_of is None:
        if now is None:
            raise NotFound(f"there is no agreement {id!r}")
        return *_shown_now(now, on), head.size
    until = _known(reader, known_as_of, head)
    then = fold(None, reader.recorded(id, until=until))
    if now is None or then is None:
        raise NotFound(f"there is no agreement {id!r} as of position {until}")
    # Who may read it is always as of today.
    shown = msgspec.structs.replace(view(then, on), visibility=visibility(now))
    return *_encoded(shown), until


def _shown_now(state: Agreement, on: date) -> tuple[bytes, str]:
    """Show a state, or what was shown of it last time if that was for the same day."""
    last: tuple[date, bytes, str] | None = state.derived.get("answer")
    if last is not None and last[0] == on:
        return last[1:]
    content, etag = _encoded(view(state, on))
    state.derived["answer"] = on, content, etag
    return content, etag


def _encoded(shown: AgreementView) -> tuple[bytes, str]:
    content = _encode(shown)
    return content, f"v{shown.version}.{digest(content)}"


def _known(reader: Reader, known_as_of: str | None, head: Head) -> int:
    """Resolve a position or a record time to a position. Raises BadParameter."""
    if known_as_of is None:
        return head.size
    if known_as_of.isascii() and known_as_of.isdigit():
        position = number({"known_as_of": known_as_of}, "known_as_of") or 0
        if position > head.size:
            raise BadParameter("known_as_of", f"is behind the end of the log, which is at {head.size}")
        return position
    bad = BadParameter("known_as_of", "is neither a position nor an RFC 3339 time")
    if time_flaw(known_as_of) is not None:
        raise bad
    try:
        since = datetime.fromisoformat(known_as_of.upper()) - EPOCH
    except ValueError:  # a leap second, which only RFC 3339 knows
        raise bad from None
    return reader.recorded_by(since // MICROSECOND)
