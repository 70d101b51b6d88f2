"""The list of agreements: how it can be narrowed and sorted."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Row, Select, Subquery, Table, and_, or_, select, true, union

from registry.domain.attributes import time_flaw
from registry.domain.values import EventSource, Identifier, Line, PersonId
from registry.projections.agreements import AGREEMENTS, AgreementItem
from registry.projections.columns import of_party
from registry.projections.listing import Listing, Source, having, holds_on, meets, visible
from registry.projections.mentions import comparable
from registry.projections.words import Sought, matching

KindWord = Literal[
    "loi",
    "mou",
    "treaty",
    "agreement",
    "protocol",
    "exchange-of-notes",
    "joint-statement",
    "other",
    "unspecified",
]
CharacterWord = Literal["binding", "non-binding", "undetermined"]
StatusWord = Literal[
    "retracted",
    "superseded",
    "terminated",
    "expired",
    "suspended",
    "in-force",
    "provisional",
    "abandoned",
    "signed",
    "partially-signed",
    "adopted",
    "negotiation",
    "registered",
]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)
MOST_DIGITS = 15


class Moment:
    """A position of the log, or a record time in microseconds since 1970."""

    PATTERN = (
        r"^([0-9]{1,15}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt][0-9:]{8}(\.[0-9]+)?([Zz]|[+-][0-9]{2}:[0-9]{2}))$"
    )

    def __init__(self, *, position: int | None = None, time: int | None = None) -> None:
        self.position = position
        self.time = time

    @classmethod
    def parse(cls, text: str) -> "Moment":
        """Read a position or an RFC 3339 time. Raises ValueError."""
        if text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS:
            return cls(position=int(text))
        if time_flaw(text) is None:
            try:
                return cls(time=(datetime.fromisoformat(text.upper()) - EPOCH) // MICROSECOND)
            except ValueError:  # a leap second, which only RFC 3339 knows
                pass
        raise ValueError("is neither a position nor an RFC 3339 time")

    def __str__(self) -> str:
        return str(self.position) if self.time is None else f"{self.time}us"


class AgreementFilters(msgspec.Struct, frozen=True, kw_only=True):
    """What all agreements of a list have in common."""

    q: (
        Annotated[
            Sought,
            Meta(
                description="Words of titles, areas and statements: all of them, the last may be the beginning "
                "of one; capitals and accents do not matter"
            ),
        ]
        | None
    ) = None
    party: Annotated[Identifier, Meta(description="The id of a party")] | None = None
    pair: (
        Annotated[tuple[Identifier, Identifier], Meta(description="The ids of both parties, in any order")]
        | None
    ) = None
    kind: Annotated[tuple[KindWord, ...], Meta(description="Kinds of instrument")] | None = None
    legal_character: Annotated[tuple[CharacterWord, ...], Meta(description="Legal characters")] | None = None
    status: (
        Annotated[tuple[StatusWord, ...], Meta(description="Statuses on the day `valid_as_of`")] | None
    ) = None
    valid_as_of: (
        Annotated[date, Meta(description="The day that statuses are for; by default today in UTC")] | None
    ) = None
    subject: (
        Annotated[Line, Meta(description="A catchword; capitals, accents and punctuation do not matter")]
        | None
    ) = None
    area: Annotated[Identifier, Meta(description="The id of an area of cooperation")] | None = None
    signed_from: (
        Annotated[date, Meta(description="Only what may have been signed on this day or later")] | None
    ) = None
    signed_to: (
        Annotated[date, Meta(description="Only what may have been signed on this day or earlier")] | None
    ) = None
    person: Annotated[PersonId, Meta(description="The id of a person it mentions")] | None = None
    institution: Annotated[Identifier, Meta(description="The id of an institution it mentions")] | None = None
    place: (
        Annotated[
            Line, Meta(description="The name of a place, of signature for example; compared as subjects")
        ]
        | None
    ) = None
    source: Annotated[EventSource, Meta(description="The source of the event that founded it")] | None = None
    disputed: (
        Annotated[bool, Meta(description="Whether sources disagree on something nobody has settled")] | None
    ) = None
    overdue: (
        Annotated[bool, Meta(description="Whether a follow-up is overdue on the day `valid_as_of`")] | None
    ) = None
    updated_since: (
        Annotated[
            Moment,
            Meta(
                description="Only what has an event behind this position, or recorded at or after this time "
                "(RFC 3339; write its `+` as `%2B`)"
            ),
        ]
        | None
    ) = None


def _query(source: Source, filters: AgreementFilters) -> Select[Any]:
    main = source.tables(AGREEMENTS)[""]
    columns = (main.c[name] for name in ("agreement", "title_order", "signed_earliest", "signed_latest"))
    return select(*columns, main.c.position).where(visible(source.sight, main), *_conditions(source, filters))


def _complete(source: Source, page: Subquery) -> Select[Any]:
    tables = source.tables(AGREEMENTS)
    main, status, overdue = tables[""], tables["status"], tables["overdue"]
    # For a page it is looked up row by row; of an EXISTS PostgreSQL may make one look at all that are overdue.
    late = (
        select(true()).where(overdue.c.agreement == page.c.agreement, holds_on(overdue, source.on)).limit(1)
    )
    return (
        select(page, main.c.shown, *(status.c[name] for name in ("status", "label", "since", "certain")))
        .add_columns(late.scalar_subquery().label("overdue"))
        .join(main, main.c.agreement == page.c.agreement)
        .join(status, and_(status.c.agreement == page.c.agreement, holds_on(status, source.on)))
    )


def _conditions(source: Source, filters: AgreementFilters) -> Iterator[ColumnElement[bool]]:
    main = source.tables(AGREEMENTS)[""]
    for name in ("kind", "legal_character"):
        if (words := getattr(filters, name)) is not None:
            yield main.c[name].in_(words)
    if filters.party is not None:
        yield of_party(main, filters.party)
    if filters.pair is not None:
        yield of_pair(main, *filters.pair)
    if filters.source is not None:
        yield main.c.source == filters.source
    if filters.disputed is not None:
        yield main.c.disputed > 0 if filters.disputed else main.c.disputed == 0
    if filters.q is not None:
        found = matching(source, main, filters.q)
        if source.sight.parts:  # nobody else's search may confirm what is withheld
            spoken = matching(source, source.tables(AGREEMENTS)["spoken"], filters.q)
            yield main.c.id.in_(union(found, spoken))
        else:
            yield main.c.id.in_(found)
    yield from _dated(main, filters)
    yield from _on_the_day(source, filters)
    yield from _mentioned(source, filters)


def _dated(main: Table, filters: AgreementFilters) -> Iterator[ColumnElement[bool]]:
    if filters.signed_from is not None or filters.signed_to is not None:
        yield meets(main.c.signed_earliest, main.c.signed_latest, filters.signed_from, filters.signed_to)
    since = filters.updated_since
    if since is not None:
        yield main.c.position > since.position if since.time is None else main.c.recorded_at >= since.time


def _on_the_day(source: Source, filters: AgreementFilters) -> Iterator[ColumnElement[bool]]:
    tables = source.tables(AGREEMENTS)
    main, status, overdue = tables[""], tables["status"], tables["overdue"]
    if filters.status is not None:
        yield having(main, status, status.c.status.in_(filters.status), holds_on(status, source.on))
    if filters.overdue is not None:
        late = having(main, overdue, holds_on(overdue, source.on))
        yield late if filters.overdue else ~late


def _mentioned(source: Source, filters: AgreementFilters) -> Iterator[ColumnElement[bool]]:
    tables = source.tables(AGREEMENTS)
    main, mention = tables[""], tables["mention"]
    for what in ("area", "institution", "person", "place", "subject"):
        value = getattr(filters, what)
        if value is not None:
            named = comparable(value) if what in ("place", "subject") else value
            yield having(main, mention, mention.c.what == what, mention.c.value == named)


def of_pair(main: Table, a: str, b: str) -> ColumnElement[bool]:
    """Keep the rows of agreements between two parties."""
    return or_(
        and_(main.c.one_party == a, main.c.other_party == b),
        and_(main.c.one_party == b, main.c.other_party == a),
    )


_decode = msgspec.json.Decoder(AgreementItem).decode


def _make(row: Row[Any]) -> AgreementItem:
    return msgspec.structs.replace(
        _decode(row.shown),
        status=row.status,
        status_label=row.label,
        since=row.since,
        certain=row.certain,
        overdue=bool(row.overdue),
    )


LIST = Listing(
    name="agreements",
    models=(AGREEMENTS,),
    filters=AgreementFilters,
    item=AgreementItem,
    query=_query,
    complete=_complete,
    make=_make,
    sorts={
        "id": "agreement",
        "-id": "agreement",
        "title": "title_order",
        "-title": "title_order",
        "signed": "signed_earliest",
        "-signed": "signed_latest",
        "updated": "position",
        "-updated": "position",
    },
)
