"""Parties: a row for each party of each agreement, out of which the list of parties is put together."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import BigInteger, Column, Index, Row, Select, cast, func, select
from sqlalchemy.schema import SchemaItem

from registry.domain.agreement import Agreement
from registry.domain.codes import Country
from registry.domain.events import Registered
from registry.domain.values import Identifier, Party, T
from registry.domain.visibility import visibility
from registry.projections.columns import shown
from registry.projections.listing import Listing, Source, visible
from registry.projections.mentions import comparable
from registry.projections.model import ReadModel, Rows, Word

VERSION = 1

PartyKind = Literal["state", "organisation", "territory", "other"]


class PartyFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which parties to give, and which of their agreements to count."""

    id: Annotated[tuple[Identifier, ...], Meta(description="Ids of parties")] | None = None
    kind: Annotated[PartyKind, Meta(description="What kind of party it is")] | None = None
    country: Annotated[Country, Meta(description="Its country, by code")] | None = None
    partner: (
        Annotated[
            Identifier, Meta(description="Count only agreements with this party, and leave out who has none")
        ]
        | None
    ) = None


class PartyItem(msgspec.Struct, frozen=True, kw_only=True):
    """A party, as most of its agreements describe it."""

    id: Annotated[str, Meta(description="The id of the party")]
    kind: Annotated[str, Meta(description="What kind of party it is")]
    name: Annotated[T, Meta(description="Its name by language")]
    country: Annotated[str | None, Meta(description="Its country, by code")]
    agreements: Annotated[int, Meta(description="How many agreements it is a party of")]


def _main() -> Sequence[SchemaItem]:
    return [
        Column("visibility", Word, nullable=False),
        Column("party", Word, nullable=False),
        Column("partner", Word, nullable=False),
        Column("kind", Word, nullable=False),
        Column("country", Word),
        Column("name_order", Word, nullable=False),
        Column("name", Word, nullable=False),
        Index(None, "party", "partner"),
        Index(None, "partner"),
    ]


def _rows(state: Agreement) -> Rows:
    founding = state.live[state.founder].data
    if not isinstance(founding, Registered):  # erased
        return {}
    one, other = founding.parties
    return {"": [_row(state, one, other.id), _row(state, other, one.id)]}


def _row(state: Agreement, party: Party, partner: str) -> dict[str, Any]:
    return {
        "visibility": visibility(state),
        "party": party.id,
        "partner": partner,
        "kind": party.kind,
        "country": party.country,
        **_named(tuple(sorted(_names(state, party).items()))),
    }


def _names(state: Agreement, party: Party) -> T:
    """Give the name of a party in every language that a source gives it in; the founding event's come first."""
    names = dict(party.name)
    registrations = state.of(Registered)
    if len(registrations) > 1:
        for _, data in sorted(registrations, key=lambda pair: pair[0].identity):
            for given in (one.name for one in data.parties if one.id == party.id):
                names = {**given, **names}
    return names


@lru_cache(1000)
def _named(names: tuple[tuple[str, str], ...]) -> dict[str, str]:
    """Give the columns of a name; few parties have many agreements each."""
    name = dict(names)
    return {
        "name_order": comparable(name.get("en") or next(iter(name.values()))),
        "name": shown(name),
    }


def _query(source: Source, filters: PartyFilters) -> Select[Any]:
    """Count the agreements of each party by how they describe it, and show how most of them do."""
    main = source.tables(PARTIES)[""]
    described = [main.c[name] for name in ("party", "kind", "country", "name_order", "name")]
    conditions = [visible(source.sight, main)]
    if filters.id is not None:
        conditions.append(main.c.party.in_(filters.id))
    if filters.partner is not None:
        conditions.append(main.c.partner == filters.partner)
    number = func.count()
    country = func.coalesce(main.c.country, "")  # databases sort NULL differently
    order = (number.desc(), main.c.name, main.c.kind, country)
    best = func.row_number().over(partition_by=main.c.party, order_by=order)
    total = func.sum(number).over(partition_by=main.c.party)
    groups = (
        select(*described, best.label("rank"), cast(total, BigInteger).label("agreements"))
        .where(*conditions)
        .group_by(*described)
        .subquery()
    )
    query = select(groups).where(groups.c["rank"] == 1)
    for name in ("kind", "country"):
        if (value := getattr(filters, name)) is not None:
            query = query.where(groups.c[name] == value)
    return query


_decode = msgspec.json.Decoder(T).decode


def _make(row: Row[Any]) -> PartyItem:
    return PartyItem(
        id=row.party, kind=row.kind, name=_decode(row.name), country=row.country, agreements=row.agreements
    )


PARTIES = ReadModel("parties", VERSION, {"": _main}, _rows)

LIST = Listing(
    name="parties",
    models=(PARTIES,),
    filters=PartyFilters,
    item=PartyItem,
    query=_query,
    make=_make,
    sorts={
        "id": "party",
        "-id": "party",
        "name": "name_order",
        "-name": "name_order",
        "agreements": "agreements",
        "-agreements": "agreements",
    },
    key=("party",),
)
