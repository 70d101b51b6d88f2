"""The timeline: everything of an agreement that has a date, for plots and for reading along."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Literal, get_args

import msgspec
from msgspec import Meta
from sqlalchemy import BigInteger, Boolean, Column, Index, Row, Select, select
from sqlalchemy.schema import SchemaItem

from registry.domain.agreement import Agreement, Live
from registry.domain.claims import claimed, kept_predicate
from registry.domain.dates import first_day
from registry.domain.edtf import Edtf
from registry.domain.events import EVENT_TYPES, Event
from registry.domain.shown.behind import record_time
from registry.domain.values import AgreementId, Identifier
from registry.projections.columns import earliest, latest, of_party, own_columns, own_values
from registry.projections.listing import FIRST_DAY, LAST_DAY, Listing, Source, visible
from registry.projections.model import ReadModel, Rows, Word

VERSION = 1


if TYPE_CHECKING:
    EventName = str
else:  # a type checker cannot read a computed one
    EventName = Literal[tuple(sorted(one.short_name for one in EVENT_TYPES.values()))]


class TimelineFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which dates to give."""

    agreement: Annotated[AgreementId, Meta(description="The id of the agreement")] | None = None
    party: Annotated[Identifier, Meta(description="The id of a party of the agreement")] | None = None
    what: (
        Annotated[
            tuple[EventName, ...], Meta(description="Names of event types, such as `signed` or `renewed`")
        ]
        | None
    ) = None


class TimelineItem(msgspec.Struct, frozen=True, kw_only=True):
    """One date that one event gives."""

    agreement: Annotated[str, Meta(description="The id of the agreement")]
    what: Annotated[str, Meta(description="The name of the event type, such as `signed`")]
    field: Annotated[str, Meta(description="Which of its dates it is, such as `occurred` or `due`")]
    part: Annotated[str | None, Meta(description="The id of the part that it is about, such as a visit")]
    date: Annotated[str, Meta(description="EDTF, as posted")]
    earliest: Annotated[str | None, Meta(description="The first day it can mean; null if that is open")]
    latest: Annotated[str | None, Meta(description="The last day it can mean; null if that is open")]
    disputed: Annotated[bool, Meta(description="Whether sources disagree on it and nobody has settled that")]
    source: Annotated[str, Meta(description="Who says so")]
    event: Annotated[str, Meta(description="The id of the event first posted")]
    position: Annotated[int, Meta(description="Of the event, or of the correction, that gives the date")]
    recorded_at: Annotated[str, Meta(description="When the registry learned it, RFC 3339 in UTC")]


def _main() -> Sequence[SchemaItem]:
    return [
        *own_columns(),
        Column("what", Word, nullable=False),
        Column("field", Word, nullable=False),
        Column("part", Word),
        Column("date", Word, nullable=False),
        Column("day", Word, nullable=False),
        Column("earliest", Word, nullable=False),
        Column("latest", Word, nullable=False),
        Column("disputed", Boolean, nullable=False),
        Column("source", Word, nullable=False),
        Column("event", Word, nullable=False),
        Column("position", BigInteger, nullable=False),
        Column("recorded_at", BigInteger, nullable=False),
        Index(None, "day", "agreement", "position", "field"),
    ]


def _rows(state: Agreement) -> Rows:
    own = own_values(state)
    in_dispute = any(group.disputed for group in claimed(state).values())
    found = [
        {**own, **_row(live, field, when, disputed=in_dispute and _disputed(state, live.data, when))}
        for live in state.live.values()
        for field, when in dates_of(live.data)
    ]
    return {"": sorted(found, key=lambda row: (row["position"], row["field"]))}


def dates_of(data: Event) -> Iterator[tuple[str, Edtf]]:
    """Yield the dates that an event gives, each with its name; what belongs to a person is not looked at."""
    for name, shown in _date_fields(type(data)):
        when: Edtf | None = getattr(data, name)
        if when is not None:
            yield shown, when


@lru_cache
def _date_fields(cls: type[Event]) -> tuple[tuple[str, str], ...]:
    """Give the fields of an event class that are dates: their names in the class and in JSON."""
    personal = {path for owned in cls.personal for path in owned.values}
    return tuple(
        (field.name, field.encode_name)
        for field in msgspec.structs.fields(cls)
        if field.encode_name not in personal and _may_be_date(field.type)
    )


def _may_be_date(kind: Any) -> bool:
    return kind is Edtf or any(_may_be_date(inner) for inner in get_args(kind))


def _row(live: Live, field: str, when: Edtf, *, disputed: bool) -> dict[str, Any]:
    says = live.corrections[-1] if live.corrections else live.first
    return {
        "what": live.data.short_name,
        "field": field,
        "part": live.data.part_id,
        "date": str(when),
        "day": first_day(when).isoformat(),
        "earliest": earliest(when),
        "latest": latest(when),
        "disputed": disputed,
        "source": live.source,
        "event": live.first.id,
        "position": says.position,
        "recorded_at": says.recorded_at,
    }


def _disputed(state: Agreement, data: Event, when: Edtf) -> bool:
    """Tell whether a claim that the date belongs to is in dispute."""
    groups = claimed(state)
    return any(
        groups[kept_predicate(state, predicate)].disputed
        for predicate, value in data.claims()
        if value is when or (isinstance(value, msgspec.Struct) and when in msgspec.structs.astuple(value))
    )


def _query(source: Source, filters: TimelineFilters) -> Select[Any]:
    main = source.tables(TIMELINE)[""]
    query = select(main).where(visible(source.sight, main))
    if filters.agreement is not None:
        query = query.where(main.c.agreement == filters.agreement)
    if filters.party is not None:
        query = query.where(of_party(main, filters.party))
    if filters.what is not None:
        query = query.where(main.c.what.in_(filters.what))
    return query


def _make(row: Row[Any]) -> TimelineItem:
    return TimelineItem(
        agreement=row.agreement,
        what=row.what,
        field=row.field,
        part=row.part,
        date=row.date,
        earliest=None if row.earliest == FIRST_DAY else row.earliest,
        latest=None if row.latest == LAST_DAY else row.latest,
        disputed=row.disputed,
        source=row.source,
        event=row.event,
        position=row.position,
        recorded_at=record_time(row.recorded_at),
    )


TIMELINE = ReadModel("timeline", VERSION, {"": _main}, _rows)

LIST = Listing(
    name="timeline",
    models=(TIMELINE,),
    filters=TimelineFilters,
    item=TimelineItem,
    query=_query,
    make=_make,
    sorts={"day": "day", "-day": "day"},
    key=("agreement", "position", "field"),
)
