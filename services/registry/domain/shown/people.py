"""Persons and institutions: who held which office, who said what. Listed by source, never disputed."""

from typing import Any

import msgspec

from registry.domain.agreement import Agreement, Live
from registry.domain.events import InstitutionLinked, RoleHeld, StatementRecorded
from registry.domain.merges import dropped_ids, kept_id
from registry.domain.shown.behind import Behind, Said, behind, by_day, said, said_now
from registry.domain.values import T


class PersonShown(msgspec.Struct, frozen=True, kw_only=True):
    person_id: str
    name: str | None = None
    erased: bool = False
    """True when the name was erased."""
    withheld: bool = False
    """True when the name is not shown to whoever asks."""


class ActorShown(msgspec.Struct, frozen=True, kw_only=True):
    person: PersonShown | None = None
    institution_id: str | None = None
    on_behalf_of: str | None = None


class InstitutionShown(msgspec.Struct, frozen=True, kw_only=True):
    institution_id: str
    merged_ids: tuple[str, ...]
    """The ids that were merged into this one."""
    name: T
    party: str
    role: str
    established: str | None
    claims: tuple[Said, ...]
    """Everything that was said of it; the first is what is shown."""


class RoleShown(msgspec.Struct, frozen=True, kw_only=True):
    person: PersonShown
    title: T | None
    institution_id: str | None
    party: str
    from_: str | None = msgspec.field(name="from", default=None)
    to: str | None = None
    erased: bool = False
    """True when office and days were erased."""
    withheld: bool = False
    """True when office and days are not shown to whoever asks."""
    by: Behind


class StatementShown(msgspec.Struct, frozen=True, kw_only=True):
    statement_id: str
    speaker: ActorShown | None
    attribution: str
    gist: T | None
    quoted: bool
    occurred: str | None
    erased: bool = False
    """True when the gist was erased."""
    withheld: bool = False
    """True when the gist is not shown to whoever asks."""
    by: Behind


def institutions(state: Agreement) -> tuple[InstitutionShown, ...]:
    """Show the institutions linked to an agreement, by id; merged ones hold all that was said of each."""
    groups: dict[str, list[tuple[Live, InstitutionLinked]]] = {}
    for live, data in state.of(InstitutionLinked):
        groups.setdefault(kept_id(state, "institution", data.institution_id), []).append((live, data))
    return tuple(_institution(state, id_, groups[id_]) for id_ in sorted(groups))


def roles(state: Agreement) -> tuple[RoleShown, ...]:
    """Show the offices of persons, by person, office and source.

    The order does not look at the days in office: they are personal, and may be gone tomorrow.
    """
    found = sorted(state.of(RoleHeld), key=lambda pair: (pair[1].person.person_id, pair[0].identity))
    return tuple(
        _convert(
            RoleShown, {**said_now(live), "institution_id": _institution_id(state, data), "by": behind(live)}
        )
        for live, data in found
    )


def statements(state: Agreement) -> tuple[StatementShown, ...]:
    """Show what was said about the agreement, by day, the undated last."""
    found = sorted(state.of(StatementRecorded), key=lambda pair: by_day(pair[1].occurred, pair[0]))
    return tuple(
        _convert(StatementShown, {"speaker": None, "occurred": None, **said_now(live), "by": behind(live)})
        for live, _ in found
    )


def actor(body: Any) -> ActorShown:
    """Show who acted, from what an event says now."""
    return msgspec.convert(body, ActorShown)


def withhold_name(who: ActorShown) -> ActorShown:
    """Give an actor without the name of the person."""
    if who.person is None or who.person.name is None:
        return who
    return msgspec.structs.replace(who, person=msgspec.structs.replace(who.person, name=None, withheld=True))


def _institution(state: Agreement, id_: str, found: list[tuple[Live, InstitutionLinked]]) -> InstitutionShown:
    ordered = sorted(
        found, key=lambda pair: (pair[1].inferred, pair[1].institution_id != id_, pair[0].identity)
    )
    first = ordered[0][1]
    established = next((data.established for _, data in ordered if data.established), None)
    return InstitutionShown(
        institution_id=id_,
        merged_ids=dropped_ids(state, "institution", id_),
        name=first.name,
        party=first.party,
        role=first.role,
        established=str(established) if established else None,
        claims=tuple(said(live) for live, _ in ordered),
    )


def _institution_id(state: Agreement, data: RoleHeld) -> str | None:
    return None if data.institution_id is None else kept_id(state, "institution", data.institution_id)


def _convert(kind: Any, body: dict[str, Any]) -> Any:
    """Fill a struct from JSON that has already been checked; what it does not show is left out."""
    return msgspec.convert(body, kind)
