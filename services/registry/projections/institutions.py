"""The list of institutions, each with what the agreements say of it."""

from collections import Counter
from collections.abc import Iterable
from itertools import chain
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import Row, Select, func, select

from registry.domain.values import AgreementId, Identifier, T
from registry.projections.columns import LINE, NESTED, AgreementRef, read_lines
from registry.projections.institutions_and_people import INSTITUTIONS_AND_PEOPLE, Act, InstitutionKnown
from registry.projections.listing import Listing, Source, visible

Role = Literal["lead", "signatory", "negotiator", "regulator", "mentioned"]


class InstitutionFilters(msgspec.Struct, frozen=True, kw_only=True):
    """An institution is shown as the agreements that match know it."""

    institution: Annotated[Identifier, Meta(description="The id of the institution")] | None = None
    agreement: Annotated[AgreementId, Meta(description="In this agreement alone")] | None = None
    party: Annotated[Identifier, Meta(description="Where it belongs to this party")] | None = None
    role: Annotated[Role, Meta(description="Where this is what it has to do with the agreement")] | None = (
        None
    )


class InstitutionLink(msgspec.Struct, frozen=True, kw_only=True):
    """What an institution has to do with an agreement."""

    agreement: AgreementRef
    party: Annotated[str | None, Meta(description="The party it belongs to")]
    role: Annotated[str | None, Meta(description="Null where an event only names its id")]


class InstitutionItem(msgspec.Struct, frozen=True, kw_only=True):
    """An institution. Its name is the one that most agreements give it."""

    institution_id: Annotated[str, Meta(description="Its id in the whole registry")]
    name: Annotated[T | None, Meta(description="Null where nothing but its id is given")]
    names: Annotated[tuple[T, ...], Meta(description="Every name that an agreement gives it")]
    parties: Annotated[tuple[str, ...], Meta(description="The parties that it is said to belong to")]
    roles: Annotated[tuple[str, ...], Meta(description="What it has to do with agreements")]
    established: Annotated[str | None, Meta(description="The day it was established; EDTF")]
    agreements: Annotated[int, Meta(description="How many agreements name it")]
    links: Annotated[tuple[InstitutionLink, ...], Meta(description=f"The first {NESTED} of these, by id")]
    acts: Annotated[tuple[Act, ...], Meta(description=f"What it did, the first {NESTED} by agreement")]


def _query(source: Source, filters: InstitutionFilters) -> Select[Any]:
    main = source.tables(INSTITUTIONS_AND_PEOPLE)[""]
    query = (
        select(main.c.institution_id)
        .add_columns(
            func.count().label("agreements"),
            func.aggregate_strings(main.c.shown, LINE).label("shown"),
        )
        .where(visible(source.sight, main))
        .group_by(main.c.institution_id)
    )
    if filters.institution is not None:
        query = query.where(main.c.institution_id == filters.institution)
    for name in ("agreement", "party", "role"):
        if (value := getattr(filters, name)) is not None:
            query = query.where(main.c[name] == value)
    return query


_decode = msgspec.json.Decoder(InstitutionKnown).decode


def _make(row: Row[Any]) -> InstitutionItem:
    links = read_lines(row.shown, _decode)
    links.sort(key=lambda link: link.agreement)
    names = _by_use(msgspec.json.encode(link.name, order="sorted") for link in links if link.name)
    return InstitutionItem(
        institution_id=row.institution_id,
        name=names[0] if names else None,
        names=names,
        parties=_each(link.party for link in links),
        roles=_each(link.role for link in links),
        established=next((link.established for link in links if link.established), None),
        agreements=row.agreements,
        links=tuple(
            InstitutionLink(agreement=link.agreement, party=link.party, role=link.role)
            for link in links[:NESTED]
        ),
        acts=tuple(chain.from_iterable(link.acts for link in links))[:NESTED],
    )


def _by_use(names: Iterable[bytes]) -> tuple[T, ...]:
    """Give each name once, the one given most often first."""
    counted = Counter(names)
    ordered = sorted(counted, key=lambda name: (-counted[name], name))
    return tuple(msgspec.json.decode(name, type=dict[str, str]) for name in ordered)


def _each(values: Iterable[str | None]) -> tuple[str, ...]:
    return tuple(sorted({value for value in values if value is not None}))


LIST = Listing(
    name="institutions",
    models=(INSTITUTIONS_AND_PEOPLE,),
    filters=InstitutionFilters,
    item=InstitutionItem,
    query=_query,
    make=_make,
    sorts={"institution": "institution_id", "-institution": "institution_id"},
    key=("institution_id",),
)
