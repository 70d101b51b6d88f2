"""Engagements: visits, meetings and calls of all agreements, as they stood on any day."""

from collections.abc import Sequence
from datetime import date
from functools import partial
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import Column, Index, Row, Select, exists, select
from sqlalchemy.schema import SchemaItem

from registry.domain.agreement import Agreement
from registry.domain.codes import Country
from registry.domain.dates import first_day
from registry.domain.edtf import Edtf
from registry.domain.engagements import Engagement, engagements, possible_duplicates
from registry.domain.events import EngagementHeld
from registry.domain.merges import dropped_ids
from registry.domain.shown.behind import said_now
from registry.domain.shown.people import ActorShown, withhold_name
from registry.domain.values import AgreementId, Identifier, Line, PersonId, Place, T
from registry.projections.actors import participants
from registry.projections.columns import (
    AgreementRef,
    earliest,
    latest,
    of_party,
    own_columns,
    own_values,
    shown,
    shown_column,
    span_columns,
    through_time,
)
from registry.projections.listing import LAST_DAY, Listing, Source, holds_on, meets, visible
from registry.projections.mentions import comparable
from registry.projections.model import ReadModel, Rows, Word

VERSION = 2

State = Literal["held", "cancelled", "planned", "unknown"]
Kind = Literal["visit", "meeting", "call", "working-group", "unspecified"]


class EngagementFilters(msgspec.Struct, frozen=True, kw_only=True):
    agreement: Annotated[AgreementId, Meta(description="The id of the agreement")] | None = None
    party: Annotated[Identifier, Meta(description="The id of a party of the agreement")] | None = None
    kind: Annotated[tuple[Kind, ...], Meta(description="Kinds of engagement")] | None = None
    state: (
        Annotated[tuple[State, ...], Meta(description="What became of it by the day `valid_as_of`")] | None
    ) = None
    day_from: Annotated[date, Meta(description="Only what may have been on this day or later")] | None = None
    day_to: Annotated[date, Meta(description="Only what may have been on this day or earlier")] | None = None
    place: (
        Annotated[
            Line, Meta(description="The name of the place; capitals, accents and punctuation do not matter")
        ]
        | None
    ) = None
    country: Annotated[Country, Meta(description="The country of the place, as its code")] | None = None
    person: Annotated[PersonId, Meta(description="The id of a person who takes part")] | None = None
    institution: (
        Annotated[Identifier, Meta(description="The id of an institution that takes part")] | None
    ) = None
    valid_as_of: (
        Annotated[date, Meta(description="The day whose knowledge of plans counts; today in UTC by default")]
        | None
    ) = None


class EngagementItem(msgspec.Struct, frozen=True, kw_only=True):
    """An engagement of an agreement, on the day asked for."""

    agreement: AgreementRef
    engagement_id: Annotated[str, Meta(description="Its id in the agreement")]
    merged_ids: Annotated[tuple[str, ...], Meta(description="The ids that were merged into this one")]
    kind: Annotated[
        str | None,
        Meta(description="Such as `visit`; null if nothing introduces it"),
    ]
    state: Annotated[
        str, Meta(description="`held`, `cancelled`, `planned`, or `unknown` if nothing introduces it")
    ]
    label: Annotated[T | None, Meta(description="What it is called")]
    when: Annotated[
        str | None, Meta(description="The day it is on, or was to be on; EDTF, null if nothing says")
    ]
    end: Annotated[str | None, Meta(description="The last day; EDTF, null if nothing says")]
    earliest: Annotated[str | None, Meta(description="The first day it can have begun; null if that is open")]
    latest: Annotated[str | None, Meta(description="The last day it can have ended; null if that is open")]
    place: Annotated[Place | None, Meta(description="Where it is held")]
    host: Annotated[str | None, Meta(description="The party that hosts it")]
    certainty: Annotated[str | None, Meta(description="Of a plan: `expected` or `scheduled`")]
    participants: Annotated[tuple[ActorShown, ...], Meta(description="Everybody whom any source names")]
    topics: Annotated[tuple[str, ...], Meta(description="What it is about")]
    outcome: Annotated[T | None, Meta(description="What came of it")]
    possible_duplicates: Annotated[
        tuple[str, ...], Meta(description="Engagements of this agreement that may be the same one")
    ]
    sources: Annotated[int, Meta(description="How many sources tell of it")]


def _main() -> Sequence[SchemaItem]:
    return [
        *own_columns(),
        *span_columns(),
        Column("engagement_id", Word, nullable=False),
        Column("kind", Word),
        Column("state", Word, nullable=False),
        Column("when", Word),
        Column("day", Word, nullable=False),
        Column("earliest", Word, nullable=False),
        Column("latest", Word, nullable=False),
        Column("place", Word),
        Column("country", Word),
        shown_column(),
        Index(None, "day", "agreement", "engagement_id"),
    ]


def _participant() -> Sequence[SchemaItem]:
    return [
        Column("engagement_id", Word, nullable=False),
        Column("person_id", Word, index=True),
        Column("institution_id", Word, index=True),
    ]


