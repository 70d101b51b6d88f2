"""The list of people, each under a random id, with what the agreements still say of them."""

from collections import Counter
from itertools import chain
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from sqlalchemy import ColumnElement, Row, Select, exists, func, select

from registry.domain.values import AgreementId, Identifier, PersonId
from registry.projections.columns import LINE, NESTED, read_lines
from registry.projections.institutions_and_people import (
    INSTITUTIONS_AND_PEOPLE,
    Act,
    Office,
    PersonKnown,
    withhold_act,
    withhold_office,
)
from registry.projections.listing import Listing, Source, visible

ActName = Literal["held-office", "signed", "took-part", "spoke"]


class PersonFilters(msgspec.Struct, frozen=True, kw_only=True):
    """A person is shown as the agreements that match know them."""

    person: Annotated[PersonId, Meta(description="The id of the person")] | None = None
    agreement: Annotated[AgreementId, Meta(description="In this agreement alone")] | None = None
    party: (
        Annotated[Identifier, Meta(description="Where the person acted or held office for a party")] | None
    ) = None
    institution: (
        Annotated[Identifier, Meta(description="Where the person acted or held office for an institution")]
        | None
    ) = None
    act: Annotated[ActName, Meta(description="Where this is what the person did")] | None = None


class PersonItem(msgspec.Struct, frozen=True, kw_only=True):
    """A person. The name is the one that most agreements give."""

    person_id: Annotated[str, Meta(description="The random id of the person")]
    name: Annotated[str | None, Meta(description="Null if none is given, or all have been erased")]
    names: Annotated[tuple[str, ...], Meta(description="Every name that is given")]
    erased: Annotated[bool, Meta(description="Whether a name has been erased and none is left")]
    withheld: Annotated[bool, Meta(description="Whether there is a name that whoever asks may not see")] = (
        False
    )
    agreements: Annotated[int, Meta(description="How many agreements name the person")]
    offices: Annotated[tuple[Office, ...], Meta(description=f"The first {NESTED} offices, by agreement")]
    acts: Annotated[
        tuple[Act, ...],
        Meta(description=f"Where they signed, took part or spoke: the first {NESTED} by agreement"),
    ]


def _query(source: Source, filters: PersonFilters) -> Select[Any]:
    tables = source.tables(INSTITUTIONS_AND_PEOPLE)
    person, tie = tables["person"], tables["tie"]
    query = (
        select(person.c.person_id)
        .add_columns(
            func.count().label("agreements"),
            func.aggregate_strings(person.c.shown, LINE).label("shown"),
        )
        .where(visible(source.sight, person))
        .group_by(person.c.person_id)
    )
    if filters.person is not None:
        query = query.where(person.c.person_id == filters.person)
    if filters.agreement is not None:
        query = query.where(person.c.agreement == filters.agreement)
    asked = {"party": filters.party, "institution_id": filters.institution, "act": filters.act}
    tied: list[ColumnElement[bool]] = [
        tie.c[name] == value for name, value in asked.items() if value is not None
    ]
    if tied:
        same = tie.c.agreement == person.c.agreement, tie.c.person_id == person.c.person_id
        query = query.where(exists().where(*same, *tied))
    return query


_decode = msgspec.json.Decoder(PersonKnown).decode


def _make(row: Row[Any]) -> PersonItem:
    known = read_lines(row.shown, _decode)
    known.sort(key=lambda one: one.agreement)
    counted = Counter(chain.from_iterable(one.names for one in known))
    names = tuple(sorted(counted, key=lambda name: (-counted[name], name)))
    return PersonItem(
        person_id=row.person_id,
        name=names[0] if names else None,
        names=names,
        erased=not names and any(one.erased for one in known),
        agreements=row.agreements,
        offices=tuple(chain.from_iterable(one.offices for one in known))[:NESTED],
        acts=tuple(chain.from_iterable(one.acts for one in known))[:NESTED],
    )


def _withhold(item: PersonItem) -> PersonItem:
    return msgspec.structs.replace(
        item,
        name=None,
        names=(),
        withheld=bool(item.names),
        offices=tuple(map(withhold_office, item.offices)),
        acts=tuple(map(withhold_act, item.acts)),
    )


LIST = Listing(
    name="people",
    models=(INSTITUTIONS_AND_PEOPLE,),
    filters=PersonFilters,
    item=PersonItem,
    query=_query,
    make=_make,
    withhold=_withhold,
    sorts={"person": "person_id", "-person": "person_id"},
    key=("person_id",),
)
