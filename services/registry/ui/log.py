"""GET /log as a page: the newest events, followed live; and GET /log/{position}: one event, decoded and as it is."""

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, NamedTuple

import msgspec
from litestar import Response

from registry.domain.attributes import subject_flaw
from registry.domain.events.event import EVENT_TYPES
from registry.domain.sentences import sentence
from registry.domain.wording import on_one_line, title_of
from registry.errors import NotFound
from registry.http.answer import Asked
from registry.http.disclosure import disclosed, names_people
from registry.http.freshness import LOG
from registry.http.parameters import BadParameter, number
from registry.http.principal import principal_of
from registry.http.threads import in_thread
from registry.merkle.entry import format_time
from registry.store.newest import read_around, read_newest
from registry.store.reader import Reader
from registry.store.rows import Row, cloudevent
from registry.ui.either import LOG_PAGE
from registry.ui.page import answer_page, asked_of, page

SHOWN = 40
"""Events of one page."""
AROUND = 1000
"""Events before and behind one that are looked through for those of the same correlation."""
_POSITION = re.compile(r"[1-9][0-9]{0,14}")
MOST_LETTERS = 120
"""Letters of a title in the list."""
TRACES = ("correlationid", "causationid", "traceparent", "tracestate")


class Line(NamedTuple):
    """One event in the list."""

    position: int
    recorded_at: str
    agreement: str
    title: Mapping[str, str] | str
    type: str
    source: str
    says: str
    erased: bool
    withheld: bool


class Whole(NamedTuple):
    """One event, with what surrounds it."""

    line: Line
    event: dict[str, Any]
    """The CloudEvent."""
    trail: Sequence[tuple[Line, str]]
    """Events of the same correlation, each with why it is among them: ``correlation``, ``cause`` or ``effect``."""
    withheld: tuple[int, ...]
    """Numbers of the parts that are there and not shown."""
    before: int | None
    behind: int | None
    """The neighbours in the log that may be seen."""


@page(LOG_PAGE, reads=(LOG,))
async def get_log_page(request: Asked) -> Response[Any]:
    """Show the newest events, or those before a position."""
    given = asked_of(request, "type", "agreement", "before")
    type_, agreement = _type(given), _agreement(given)
    before = number(given, "before", least=1)
    state = request.app.state
    sight = principal_of(request).sight
    head = await in_thread(state.reader.head)
    size = await in_thread(state.reader.position_for, sight, head.size)
    rows: list[Row] = await state.views.read(
        partial(
            read_newest,
            sight=sight,
            before=before or size + 1,
            limit=SHOWN,
            stream=agreement,
            types=(type_,) if type_ else (),
        )
    )
    lines = await in_thread(lines_of, state.reader, rows)
    return answer_page(
        request,
        "log.html",
        lines=lines,
        size=size,
        before=before,
        type=type_,
        agreement=agreement,
        types=sorted(EVENT_TYPES),
        older=lines[-1].position if len(lines) == SHOWN else None,
    )


@page("/log/{position:str}", reads=(LOG,))
async def get_event_page(request: Asked) -> Response[Any]:
    """Show one event; with ``as=line`` only its line in the list, which the live page puts on top."""
    given = asked_of(request, "as")
    position: str = request.path_params["position"]
    if not _POSITION.fullmatch(position):
        raise NotFound("there is no event at this position: it is a number from 1")
    if given.get("as", "line") != "line":
        raise BadParameter("as", "is not line")
    state, sight = request.app.state, principal_of(request).sight
    near: list[Row] = await state.views.read(read_around, sight, int(position), AROUND)
    whole = await in_thread(read_whole, state.reader, near, int(position))
    if "as" in given:
        return answer_page(request, "log_line.html", line=whole.line)
    raw = msgspec.json.format(msgspec.json.encode(whole.event), indent=2).decode()
    if names_people(raw.encode()):
        await disclosed(request, position=int(position))
    traces = {name: whole.event[name] for name in TRACES if name in whole.event}
    return answer_page(request, "event.html", whole=whole, line=whole.line, raw=raw, traces=traces)


def read_whole(reader: Reader, near: Sequence[Row], position: int) -> Whole:
    """Put one event together with those around it that belong to it. Raises NotFound."""
    places = [row.position for row in near]
    if position not in places:
        raise NotFound(f"there is no event at position {position}")
    at = places.index(position)
    trail = [(other, why) for other in near if other.position != position and (why := bond(near[at], other))]
    shown = lines_of(reader, [near[at], *(other for other, _ in trail)])
    return Whole(
        line=shown[0],
        event=cloudevent(near[at]),
        trail=[(line, why) for line, (_, why) in zip(shown[1:], trail, strict=True)],
        withheld=near[at].withheld,
        before=places[at - 1] if at else None,
        behind=places[at + 1] if at + 1 < len(places) else None,
    )


def bond(row: Row, other: Row) -> str:
    """Tell why two events belong to one trail; empty when they do not."""
    ours, theirs = row.joined().attrs, other.joined().attrs
    if other.event_id == ours.get("causationid"):
        return "cause"
    if row.event_id == theirs.get("causationid"):
        return "effect"
    correlation = ours.get("correlationid")
    return "correlation" if correlation and correlation == theirs.get("correlationid") else ""


def lines_of(reader: Reader, rows: Sequence[Row]) -> list[Line]:
    """Say of some events what a list shows of them."""
    states = reader.agreements({row.stream_id: row.position for row in rows})
    titles = {id: on_one_line(title_of(state), MOST_LETTERS) for id, state in states.items()}
    return [
        Line(
            position=row.position,
            recorded_at=format_time(row.recorded_at),
            agreement=row.stream_id,
            title=titles.get(row.stream_id, row.stream_id),
            type=row.type,
            source=row.source,
            says=sentence(recorded),
            erased=bool(recorded.erased),
            withheld=bool(recorded.withheld),
        )
        for row in rows
        if (recorded := row.recorded())
    ]


def _type(given: dict[str, str]) -> str | None:
    type_ = given.get("type")
    if type_ is not None and type_ not in EVENT_TYPES:
        raise BadParameter("type", "names a type that is not known")
    return type_


def _agreement(given: dict[str, str]) -> str | None:
    agreement = given.get("agreement")
    if agreement is not None and (flaw := subject_flaw(agreement)) is not None:
        raise BadParameter("agreement", flaw)
    return agreement