def _rows(state: Agreement) -> Rows:
    if not engagements(state):
        return {"": [], "participant": []}
    own = own_values(state)
    main: list[dict[str, Any]] = []
    taking_part: set[tuple[str, str | None, str | None]] = set()
    for one in sorted(engagements(state).values(), key=lambda one: one.id):
        who = _participants(state, one)
        fixed = _fixed(state, one, who)
        turning = (first_day(about.when) for about in (*one.held, *one.moved, *one.cancelled) if about.when)
        main += ({**own, **row} for row in through_time(turning, partial(_row, one, fixed)))
        taking_part |= {
            (one.id, each.person.person_id if each.person else None, each.institution_id) for each in who
        }
    return {
        "": main,
        "participant": [
            {"engagement_id": id_, "person_id": person, "institution_id": institution}
            for id_, person, institution in sorted(taking_part, key=str)
        ],
    }


def _fixed(state: Agreement, one: Engagement, who: tuple[ActorShown, ...]) -> EngagementItem:
    """Make the item, but for what depends on the day."""
    best = (one.held or one.planned or (None,))[0]
    says = said_now(best.live) if best else {}
    return EngagementItem(
        agreement=state.id,
        engagement_id=one.id,
        merged_ids=dropped_ids(state, "engagement", one.id),
        kind=says.get("kind"),
        state="",
        label=one.label,
        when=None,
        end=None,
        earliest=None,
        latest=None,
        place=msgspec.convert(says["place"], Place) if "place" in says else None,
        host=says.get("host"),
        certainty=says.get("certainty"),
        participants=who,
        topics=tuple(says.get("topics", ())),
        outcome=says.get("outcome"),
        possible_duplicates=possible_duplicates(state)[one.id],
        sources=len({about.live.source for about in one.all}),
    )


def _row(one: Engagement, fixed: EngagementItem, on: date) -> dict[str, Any]:
    when = one.when(on)
    end = _end(one, when)
    begins, ends = (when.earliest, (end or when).latest) if when else (None, None)
    item = msgspec.structs.replace(
        fixed,
        state=one.state(on),
        when=str(when) if when else None,
        end=str(end) if end else None,
        earliest=begins.isoformat() if begins else None,
        latest=ends.isoformat() if ends else None,
    )
    return {
        "engagement_id": one.id,
        "kind": item.kind,
        "state": item.state,
        "when": item.when,
        "day": first_day(when).isoformat() if when else LAST_DAY,
        "earliest": earliest(when),
        "latest": latest(end or when),
        "place": comparable(item.place.name) if item.place else None,
        "country": item.place.country if item.place else None,
        "shown": shown(item),
    }


def _end(one: Engagement, when: Edtf | None) -> Edtf | None:
    """Give the last day that is told with the day that is shown."""
    if (
        not one.held
        or one.held[0].when != when
        or not isinstance(held := one.held[0].live.data, EngagementHeld)
    ):
        return None
    return held.end


def _participants(state: Agreement, one: Engagement) -> tuple[ActorShown, ...]:
    """Give everybody whom a source names, once each, with the name if one source still gives it."""
    found: dict[tuple[str | None, str | None, str | None], ActorShown] = {}
    for who in (who for about in (*one.held, *one.planned) for who in participants(state, about)):
        key = who.person.person_id if who.person else None, who.institution_id, who.on_behalf_of
        known = found.get(key)
        if known is None or (known.person and not known.person.name):
            found[key] = who
    return tuple(found.values())


def _query(source: Source, filters: EngagementFilters) -> Select[Any]:
    tables = source.tables(ENGAGEMENTS)
    main, participant = tables[""], tables["participant"]
    query = select(main.c.day, main.c.agreement, main.c.engagement_id, main.c.shown).where(
        visible(source.sight, main), holds_on(main, source.on)
    )
    for name in ("kind", "state"):
        if (values := getattr(filters, name)) is not None:
            query = query.where(main.c[name].in_(values))
    for name in ("agreement", "country"):
        if (value := getattr(filters, name)) is not None:
            query = query.where(main.c[name] == value)
    if filters.party is not None:
        query = query.where(of_party(main, filters.party))
    if filters.place is not None:
        query = query.where(main.c.place == comparable(filters.place))
    if filters.day_from is not None or filters.day_to is not None:
        dated = main.c.when.is_not(None)
        query = query.where(dated, meets(main.c.earliest, main.c.latest, filters.day_from, filters.day_to))
    for value, column in ((filters.person, "person_id"), (filters.institution, "institution_id")):
        if value is not None:
            query = query.where(
                exists().where(
                    participant.c.agreement == main.c.agreement,
                    participant.c.engagement_id == main.c.engagement_id,
                    participant.c[column] == value,
                )
            )
    return query


_decode = msgspec.json.Decoder(EngagementItem).decode


def _make(row: Row[Any]) -> EngagementItem:
    return _decode(row.shown)


def _withhold(item: EngagementItem) -> EngagementItem:
    return msgspec.structs.replace(item, participants=tuple(map(withhold_name, item.participants)))


ENGAGEMENTS = ReadModel("engagements", VERSION, {"": _main, "participant": _participant}, _rows)

LIST = Listing(
    name="engagements",
    models=(ENGAGEMENTS,),
    filters=EngagementFilters,
    item=EngagementItem,
    query=_query,
    make=_make,
    withhold=_withhold,
    sorts={"day": "day", "-day": "day"},
    key=("agreement", "engagement_id"),
)
