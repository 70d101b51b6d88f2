"""Sources: who claims how much, and who contradicts whom."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import BigInteger, Column, Index, Row, Select, Text, func, select
from sqlalchemy.schema import SchemaItem

from registry.domain.agreement import Agreement
from registry.domain.claims import Claim, Claimed, claimed, disagree
from registry.domain.values import AgreementId, EventSource, Identifier
from registry.projections.columns import (
    LINE,
    NESTED,
    AgreementRef,
    of_party,
    own_columns,
    own_values,
    read_lines,
    shown_lines,
)
from registry.projections.listing import Listing, Source, visible
from registry.projections.model import ReadModel, Rows, Word

VERSION = 2

CLAIMED = (
    "area",
    "entry-into-force",
    "entry_mode",
    "fact",
    "kind",
    "legal_character",
    "signature",
    "term",
    "termination",
    "title",
)
"""What a claim can be about: the first word of its predicate. Each has a column, as a database adds up numbers."""


class SourceFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Only what matches is counted, so that the numbers of a source are those of, say, one party's agreements."""

    source: Annotated[EventSource, Meta(description="The claimant")] | None = None
    agreement: Annotated[AgreementId, Meta(description="Count in this agreement alone")] | None = None
    party: Annotated[Identifier, Meta(description="Count in the agreements of this party alone")] | None = (
        None
    )
    disputed: (
        Annotated[
            bool, Meta(description="Only sources that disagree with another, or only those that do not")
        ]
        | None
    ) = None


class DisputeShown(msgspec.Struct, frozen=True, kw_only=True):
    """A claim of the source with which others do not agree, and which nobody has settled."""

    agreement: AgreementRef
    predicate: Annotated[str, Meta(description="What is disputed, such as `kind`")]
    others: Annotated[tuple[str, ...], Meta(description="The sources whose claims cannot be right as well")]


class SourceItem(msgspec.Struct, frozen=True, kw_only=True):
    """A source of events: an office or a report, never the gateway that posted for it."""

    source: Annotated[str, Meta(description="The claimant, as its events name it")]
    agreements: Annotated[int, Meta(description="How many agreements it has said something about")]
    events: Annotated[int, Meta(description="How many of its events stand; a corrected one counts once")]
    claims: Annotated[int, Meta(description="How many values they claim")]
    claimed: Annotated[
        dict[str, int],
        Meta(description="How many of these are about what: by the first word of the predicate"),
    ]
    disputed: Annotated[int, Meta(description="How many of these another source disputes")]
    disputes: Annotated[
        tuple[DisputeShown, ...], Meta(description=f"The first {NESTED} of them, by agreement and predicate")
    ]


def _main() -> Sequence[SchemaItem]:
    return [
        *own_columns(),
        Column("source", Word, nullable=False),
        Column("events", BigInteger, nullable=False),
        *(Column(_column(about), BigInteger, nullable=False) for about in CLAIMED),
        Column("disputed", BigInteger, nullable=False),
        Column("disputes", Text),
        Index(None, "source", "agreement"),
    ]


def _rows(state: Agreement) -> Rows:
    own = own_values(state)
    events, claims = defaultdict[str, int](int), defaultdict[tuple[str, str], int](int)
    for live in state.live.values():
        events[live.source] += 1
    for predicate, group in claimed(state).items():
        about = predicate.partition(".")[0]
        for claim in group.claims:
            claims[claim.live.source, about] += 1
    disputes: dict[str, list[DisputeShown]] = {}
    for source, dispute in _disputes(state):
        disputes.setdefault(source, []).append(dispute)
    return {
        "": [
            {
                **own,
                "source": source,
                "events": events[source],
                **{_column(about): claims[source, about] for about in CLAIMED},
                "disputed": len(disputes.get(source, ())),
                "disputes": shown_lines(disputes.get(source, ())[:NESTED]),
            }
            for source in sorted(events)
        ]
    }


def _column(about: str) -> str:
    return f"of_{about.replace('-', '_')}"


def _disputes(state: Agreement) -> Iterator[tuple[str, DisputeShown]]:
    for predicate, group in claimed(state).items():
        if group.disputed:
            for source, others in _sides(group):
                yield source, DisputeShown(agreement=state.id, predicate=predicate, others=others)


def _sides(group: Claimed) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each source whose claim cannot be right together with those of others, and these."""
    against: dict[str, set[str]] = {}
    for one in group.claims:
        for other in group.claims:
            if one.live.source != other.live.source and _differ(one, other):
                against.setdefault(one.live.source, set()).add(other.live.source)
    for source in sorted(against):
        yield source, tuple(sorted(against[source]))


def _differ(one: Claim, other: Claim) -> bool:
    return one.live.data.disputable and other.live.data.disputable and disagree(one.value, other.value)


def _query(source: Source, filters: SourceFilters) -> Select[Any]:
    main = source.tables(SOURCES)[""]
    query = (
        select(
            main.c.source,
            func.count().label("agreements"),
            func.sum(main.c.events).label("events"),
            *(func.sum(main.c[_column(about)]).label(_column(about)) for about in CLAIMED),
            func.sum(main.c.disputed).label("disputed"),
            func.aggregate_strings(main.c.disputes, LINE).label("disputes"),
        )
        .where(visible(source.sight, main))
        .group_by(main.c.source)
    )
    for name in ("source", "agreement"):
        if (value := getattr(filters, name)) is not None:
            query = query.where(main.c[name] == value)
    if filters.party is not None:
        query = query.where(of_party(main, filters.party))
    if filters.disputed is not None:
        some = func.sum(main.c.disputed) > 0
        query = query.having(some if filters.disputed else ~some)
    return query


_decode = msgspec.json.Decoder(DisputeShown).decode


def _make(row: Row[Any]) -> SourceItem:
    disputes = read_lines(row.disputes, _decode)
    disputes.sort(key=lambda one: (one.agreement, one.predicate))
    numbers = {about: int(getattr(row, _column(about))) for about in CLAIMED}
    return SourceItem(
        source=row.source,
        agreements=row.agreements,
        events=int(row.events),
        claims=sum(numbers.values()),
        claimed={about: number for about, number in numbers.items() if number},
        disputed=int(row.disputed),
        disputes=tuple(disputes[:NESTED]),
    )


SOURCES = ReadModel("sources", VERSION, {"": _main}, _rows)

LIST = Listing(
    name="sources",
    models=(SOURCES,),
    filters=SourceFilters,
    item=SourceItem,
    query=_query,
    make=_make,
    sorts={"source": "source", "-source": "source"},
    key=("source",),
)
