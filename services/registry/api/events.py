"""GET /events: the history of everything, as pages, as a stream, and one event at a time."""

import re
from typing import Any

from litestar import Response

from registry import __version__
from registry.access import Sight
from registry.api.frames import Wanted
from registry.api.history import (
    AFTER,
    CLOUDEVENT_SCHEMA,
    CURSOR,
    LIMIT,
    NEXT_LINK,
    EventPage,
    Page,
    Which,
    answer_page,
    lines,
    make_page,
    read_page,
)
from registry.api.live import EVENT_STREAM, LAST_EVENT_ID, answer_live, last_event_id
from registry.domain.attributes import subject_flaw
from registry.domain.events.event import EVENT_TYPES
from registry.domain.values import AGREEMENT_ID_PATTERN, ID_PATTERN, IN_WORDS
from registry.errors import NotFound
from registry.http.accepted import best_form
from registry.http.answer import CLOUDEVENT, JSON, NDJSON, PRIVATE, Asked, digest, fresh_or_304, has
from registry.http.as_of import EXAMPLE
from registry.http.disclosure import ACCESS_REASON, disclosed, names_people
from registry.http.freshness import LOG
from registry.http.parameters import BadParameter, begin_behind, limit, query
from registry.http.principal import principal_of
from registry.http.problems import NotAcceptable
from registry.http.routing import Content, Operation, Parameter, read
from registry.http.slots import streamed
from registry.http.threads import in_thread
from registry.store.reader import Reader
from registry.store.rows import written

_POSITION = re.compile(r"[1-9][0-9]{0,14}")

TYPES_PATTERN = "^({0})(,({0}))*$".format("|".join(map(re.escape, sorted(EVENT_TYPES))))
FILTERS = (
    Parameter(
        "type",
        "Event types to give, separated by commas",
        {"type": "string", "pattern": TYPES_PATTERN},
        example="agreement.signed.v1",
    ),
    Parameter(
        "agreement",
        "The id of the agreement whose events to give",
        {"type": "string", "pattern": AGREEMENT_ID_PATTERN},
        example=EXAMPLE,
    ),
)
LIVE = (
    Parameter(
        "party",
        f"The id of a party of the agreements whose events to give; `{EVENT_STREAM}` only",
        {"type": "string", "pattern": ID_PATTERN},
    ),
    Parameter(
        LAST_EVENT_ID,
        f"Of `{EVENT_STREAM}`: the position up to which the client has the events; goes before `after`",
        {"type": "integer", "minimum": 0},
        where="header",
    ),
)
POSITION = Parameter(
    "position", "Position of the event", {"type": "integer", "minimum": 1}, where="path", example=1
)
FORMS = (JSON, NDJSON, EVENT_STREAM)


@read(
    "/events",
    Operation(
        tag="Events",
        reads=(LOG,),
        parameters=(LIMIT, CURSOR, AFTER, *FILTERS, *LIVE, ACCESS_REASON),
        answers={
            200: (
                Content(JSON, EventPage),
                Content(NDJSON, CLOUDEVENT_SCHEMA),
                Content(EVENT_STREAM, {"type": "string"}),
            )
        },
        headers={"Link": NEXT_LINK},
        problems=(400, 406),
    ),
)
async def get_events(request: Asked) -> Response[Any]:
    """Read the events of all agreements

    As a page (`application/json`), or the whole history at once, one event a line (`application/x-ndjson`),
    in the order of their positions. The stream ends at the position in `Registry-Position`; ask again with
    `after` for what came since.

    As `text/event-stream` it goes on with what is recorded from now on, or behind `after`: `id` is the position,
    `event` the type and `data` the CloudEvent. A client that is cut off connects again with `Last-Event-ID` and
    misses nothing. After 15 seconds of silence comes a comment. When the service stops, and after the time that
    `/limits` publishes, the stream ends with an `id` behind which it goes on.
    """
    given = query(request, "limit", "cursor", "after", "type", "agreement", "party")
    last_event_id(request)  # what is no position is told to whoever asks for a page as well
    form = best_form(request, FORMS)
    if form is None:
        raise NotAcceptable(
            f"events are given as {JSON} (a page), {NDJSON} (all of them) and {EVENT_STREAM} (live)"
        )
    if form == EVENT_STREAM:
        await disclosed(request)
        wanted = Wanted(_agreement(given), _types(given), _party(given), principal_of(request).sight)
        return await answer_live(request, given, wanted)
    if "party" in given:
        raise BadParameter("party", f"is for streams of {EVENT_STREAM}")
    after, which = begin_behind(given), Which(_agreement(given), _types(given), principal_of(request).sight)
    reader: Reader = request.app.state.reader
    if form == NDJSON:
        for name in ("limit", "cursor"):
            if name in given:
                raise BadParameter(name, f"is for pages; a stream of {NDJSON} starts behind `after`")
        end, etag = await in_thread(_all, reader, after, which)
        headers = {"Registry-Position": str(end), "Vary": "Accept"}
        if has(request, etag):
            return fresh_or_304(request, b"", etag=etag, headers=headers)
        await disclosed(request)
        every = lines(reader, after, end, which)
        headers |= {"ETag": f'"{etag}"', "Cache-Control": PRIVATE}
        return streamed(request, every, media_type=NDJSON, headers=headers)
    page = await in_thread(_page, reader, after, limit(given), which)
    if names_people(page.content):
        await disclosed(request)
    return answer_page(request, given, page, headers={"Vary": "Accept"})


