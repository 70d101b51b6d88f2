"""Institutions and people: who they are by each agreement, and what they have to do with it.

Names, offices and capacities of people are personal. They stand in the rows of an agreement only as long as its
state has them, so that an erasure takes them along with the rows that it replaces.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from sqlalchemy import Column, Index
from sqlalchemy.schema import SchemaItem

from registry.domain.agreement import Agreement
from registry.domain.engagements import engagements
from registry.domain.events import InstitutionLinked, Signed, StatementRecorded
from registry.domain.shown.behind import said_now
from registry.domain.shown.people import (
    ActorShown,
    InstitutionShown,
    PersonShown,
    RoleShown,
    institutions,
    roles,
)
from registry.domain.values import T
from registry.projections.actors import acting, participants
from registry.projections.columns import AgreementRef, SourceRef, own_columns, own_values, shown, shown_column
from registry.projections.model import ReadModel, Rows, Word

VERSION = 2


class Act(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Something that a person or an institution did."""

    agreement: AgreementRef
    act: Annotated[str, Meta(description="`signed`, `took-part` or `spoke`")]
    party: Annotated[str | None, Meta(description="The party acted for")] = None
    date: Annotated[str | None, Meta(description="When, EDTF")] = None
    capacity: Annotated[str | None, Meta(description="The office in which a person signed")] = None
    withheld: Annotated[bool, Meta(description="Whether the capacity is not shown to whoever asks")] = False
    part_id: Annotated[str | None, Meta(description="The engagement, or the statement")] = None
    source: SourceRef


