"""Activity: how much was recorded and how much happened, day by day, and in which status agreements are."""

from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import BigInteger, Column, ColumnElement, Connection, Index, Table, func, select, union_all
from sqlalchemy.schema import SchemaItem

from registry.access import Sight
from registry.domain.agreement import Agreement
from registry.domain.claims import claimed, shown
from registry.domain.dates import day_after, first_day
from registry.domain.happening import happened
from registry.domain.timeline import timeline
from registry.domain.values import AgreementId, Identifier
from registry.domain.view import UNCLAIMED
from registry.projections.columns import of_party, own_columns, own_values, span_columns
from registry.projections.listing import FIRST_DAY, LAST_DAY, Source, day_of, having, holds_on, visible
from registry.projections.model import ReadModel, Rows, Word
from registry.store.tables import restricted

VERSION = 2

DAY = 86_400 * 1_000_000
"""Microseconds."""

DIGITS = {"day": 10, "month": 7, "year": 4}
"""How much of a day tells the time that events are counted by."""

Per = Literal["day", "month", "year"]


class StatsFilters(msgspec.Struct, frozen=True, kw_only=True):
    agreement: Annotated[AgreementId, Meta(description="Count this agreement alone")] | None = None
    party: Annotated[Identifier, Meta(description="Count the agreements of this party alone")] | None = None
    per: Annotated[Per, Meta(description="Count events by `day`, `month` (by default) or `year`")] = "month"
    valid_as_of: (
        Annotated[date, Meta(description="The day that decides the status; today in UTC by default")] | None
    ) = None


class Counted(msgspec.Struct, frozen=True, kw_only=True):
    """How many events there are in a stretch of time."""

    time: Annotated[str, Meta(description="A day, a month or a year: `2025-07-16`, `2025-07`, `2025`")]
    events: Annotated[int, Meta(description="How many events there are in it")]


class Totals(msgspec.Struct, frozen=True, kw_only=True):
    agreements: Annotated[int, Meta(description="How many agreements there are")]
    events: Annotated[
        int, Meta(description="All that were recorded, also those corrected or retracted since")
    ]
    sources: Annotated[int, Meta(description="Who has said something that still stands")]
    disputed: Annotated[int, Meta(description="How many agreements have a dispute that nobody has settled")]


