"""The state of one agreement: what its live events say now, and how one more event changes that.

Everything else (status, claims, parts, the view) is a pure function of the live events. That is why the order
in which events arrived cannot show.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import Any, TypeVar, cast

import msgspec

from registry.domain.envelope import Recorded
from registry.domain.events import EventCorrected, EventRetracted, PersonalDataErased, Registered
from registry.domain.events.event import Event, Key
from registry.domain.pointers import Tokens
from registry.domain.redaction import redacted

Identity = tuple[str, str]
"""(source, id) of an event, for ever."""

E = TypeVar("E", bound=Event)

_PREDICATE = itemgetter(0)
"""Of a claim, which is a pair."""


class Live(msgspec.Struct, frozen=True, gc=False):
    """An event that has not been retracted, under the identity that it was first posted with."""

    first: Recorded
    data: Event
    """What it says now, after its corrections."""
    corrections: tuple[Recorded, ...] = ()
    """The live corrections, each of the one before it."""

    @property
    def identity(self) -> Identity:
        return self.first.source, self.first.id

    @property
    def source(self) -> str:
        """The claimant, also when somebody else corrected the claim."""
        return self.first.source

    @property
    def positions(self) -> tuple[int, ...]:
        """Where the event and its corrections stand in the log."""
        return self.first.position, *(correction.position for correction in self.corrections)

    @property
    def erased(self) -> tuple[int, ...]:
        """The erased parts of the event, or of the correction, that says what it says now."""
        return self._said_by.erased

    @property
    def places_erased(self) -> frozenset[Tokens]:
        """Where in ``data`` a value stood that has been erased."""
        return self._within(self._said_by.places_erased)

    @property
    def withheld(self) -> tuple[int, ...]:
        """The parts of the same event that are not shown to whoever reads."""
        return self._said_by.withheld

    @property
    def places_withheld(self) -> frozenset[Tokens]:
        """Where in ``data`` their values stand."""
        return self._within(self._said_by.places_withheld)

    def _within(self, places: tuple[Tokens, ...]) -> frozenset[Tokens]:
        return frozenset(at[1:] if self.corrections else at for at in places)

    @property
    def _said_by(self) -> Recorded:
        return self.corrections[-1] if self.corrections else self.first


class Agreement:
    """The state. Whoever made it by ``evolve`` or ``copy`` owns it and alone may evolve it further.

    Once published to other threads it never changes again; the only thing still written then is ``derived``,
    where readers keep what they computed (the same for each of them, so no lock is needed).
    """

    __slots__ = (
        "__weakref__",
        "corrections",
        "derived",
        "founder",
        "id",
        "index",
        "live",
        "parties",
        "position",
        "recorded",
        "recorded_at",
        "retractions",
        "version",
    )

    id: str
    founder: Identity
    parties: tuple[str, ...]
    """The ids of the two parties, in the order of the founding event; empty once that has been erased."""
    version: int
    position: int
    """Of the last event."""
    recorded_at: int
    """Of the last event, in microseconds since 1970."""
    recorded: dict[Identity, Recorded]
    """Every event, live or not."""
    corrections: dict[Identity, tuple[Identity, ...]]
    """The corrections that name an event, live or not."""
    retractions: dict[Identity, tuple[Identity, ...]]
    """The retractions that name an event."""
    live: dict[Identity, Live]
    """The live events; corrections are inside the event that they correct."""
    index: dict[Key | type[Event], tuple[Identity, ...]]
    """The live events by each key that they hold, and by their class."""
    derived: dict[str, Any]

    def __init__(self, founding: Recorded) -> None:
        if not founding.type.startswith("agreement.registered."):
            raise ValueError(f"an agreement begins with agreement.registered, not with {founding.type}")
        self.id = founding.subject
        self.founder = founding.identity
        self.parties = ()
        self.version = self.position = self.recorded_at = 0
        self.recorded, self.corrections, self.retractions = {}, {}, {}
        self.live, self.index, self.derived = {}, {}, {}

    def copy(self) -> "Agreement":
        """Give a draft that can be evolved without touching this state."""
        draft = Agreement.__new__(Agreement)
        draft.id, draft.founder, draft.parties = self.id, self.founder, self.parties
        draft.version, draft.position, draft.recorded_at = self.version, self.position, self.recorded_at
        draft.recorded = self.recorded.copy()
        draft.corrections = self.corrections.copy()
        draft.retractions = self.retractions.copy()
        draft.live = self.live.copy()
        draft.index = self.index.copy()
        draft.derived = {}
        return draft

    def of(self, kind: type[E]) -> Sequence[tuple[Live, E]]:
        """Give the live events of a class, each with what it says now; most agreements have none of most classes."""
        holders = self.index.get(kind)
        if holders is None:
            return ()
        return [(live, cast("E", live.data)) for live in map(self.live.__getitem__, holders)]


def keys_of(data: Event) -> Iterator[Key]:
    """Yield what the source of an event may claim only once: its predicates and its own keys."""
    return chain(map(_PREDICATE, data.claims()), data.keys())


def target_of(data: EventCorrected | EventRetracted | PersonalDataErased) -> Identity:
    """Give the identity of the event that is named."""
    return data.target.source, data.target.id


def first_of(state: Agreement, identity: Identity) -> Identity:
    """Follow corrections back to the event first posted."""
    while (event := state.recorded.get(identity)) is not None and isinstance(event.data, EventCorrected):
        identity = target_of(event.data)
    return identity


def evolve(state: Agreement | None, event: Recorded) -> Agreement:
    """Take one more event into a state that the caller owns; it is changed in place and given back.

    Never refuses: what is recorded has happened. Without a state the event founds the agreement; ValueError
    says that a stream which does not begin with a ``registered`` is no agreement.
    """
    if state is None:
        state = Agreement(event)
    data, identity = event.data, event.identity
    state.version, state.position, state.recorded_at = event.version, event.position, event.recorded_at
    state.recorded[identity] = event
    if state.derived:
        state.derived = {}
    if isinstance(data, EventRetracted):
        target = target_of(data)
        state.retractions[target] = (*state.retractions.get(target, ()), identity)
        _settle(state, first_of(state, target))
    elif isinstance(data, EventCorrected):
        target = target_of(data)
        state.corrections[target] = (*state.corrections.get(target, ()), identity)
        _settle(state, first_of(state, target))
    else:
        _settle(state, identity)
        if isinstance(data, PersonalDataErased):
            target = target_of(data)
            if target in state.recorded:
                state.recorded[target] = redacted(state.recorded[target], data.parts)
                _settle(state, first_of(state, target))
    return state


def fold(state: Agreement | None, events: Iterable[Recorded]) -> Agreement | None:
    """Evolve a copy of a state by several events; the state itself stays as it is."""
    draft = None if state is None else state.copy()
    for event in events:
        draft = evolve(draft, event)
    return draft


def standing(state: Agreement, identity: Identity, without: Identity | None = None) -> Live | None:
    """Work out what the event first posted under ``identity`` says now, or None when it is retracted.

    ``without`` asks how it would stand if that correction were retracted.
    """
    first = state.recorded.get(identity)
    if first is None or identity in state.retractions:
        return None
    if identity not in state.corrections:
        return Live(first, first.data)
    data, chain, at = first.data, [], identity
    while named := [
        by for by in state.corrections.get(at, ()) if by not in state.retractions and by != without
    ]:
        # More than one can be live only half-way through a log whose order was changed.
        at = min(named)
        correction = state.recorded[at]
        data = cast("EventCorrected", correction.data).replacing
        chain.append(correction)
    return Live(first, data, tuple(chain))


def _index_keys(data: Event) -> set[Key | type[Event]]:
    return {type(data), *keys_of(data)}


def _settle(state: Agreement, identity: Identity) -> None:
    """Bring ``live`` and ``index`` up to date for the event first posted under ``identity``."""
    if before := state.live.pop(identity, None):
        for key in _index_keys(before.data):
            left = tuple(holder for holder in state.index[key] if holder != identity)
            if left:
                state.index[key] = left
            else:
                del state.index[key]
    if now := standing(state, identity):
        state.live[identity] = now
        if identity == state.founder and isinstance(now.data, Registered):
            state.parties = tuple(party.id for party in now.data.parties)
        index = state.index
        for key in _index_keys(now.data):
            held = index.get(key)
            index[key] = (identity,) if held is None else (*held, identity)
