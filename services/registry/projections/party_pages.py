"""One party, and one pair of them: with whom, how many agreements, and where they stand on a day."""

from collections import Counter
from datetime import date
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Connection, Row, Select, and_, func, or_, select

from registry.access import Sight
from registry.domain.values import Identifier, T
from registry.errors import NotFound
from registry.projections.agreement_list import of_pair
from registry.projections.agreements import AGREEMENTS, NO_DAYS
from registry.projections.columns import NESTED, of_party
from registry.projections.listing import FIRST_DAY, LAST_DAY, Listing, Source, holds_on, page, visible
from registry.projections.parties import LIST as PARTY_LIST
from registry.projections.parties import PARTIES, PartyFilters, PartyItem

MODELS = (PARTIES, AGREEMENTS)
"""What both read."""


class PairFilters(msgspec.Struct, frozen=True, kw_only=True):
    """Which pairs to give."""

    party: Annotated[Identifier, Meta(description="The id of one of the two")] | None = None


class PairItem(msgspec.Struct, frozen=True, kw_only=True):
    """Two parties with agreements between them, the lower id first."""

    one: Annotated[str, Meta(description="The id of one party")]
    other: Annotated[str, Meta(description="The id of the other")]
    agreements: Annotated[int, Meta(description="How many there are between them")]


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """Where some agreements stand on a day."""

    on: Annotated[date, Meta(description="The day that statuses are for")]
    agreements: Annotated[int, Meta(description="How many there are")]
    statuses: Annotated[dict[str, int], Meta(description="How many have each status on the day")]
    kinds: Annotated[dict[str, int], Meta(description="How many there are of each kind")]
    first_signed: Annotated[str | None, Meta(description="The first day on which one may have been signed")]
    last_signed: Annotated[str | None, Meta(description="The last day on which one may have been signed")]


class PartyView(Standing, frozen=True, kw_only=True):
    """A party."""

    id: Annotated[str, Meta(description="The id of the party")]
    kind: Annotated[str, Meta(description="What kind of party it is")]
    name: Annotated[T, Meta(description="Its name by language")]
    country: Annotated[str | None, Meta(description="Its country, by code")]
    partners: Annotated[
        tuple[PartyItem, ...],
        Meta(description=f"The {NESTED} with which it has most agreements, and how many these are"),
    ]


class PairView(Standing, frozen=True, kw_only=True):
    """Two parties, as their agreements with each other describe them."""

    parties: Annotated[tuple[PartyItem, ...], Meta(description="The two, in the order asked for")]


def party_view(connection: Connection, id: str, on: date, *, sight: Sight) -> tuple[PartyView, int]:
    """Show a party, and say up to which position of the log. Raises NotFound when no agreement has it."""
    source = Source(connection, MODELS, on, sight)
    party = _described(connection, sight, id)
    theirs = PartyFilters(partner=id)
    partners = page(connection, PARTY_LIST, theirs, sight=sight, sort="-agreements", limit=NESTED)
    shown = PartyView(
        id=party.id,
        kind=party.kind,
        name=party.name,
        country=party.country,
        partners=partners.items,
        **_standing(connection, source, of_party(source.tables(AGREEMENTS)[""], id)),
    )
    return shown, source.position


def pair_view(connection: Connection, a: str, b: str, on: date, *, sight: Sight) -> tuple[PairView, int]:
    """Show two parties, and say up to which position of the log. Raises NotFound when nothing is between them."""
    source = Source(connection, MODELS, on, sight)
    parties = _described(connection, sight, a, partner=b), _described(connection, sight, b, partner=a)
    standing = _standing(connection, source, of_pair(source.tables(AGREEMENTS)[""], a, b))
    return PairView(parties=parties, **standing), source.position


def _described(connection: Connection, sight: Sight, id: str, *, partner: str | None = None) -> PartyItem:
    filters = PartyFilters(id=(id,), partner=partner)
    for party in page(connection, PARTY_LIST, filters, sight=sight, limit=1).items:
        return party
    raise NotFound(f"no agreement {f'between {partner!r} and' if partner else 'has a party'} {id!r}")


def _standing(connection: Connection, source: Source, of_them: ColumnElement[bool]) -> dict[str, Any]:
    """Count the agreements that a condition keeps, by what they are and where they stand."""
    tables = source.tables(AGREEMENTS)
    main, status = tables[""], tables["status"]
    kept = and_(visible(source.sight, main), of_them)
    rows = connection.execute(  # an agreement has one status on a day, so each is counted once
        select(
            main.c.kind,
            status.c.status,
            func.count(),
            func.min(main.c.signed_earliest),
            func.max(main.c.signed_latest),
        )
        .join(status, status.c.agreement == main.c.agreement)
        .where(kept, holds_on(status, source.on))
        .group_by(main.c.kind, status.c.status)
    ).all()
    kinds: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    for kind, code, number, *_ in rows:
        kinds[kind] += number
        statuses[code] += number
    # None where this model has yet to come as far.
    first = min((row[3] for row in rows), default=FIRST_DAY)
    last = max((row[4] for row in rows), default=LAST_DAY)
    return {
        "on": date.fromisoformat(source.on),
        "agreements": kinds.total(),
        "statuses": dict(sorted(statuses.items())),
        "kinds": dict(sorted(kinds.items())),
        "first_signed": None if first in (FIRST_DAY, NO_DAYS[0]) else first,
        "last_signed": None if last in (LAST_DAY, NO_DAYS[1]) else last,
    }


def _query(source: Source, filters: PairFilters) -> Select[Any]:
    main = source.tables(PARTIES)[""]
    one, other = main.c.party.label("one"), main.c.partner.label("other")
    pairs = (
        select(one, other, func.count().label("agreements"))
        .where(visible(source.sight, main), main.c.party < main.c.partner)
        .group_by(main.c.party, main.c.partner)
    )
    if filters.party is not None:
        pairs = pairs.where(or_(main.c.party == filters.party, main.c.partner == filters.party))
    return select(pairs.subquery())


def _make(row: Row[Any]) -> PairItem:
    return PairItem(one=row.one, other=row.other, agreements=row.agreements)


PAIR_LIST = Listing(
    name="pairs",
    models=(PARTIES,),
    filters=PairFilters,
    item=PairItem,
    query=_query,
    make=_make,
    sorts={"id": "one", "-id": "one", "agreements": "agreements", "-agreements": "agreements"},
    key=("one", "other"),
)