class Stats(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of agreements and events."""

    on: Annotated[date, Meta(description="The day that the statuses are for")]
    totals: Annotated[Totals, Meta(description="The numbers of everything that matches")]
    by_status: Annotated[
        dict[str, int], Meta(description="Agreements by the code of their status on that day")
    ]
    by_kind: Annotated[
        dict[str, int], Meta(description="Agreements by kind, `unspecified` where no source says")
    ]
    by_type: Annotated[dict[str, int], Meta(description="Events by type")]
    recorded: Annotated[
        tuple[Counted, ...],
        Meta(description="Events by the time they were recorded; without the empty times"),
    ]
    happened: Annotated[
        tuple[Counted, ...],
        Meta(description="Dated events that still stand, by the first time their date can mean"),
    ]


def _main() -> Sequence[SchemaItem]:
    return [
        *own_columns(),
        Column("kind", Word, nullable=False),
        Column("events", BigInteger, nullable=False),
        Column("disputed", BigInteger, nullable=False),
    ]


def _status() -> Sequence[SchemaItem]:
    return [*span_columns(), Column("status", Word, nullable=False)]


def _days() -> Sequence[SchemaItem]:
    return [
        Column("day", Word, nullable=False),
        Column("type", Word, nullable=False),
        Column("events", BigInteger, nullable=False),
        Index(None, "day", "type", "events", "agreement"),  # all that is counted, so that only it is read
    ]


def _source() -> Sequence[SchemaItem]:
    return [Column("source", Word, nullable=False, index=True)]


def _rows(state: Agreement) -> Rows:
    kind = shown(state, "kind")
    days = ((happened(live.data), live.first.type) for live in state.live.values())
    dated = ((first_day(when).isoformat(), type_) for when, type_ in days if when is not None)
    return {
        "": [
            {
                **own_values(state),
                "kind": kind.value if kind else UNCLAIMED["kind"],
                "events": len(state.recorded),
                "disputed": sum(group.disputed for group in claimed(state).values()),
            }
        ],
        "status": _spans(state),
        "recorded": _counted((_day_of(event.recorded_at), event.type) for event in state.recorded.values()),
        "happened": _counted(dated),
        "source": [{"source": source} for source in sorted({live.source for live in state.live.values()})],
    }


def _spans(state: Agreement) -> list[dict[str, Any]]:
    """Give the statuses through time, joined where only their certainty differs."""
    found: list[dict[str, Any]] = []
    for span in timeline(state):
        last = span.until.isoformat() if span.until else LAST_DAY
        if found and found[-1]["status"] == span.status:
            found[-1]["last"] = last
        else:
            first = span.from_.isoformat() if span.from_ else FIRST_DAY
            found.append({"first": first, "last": last, "status": span.status})
    return found


def _counted(events: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Count events by day and type."""
    found: dict[tuple[str, str], int] = {}
    for one in events:
        found[one] = found.get(one, 0) + 1
    return [{"day": day, "type": type_, "events": found[day, type_]} for day, type_ in sorted(found)]


def _day_of(microseconds: int) -> str:
    return _day(microseconds // DAY)


@lru_cache(1000)
def _day(since_1970: int) -> str:
    return (date(1970, 1, 1) + timedelta(days=since_1970)).isoformat()


ACTIVITY = ReadModel(
    "activity",
    VERSION,
    {"": _main, "status": _status, "recorded": _days, "happened": _days, "source": _source},
    _rows,
)


def stats(connection: Connection, filters: StatsFilters, *, sight: Sight) -> tuple[Stats, int]:
    """Count, and tell up to which position of the log. Raises Unavailable while the model is being built."""
    on = day_of(filters)
    source = Source(connection, (ACTIVITY,), on, sight)
    return _stats(connection, source, filters, on), source.position


class Turn(msgspec.Struct, frozen=True):
    """That some agreements come into a status on a day, or are out of it from that day on."""

    day: str
    """ISO 8601; ``FIRST_DAY`` stands for an open beginning."""
    status: str
    agreements: int
    """How many; negative when they are out of it."""


def status_through_time(connection: Connection, *, sight: Sight) -> tuple[Turn, ...]:
    """Tell by day how many agreements come into each status and go out of it, in the order of days.

    In one query. Raises Unavailable while the model is being built.
    """
    status = Source(connection, (ACTIVITY,), date.min, sight).tables(ACTIVITY)["status"]
    kept = [visible(sight, status)]
    into = select(status.c.first.label("day"), status.c.status, func.count().label("agreements")).where(*kept)
    out = select(status.c.last, status.c.status, -func.count()).where(status.c.last != LAST_DAY, *kept)
    both = union_all(
        into.group_by(status.c.first, status.c.status), out.group_by(status.c.last, status.c.status)
    ).subquery()
    turns = (
        Turn(day if number > 0 else day_after(date.fromisoformat(day)).isoformat(), code, number)
        for day, code, number in connection.execute(select(both))
    )
    return tuple(sorted(turns, key=lambda turn: (turn.day, turn.status, turn.agreements)))


def _stats(connection: Connection, source: Source, filters: StatsFilters, on: date) -> Stats:
    tables = source.tables(ACTIVITY)
    main, status = tables[""], tables["status"]
    asked: list[ColumnElement[bool]] = []
    if filters.agreement is not None:
        asked.append(main.c.agreement == filters.agreement)
    if filters.party is not None:
        asked.append(of_party(main, filters.party))

    def count(table: Table, *columns: ColumnElement[str]) -> list[Any]:
        """Count agreements, or add up events, by what columns say; what does not exist for whoever asks is negative.

        Few are restricted, so they are counted as well and taken off: to pass over them looks at every row.
        """
        events = func.sum(table.c.events) if "type" in table.c else func.count()
        counted = select(*columns, events).where(*_of(source, asked, table)).group_by(*columns)
        if table is status:
            counted = counted.where(holds_on(status, on.isoformat()))
        found: list[Any] = list(connection.execute(counted))
        if not source.sight.restricted:
            hidden = counted.where(table.c.agreement.in_(select(restricted.c.agreement)))
            found += [(*said, -number) for *said, number in connection.execute(hidden)]
        return found

    recorded, happened = tables["recorded"], tables["happened"]
    days = count(recorded, recorded.c.day, recorded.c.type)
    digits = DIGITS[filters.per]
    return Stats(
        on=on,
        totals=_totals(connection, source, asked),
        by_status=_added(count(status, status.c.status)),
        by_kind=_added(count(main, main.c.kind)),
        by_type=_added((type_, events) for _, type_, events in days),
        recorded=_through_time((day[:digits], events) for day, _, events in days),
        happened=_through_time(count(happened, func.substr(happened.c.day, 1, digits))),
    )


def _added(counted: Iterable[tuple[str, int]]) -> dict[str, int]:
    """Add up what is counted under one name, in the order of names; what comes to nothing is left out."""
    found: dict[str, int] = {}
    for name, number in counted:
        found[name] = found.get(name, 0) + int(number)
    return {name: number for name, number in sorted(found.items()) if number}


def _through_time(counted: Iterable[tuple[str, int]]) -> tuple[Counted, ...]:
    return tuple(Counted(time=time, events=events) for time, events in _added(counted).items())


def _of(source: Source, asked: Sequence[ColumnElement[bool]], table: Table) -> list[ColumnElement[bool]]:
    """Keep the rows of the agreements that are asked for, whoever asks."""
    main = source.tables(ACTIVITY)[""]
    return list(asked) if table is main or not asked else [having(table, main, *asked)]


def _totals(connection: Connection, source: Source, asked: list[ColumnElement[bool]]) -> Totals:
    main, told_by = source.tables(ACTIVITY)[""], source.tables(ACTIVITY)["source"]
    kept = visible(source.sight, main), *asked
    agreements, events = connection.execute(
        select(func.count(), func.coalesce(func.sum(main.c.events), 0)).where(*kept)
    ).one()
    disputed = connection.scalar(select(func.count()).where(main.c.disputed > 0, *kept))
    sources = connection.scalar(
        select(func.count(told_by.c.source.distinct())).where(
            visible(source.sight, told_by), *_of(source, asked, told_by)
        )
    )
    return Totals(agreements=agreements, events=int(events), sources=sources or 0, disputed=disputed or 0)
