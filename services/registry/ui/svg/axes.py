"""An agreement on both axes of time: across when something happened, downwards when the registry learned of it.

Behind the marks stands what the status was taken to be: each row tells it for all days, as known with its event.
"""

from collections.abc import Iterable, Sequence
from datetime import date

import msgspec

from registry.domain.agreement import Agreement, evolve, first_of
from registry.domain.claims import claimed, kept_predicate
from registry.domain.dates import day_after
from registry.domain.edtf import Edtf
from registry.domain.envelope import Recorded
from registry.domain.events import EventCorrected
from registry.domain.events.event import Event
from registry.domain.sentences import sentence
from registry.domain.shown.behind import record_time
from registry.domain.timeline import Span, timeline
from registry.projections.timeline import dates_of
from registry.ui.svg.scale import Scale, Tick

WIDTH, LEFT, PAD = 760, 64, 38
"""Of the drawing, of what stands before the plot, and of the plot's own margin; in units of the drawing."""
TOP, HEADING, ROW, RUN, BAND = 44, 24, 27, 18, 20
"""Heights: above the rows, of a heading, of a dated event, of a run of undated ones, of the status below."""
ROOM = 68
"""Of a day that is written."""
RADIUS = 5.5
MOST_EVENTS = 120
"""Of how many events the drawing is made at most: the last ones."""


Dated = tuple[Recorded, tuple[tuple[str, Edtf], ...]]
"""An event with its dates, each by the name of its field."""


class Mark(msgspec.Struct, frozen=True):
    """A date: one day, or some day of a range, which may be open."""

    field: str
    when: str
    """EDTF."""
    x: float
    until: float
    """Where the range ends; the same as ``x`` for one day."""
    open_start: bool
    open_end: bool


class Row(msgspec.Struct, frozen=True):
    """A dated event, or a run of events without a date."""

    y: float
    events: tuple["Told", ...]
    marks: tuple[Mark, ...] = ()
    label_x: float = 0
    label_end: bool = False
    """Whether the label ends where it stands, instead of beginning there."""


class Told(msgspec.Struct, frozen=True):
    """An event, as the table beside the drawing tells it."""

    position: int
    name: str
    """Of its type, such as ``signed``."""
    says: str
    source: str
    recorded_at: str
    stands: bool
    """Whether it still stands: neither corrected nor retracted since."""
    disputed: bool
    dates: tuple[tuple[str, str], ...]
    """Field and EDTF."""


class Group(msgspec.Struct, frozen=True):
    """What one source told in one minute, one event after another."""

    y: float
    """Of its heading."""
    recorded_at: str
    source: str
    rows: list[Row]


class Tint(msgspec.Struct, frozen=True):
    """A status on some days, as known in some rows."""

    x: float
    y: float
    width: float
    height: float
    status: str


class Axes(msgspec.Struct, frozen=True):
    width: int
    height: float
    left: int
    top: int
    bottom: float
    """Where the rows end and the status as known with all of them begins."""
    band: int
    now_x: float
    ticks: tuple[Tick, ...]
    groups: tuple[Group, ...]
    tints: tuple[Tint, ...]
    bands: tuple[tuple[Tint, str, date | None], ...]
    """The status as known with all events: where, the words for it, and the first day."""
    earlier: int
    """How many events came before those that are drawn."""


def axes(state: Agreement, on: date) -> Axes:
    """Lay out the drawing of an agreement as it is known, with the day that is asked for."""
    events = sorted(state.recorded.values(), key=lambda event: event.position)
    told: list[Dated] = []
    known: list[tuple[Span, ...]] = []
    draft: Agreement | None = None
    for event in events:
        draft = evolve(draft, event)
        if len(events) - len(told) <= MOST_EVENTS:
            known.append(timeline(draft))
        told.append((event, tuple(dates_of(said_by(event)))))
    earlier = len(events) - len(known)
    told = told[earlier:]
    days = {on, *_days_of(when for _, dates in told for _, when in dates), *_turns(known[-1])}
    scale = Scale(days, LEFT + PAD, WIDTH - PAD)
    groups, edges, bottom = _stacked(state, told, scale)
    return Axes(
        width=WIDTH,
        height=bottom + BAND + 4,
        left=LEFT,
        top=TOP,
        bottom=bottom,
        band=BAND,
        now_x=scale.x(on),
        ticks=scale.ticks(on, ROOM),
        groups=tuple(groups),
        tints=tuple(_tints(known, edges, scale)),
        bands=tuple(
            (_tint(span, scale, bottom + 2, BAND), span.status_label, span.from_) for span in known[-1]
        ),
        earlier=earlier,
    )