class Office(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An office that a person held, as one source tells it."""

    agreement: AgreementRef
    title: Annotated[T | None, Meta(description="The office; null if it was erased")]
    institution_id: Annotated[str | None, Meta(description="The institution it belongs to")] = None
    party: Annotated[str, Meta(description="The party it was held for")]
    from_: Annotated[str | None, Meta(description="The first day in office; EDTF")] = msgspec.field(
        name="from", default=None
    )
    to: Annotated[str | None, Meta(description="The last day in office; EDTF")] = None
    erased: Annotated[bool, Meta(description="Whether office and days were erased")] = False
    withheld: Annotated[bool, Meta(description="Whether office and days are not shown to whoever asks")] = (
        False
    )
    source: SourceRef


class InstitutionKnown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an institution is by one agreement."""

    agreement: str
    name: Annotated[T | None, Meta(description="Null where nothing but its id is given")] = None
    party: str | None = None
    role: str | None = None
    established: str | None = None
    acts: tuple[Act, ...] = ()


class PersonKnown(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a person is by one agreement."""

    agreement: str
    names: tuple[str, ...] = ()
    erased: bool = False
    offices: tuple[Office, ...] = ()
    acts: tuple[Act, ...] = ()


def _institution() -> Sequence[SchemaItem]:
    return [
        *own_columns(),
        Column("institution_id", Word, nullable=False),
        Column("party", Word),
        Column("role", Word),
        shown_column(),
        Index(None, "institution_id", "agreement"),
    ]


def _person() -> Sequence[SchemaItem]:
    return [
        *own_columns(),
        Column("person_id", Word, nullable=False),
        shown_column(),
        Index(None, "person_id", "agreement"),
    ]


def _tie() -> Sequence[SchemaItem]:
    return [
        Column("person_id", Word, nullable=False),
        Column("act", Word, nullable=False),
        Column("party", Word, index=True),
        Column("institution_id", Word, index=True),
    ]


def _rows(state: Agreement) -> Rows:
    acts = list(_acts(state))
    offices = roles(state)
    if not acts and not offices and InstitutionLinked not in state.index:
        return {"": [], "person": [], "tie": []}
    own = own_values(state)
    return {
        "": [{**own, **row} for row in _institutions(state, acts, offices)],
        "person": [{**own, **row} for row in _people(state, acts, offices)],
        "tie": _ties(acts, offices),
    }


def _institutions(
    state: Agreement, acts: list[tuple[ActorShown, Act]], offices: tuple[RoleShown, ...]
) -> Iterator[dict[str, Any]]:
    linked: dict[str, InstitutionShown] = {each.institution_id: each for each in institutions(state)}
    did: dict[str, list[Act]] = {}
    for who, act in acts:
        if who.institution_id is not None:
            did.setdefault(who.institution_id, []).append(msgspec.structs.replace(act, capacity=None))
    named = {office.institution_id for office in offices if office.institution_id is not None}
    for id_ in sorted({*linked, *did, *named}):
        link = linked.get(id_)
        yield {
            "institution_id": id_,
            "party": link.party if link else None,
            "role": link.role if link else None,
            "shown": shown(
                InstitutionKnown(
                    agreement=state.id,
                    name=link.name if link else None,
                    party=link.party if link else None,
                    role=link.role if link else None,
                    established=link.established if link else None,
                    acts=tuple(did.get(id_, ())),
                )
            ),
        }


def _people(
    state: Agreement, acts: list[tuple[ActorShown, Act]], offices: tuple[RoleShown, ...]
) -> Iterator[dict[str, Any]]:
    found: dict[str, list[PersonShown | Office | Act]] = {}
    for who, act in acts:
        if who.person is not None:
            found.setdefault(who.person.person_id, []).extend((who.person, act))
    for office in offices:
        found.setdefault(office.person.person_id, []).extend((office.person, _office(state, office)))
    for id_, what in sorted(found.items()):
        same = [one for one in what if isinstance(one, PersonShown)]
        known = PersonKnown(
            agreement=state.id,
            names=tuple(sorted({person.name for person in same if person.name})),
            erased=any(person.erased for person in same),
            offices=tuple(one for one in what if isinstance(one, Office)),
            acts=tuple(one for one in what if isinstance(one, Act)),
        )
        yield {"person_id": id_, "shown": shown(known)}


def _office(state: Agreement, office: RoleShown) -> Office:
    return Office(
        agreement=state.id,
        title=office.title,
        institution_id=office.institution_id,
        party=office.party,
        from_=office.from_,
        to=office.to,
        erased=office.erased,
        source=office.by.source,
    )


def _ties(acts: list[tuple[ActorShown, Act]], offices: tuple[RoleShown, ...]) -> list[dict[str, Any]]:
    """Give what people are found by: what they did, for which party and which institution."""
    found: set[tuple[str, str, str | None, str | None]] = {
        ("held-office", one.person.person_id, one.party, one.institution_id) for one in offices
    }
    found |= {
        (act.act, who.person.person_id, act.party or "", who.institution_id)
        for who, act in acts
        if who.person
    }
    return [
        {"act": act, "person_id": person, "party": party, "institution_id": institution}
        for act, person, party, institution in sorted(found, key=str)
    ]


def _acts(state: Agreement) -> Iterator[tuple[ActorShown, Act]]:
    """Yield who did what: signatures first, then engagements and statements, each in the order of identities."""
    for live, signed in sorted(state.of(Signed), key=lambda pair: pair[0].identity):
        if not any(signature.actor for signature in signed.signatures):
            continue
        for one in said_now(live)["signatures"]:
            if "actor" in one:
                yield (
                    acting(state, one["actor"]),
                    Act(
                        agreement=state.id,
                        act="signed",
                        party=one["party"],
                        date=str(signed.occurred),
                        capacity=one.get("capacity"),
                        source=live.source,
                    ),
                )
    yield from _taking_part(state)
    for live, said in sorted(state.of(StatementRecorded), key=lambda pair: pair[0].identity):
        if said.speaker is not None:
            who = acting(state, said_now(live)["speaker"])
            yield (
                who,
                Act(
                    agreement=state.id,
                    act="spoke",
                    party=who.on_behalf_of,
                    date=str(said.occurred) if said.occurred else None,
                    part_id=said.statement_id,
                    source=live.source,
                ),
            )


def _taking_part(state: Agreement) -> Iterator[tuple[ActorShown, Act]]:
    """Yield who took part in what was held; of what was only planned nobody knows yet."""
    for id_, one in sorted(engagements(state).items()):
        for about in one.held:
            for who in participants(state, about):
                yield (
                    who,
                    Act(
                        agreement=state.id,
                        act="took-part",
                        party=who.on_behalf_of,
                        date=str(about.when),
                        part_id=id_,
                        source=about.live.source,
                    ),
                )


def withhold_act(act: Act) -> Act:
    """Give an act without what is personal in it."""
    return act if act.capacity is None else msgspec.structs.replace(act, capacity=None, withheld=True)


def withhold_office(office: Office) -> Office:
    """Give an office without what is personal in it; one that was erased has nothing left to withhold."""
    if office.erased:
        return office
    return msgspec.structs.replace(office, title=None, from_=None, to=None, withheld=True)


INSTITUTIONS_AND_PEOPLE = ReadModel(
    "institutions_and_people", VERSION, {"": _institution, "person": _person, "tie": _tie}, _rows
)