def _end(reader: Reader, sight: Sight) -> int:
    """Tell where the log ends for whoever asks."""
    return reader.position_for(sight, reader.head().size)


def _all(reader: Reader, after: int, which: Which) -> tuple[int, str]:
    """Tell where the log ends for whoever asks, and name all of it that they ask for.

    Whatever is there of an event, and who may see it, follows from the events of the log: erasing is one as well.
    """
    asked = f"{NDJSON} {__version__} {after} {which}"
    return _end(reader, which.sight), digest(reader.made_of(which.sight), asked.encode())


def _page(reader: Reader, after: int, size: int, which: Which) -> Page:
    end = _end(reader, which.sight)
    rows = read_page(reader, after, size + 1, which)
    seen = max([end, *(row.position for row in rows[-1:])])  # the rows were read after the head
    return make_page(rows, size=size, position=seen)


@read(
    "/events/{position:str}",
    Operation(
        tag="Events",
        reads=(LOG,),
        parameters=(POSITION, ACCESS_REASON),
        answers={200: Content(CLOUDEVENT, CLOUDEVENT_SCHEMA)},
        problems=(400, 404),
    ),
)
async def get_event(request: Asked) -> Response[Any]:
    """Read one event

    As the CloudEvent that was posted, with `recordedtime`, `sequence` (its position), `agreementversion` and
    `leafhash`. An erased value is `{"$part": k}`, and `erasedparts` lists such `k`; so is one that whoever asks may
    not see, and `withheldparts` lists it.
    """
    query(request)
    position = event_position(request)
    sight = principal_of(request).sight
    content, etag, end = await in_thread(_event, request.app.state.reader, position, sight)
    if names_people(content):
        await disclosed(request, position=position)
    headers = {"Registry-Position": str(end)}
    return fresh_or_304(request, content, etag=etag, media_type=CLOUDEVENT, headers=headers)


def event_position(request: Asked) -> int:
    """Read the position in the path. Raises NotFound on what is none."""
    position: str = request.path_params["position"]
    if not _POSITION.fullmatch(position):
        raise NotFound("there is no event at this position: it is a number from 1")
    return int(position)


def _event(reader: Reader, position: int, sight: Sight) -> tuple[bytes, str, int]:
    end = _end(reader, sight)
    row = reader.event(position, sight)
    if row is None:
        raise NotFound(f"there is no event at position {position}; the log ends at {end}")
    # What is there and what of it may be seen: an erasure changes it, and so does a change of rights.
    seen = f"{sight.parts};{sorted(row.parts)};{row.withheld}".encode()
    return written(row), digest(row.leaf_hash, seen), max(end, position)


def _agreement(given: dict[str, str]) -> str | None:
    agreement = given.get("agreement")
    if agreement is not None and (flaw := subject_flaw(agreement)) is not None:
        raise BadParameter("agreement", flaw)
    return agreement


def _party(given: dict[str, str]) -> str | None:
    party = given.get("party")
    if party is not None and not re.match(ID_PATTERN, party):
        raise BadParameter("party", f"is not {IN_WORDS[ID_PATTERN]}")
    return party


def _types(given: dict[str, str]) -> tuple[str, ...]:
    """Read the types asked for, separated by commas."""
    if "type" not in given:
        return ()
    types = tuple(given["type"].split(","))
    for type_ in types:
        if type_ not in EVENT_TYPES:
            raise BadParameter("type", "names a type that is not known; separate several by commas")
    return types