def said_by(event: Recorded) -> Event:
    """Give what an event says; for a correction what it puts in the place of the error."""
    if isinstance(event.data, EventCorrected) and 0 not in event.erased:
        return event.data.replacing
    return event.data


def _days_of(dates: Iterable[Edtf]) -> set[date]:
    return {day for when in dates for day in (when.earliest, when.latest) if day is not None}


def _turns(spans: Sequence[Span]) -> set[date]:
    return {span.from_ for span in spans if span.from_ is not None}


def _stacked(state: Agreement, told: Sequence[Dated], scale: Scale) -> tuple[list[Group], list[float], float]:
    """Put rows below each other, with a heading wherever source or minute change.

    Also gives where each event's row ends, and where all of them do.
    """
    groups: list[Group] = []
    edges: list[float] = []
    run: list[Told] = []
    y: float = TOP

    def end_run() -> None:
        nonlocal y
        if run:
            groups[-1].rows.append(Row(y + RUN / 2, tuple(run)))
            y += RUN
            edges.extend([y] * len(run))
            run.clear()

    of: tuple[str, str] | None = None
    for event, dates in told:
        one = _told(state, event, dates)
        if of != (of := (one.source, one.recorded_at[:16])):
            end_run()
            groups.append(Group(y + HEADING - 8, one.recorded_at, one.source, []))
            y += HEADING
        if not dates:
            run.append(one)
            continue
        end_run()
        groups[-1].rows.append(_row(y, one, tuple(_mark(field, when, scale) for field, when in dates)))
        y += ROW
        edges.append(y)
    end_run()
    return groups, edges, y + 4


def _row(y: float, one: Told, marks: tuple[Mark, ...]) -> Row:
    """Write the name of an event beside its first mark, on the side where there is more room."""
    first, last = min(mark.x for mark in marks), max(mark.until for mark in marks)
    middle = (LEFT + WIDTH) / 2
    if first > middle or (last > first and last > middle):
        return Row(y + 18, (one,), marks, last + (RADIUS if last == first else 0), label_end=True)
    return Row(y + 18, (one,), marks, first - (RADIUS if last == first else 0))


def _told(state: Agreement, event: Recorded, dates: tuple[tuple[str, Edtf], ...]) -> Told:
    live = state.live.get(first_of(state, event.identity))
    stands = live is not None and (live.corrections[-1] if live.corrections else live.first) is event
    return Told(
        position=event.position,
        name=event.type.removeprefix("agreement.").rpartition(".")[0],
        says=sentence(event),
        source=event.source,
        recorded_at=record_time(event.recorded_at),
        stands=stands or not _is_claim(event),
        disputed=stands and _disputed(state, said_by(event)),
        dates=tuple((field, str(when)) for field, when in dates),
    )


def _is_claim(event: Recorded) -> bool:
    """Tell whether an event says something of the agreement; the others act upon such events."""
    name = event.type.removeprefix("agreement.").rpartition(".")[0]
    return name not in ("event-retracted", "personal-data-erased")


def _disputed(state: Agreement, data: Event) -> bool:
    groups = claimed(state)
    found = (groups.get(kept_predicate(state, predicate)) for predicate, _ in data.claims())
    return any(group is not None and group.disputed for group in found)


def _mark(field: str, when: Edtf, scale: Scale) -> Mark:
    first = LEFT if when.earliest is None else scale.x(when.earliest)
    last = WIDTH if when.latest is None else scale.x(when.latest)
    return Mark(field, str(when), first, last, when.earliest is None, when.latest is None)


def _tints(known: Sequence[tuple[Span, ...]], edges: Sequence[float], scale: Scale) -> Iterable[Tint]:
    """Tint the days of each status; rows that know the same are one."""
    top: float = TOP
    for number, spans in enumerate(known):
        last = number + 1 == len(known)
        if last or known[number + 1] != spans:
            bottom = edges[number] + (4 if last else 0)
            if bottom > top:
                yield from (_tint(span, scale, top, bottom - top) for span in spans)
            top = bottom


def _tint(span: Span, scale: Scale, y: float, height: float) -> Tint:
    x = LEFT if span.from_ is None else scale.x(span.from_)
    until = WIDTH if span.until is None else scale.x(day_after(span.until))
    return Tint(x, y, round(max(0, until - x), 1), height, span.status)
