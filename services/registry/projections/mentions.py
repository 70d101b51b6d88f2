"""What an agreement mentions and can be found by: areas, institutions, persons, places and subjects."""

from collections.abc import Iterator, Mapping
from functools import lru_cache

from registry.domain.agreement import Agreement
from registry.domain.claims import claimed
from registry.domain.events import (
    CooperationAreaAdded,
    EngagementHeld,
    EngagementPlanned,
    InstitutionLinked,
    NegotiationOpened,
    Registered,
    RoleHeld,
    Signed,
    StatementRecorded,
)
from registry.domain.events.event import Event
from registry.domain.merges import kept_id, merged
from registry.domain.values import Actor, Place
from registry.projections.words import folded

Mention = tuple[str, str]
"""What it is (area, institution, person, place, subject) and its id or its name as it is compared."""

MOST_LETTERS = 200
"""Letters of a value that count: PostgreSQL indexes up to 2,704 bytes."""


def mentions(state: Agreement) -> list[Mention]:
    """Give what an agreement mentions, each once: ids, and names as they are compared."""
    found: set[Mention] = {*_subjects(state), *_areas(state), *_institutions(state), *_places(state)}
    for one in _actors(state):
        if one.person is not None:
            found.add(("person", one.person.person_id))
        if one.institution_id is not None:
            found.add(("institution", kept_id(state, "institution", one.institution_id)))
    # Who knows a part by the id that was dropped finds the agreement still.
    found |= {dropped for dropped, kept in merged(state).items() if (dropped[0], kept) in found}
    return sorted(found)


def comparable(name: str) -> str:
    """Give a name as it is compared: capitals, accents and punctuation do not matter."""
    return folded(name)[:MOST_LETTERS]


_PLACES: Mapping[type[Event], str] = {
    Signed: "place",
    NegotiationOpened: "venue",
    EngagementHeld: "place",
    EngagementPlanned: "place",
}
"""Where events name a place."""

_named_often = lru_cache(10_000)(comparable)
"""The same for subjects and places, of which there are few. Names of persons must not stay in memory."""


def _subjects(state: Agreement) -> Iterator[Mention]:
    for _, data in state.of(Registered):
        for subject in data.subjects:
            yield "subject", _named_often(subject)


def _areas(state: Agreement) -> Iterator[Mention]:
    if CooperationAreaAdded not in state.index:
        return
    for predicate in claimed(state):
        if predicate.startswith("area."):
            yield "area", predicate.split(".")[1]


def _institutions(state: Agreement) -> Iterator[Mention]:
    for _, linked in state.of(InstitutionLinked):
        yield "institution", kept_id(state, "institution", linked.institution_id)
    for _, role in state.of(RoleHeld):
        yield "person", role.person.person_id
        if role.institution_id is not None:
            yield "institution", kept_id(state, "institution", role.institution_id)


def _places(state: Agreement) -> Iterator[Mention]:
    for kind, field in _PLACES.items():
        for _, data in state.of(kind):
            place: Place | None = getattr(data, field)
            if place is not None:
                yield "place", _named_often(place.name)


def _actors(state: Agreement) -> Iterator[Actor]:
    for _, signed in state.of(Signed):
        for one in signed.signatures:
            if one.actor is not None:
                yield one.actor
    for _, held in state.of(EngagementHeld):
        yield from held.participants
    for _, plan in state.of(EngagementPlanned):
        yield from plan.participants
    for _, statement in state.of(StatementRecorded):
        if statement.speaker is not None:
            yield statement.speaker
