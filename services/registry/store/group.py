"""A group of requests behind the head of the log: what each of them becomes, and what is to be written."""

import logging
from collections.abc import Callable, Collection, Sequence

import msgspec
from eventsourcing.persistence import StoredEvent

from registry.domain.agreement import Agreement, evolve
from registry.domain.codec import same_content
from registry.domain.decide import Advice, decide
from registry.domain.envelope import Posted, Recorded
from registry.domain.visibility import is_restricted, refuse_founding
from registry.errors import IdentityTaken, Refusal, VersionMismatch
from registry.store.receipt import Receipt, receipt
from registry.store.rows import Row, join_all
from registry.store.seal import Sealed

log = logging.getLogger(__name__)

Identity = tuple[str, str]
Permit = Callable[[Agreement | None, Posted], None]
"""Refuses an event about an agreement in some state. Raises Refusal."""


class Request(msgspec.Struct, frozen=True):
    """Events that stand or fall together."""

    events: Sequence[Posted]
    parts: Sequence[tuple[bytes, ...]]
    """The canonical bytes of each event's parts."""
    expect: int | None = None
    """The version that the one event's agreement must have; 0 if it must not exist."""
    admin: bool = False
    """Whether whoever posts may act for another source."""
    permit: Permit | None = None
    """Refuses what whoever posts may not post. Without I/O: it is asked while the head is locked, before any
    precondition. None: they are bound to nothing."""
    restricted: bool = True
    """Whether restricted agreements exist for whoever posts."""
    principal: str = ""
    """The random id of whoever posts."""

    @property
    def size(self) -> int:
        """Bytes of all parts."""
        return sum(len(part) for parts in self.parts for part in parts)


class Accepted(msgspec.Struct, frozen=True, gc=False):
    """An event that this group writes."""

    posted: Posted
    parts: tuple[bytes, ...]
    position: int
    version: int
    warnings: tuple[Advice, ...]


class Replay(msgspec.Struct, frozen=True):
    """An event that was recorded before, or stands earlier in this group."""

    position: int
    row: Row | None
    """What is recorded; None when this very group writes it."""


Slot = Accepted | Replay


class Group:
    """Decides requests one after the other; each sees what those before it have done.

    Lives for one transaction, in the writer's thread.
    """

    def __init__(
        self,
        *,
        size: int,
        recorded_at: int,
        state_of: Callable[[str], Agreement | None],
        recorded: dict[Identity, Row],
        restricted: Collection[str] = (),
    ) -> None:
        self._size = size
        self.recorded_at = recorded_at
        """The record time of this group's events, in microseconds since 1970."""
        self._state_of = state_of
        self._recorded = recorded
        self._restricted = restricted
        """The restricted agreements among those of ``recorded``."""
        self.accepted: dict[Identity, Accepted] = {}
        self.states: dict[str, Agreement] = {}
        """The states that the accepted events lead to."""

    def decided(self, request: Request) -> list[Slot] | Exception:
        """Decide a request; give why it is refused instead of raising it, as one must not fail its neighbours."""
        try:
            return self.decide(request)
        except Refusal as refusal:
            return refusal
        except Exception as error:  # a fault of ours
            log.exception("deciding failed")
            return error

    def at(self, position: int) -> Accepted:
        """Give the event that this group writes at a position."""
        return next(slot for slot in self.accepted.values() if slot.position == position)

    def decide(self, request: Request) -> list[Slot]:
        """Accept every event of a request or none. Raises Refusal with the index of the one to blame."""
        slots: list[Slot] = []
        accepted: dict[Identity, Accepted] = {}
        states: dict[str, Agreement] = {}
        for index, (posted, parts) in enumerate(zip(request.events, request.parts, strict=True)):
            try:
                slot = self._slot(posted, parts, request, accepted, states)
            except Refusal as refusal:
                refusal.index, refusal.subject = index, posted.subject
                raise
            slots.append(slot)
        self.accepted.update(accepted)
        self.states.update(states)
        return slots

    def _slot(
        self,
        posted: Posted,
        parts: tuple[bytes, ...],
        request: Request,
        accepted: dict[Identity, Accepted],
        states: dict[str, Agreement],
    ) -> Slot:
        identity = posted.source, posted.id
        if (replay := self._replay(posted, request, accepted)) is not None:  # before any precondition
            return replay
        state = states.get(posted.subject)
        if state is None:
            state = self.states.get(posted.subject) or self._state_of(posted.subject)
        hidden = state is not None and posted.subject not in states and _hidden(state, request)
        if hidden:  # whatever is refused is refused as if nobody had founded it
            state = None
        if request.permit is not None:
            request.permit(state, posted)
        version = state.version if state is not None else 0
        for expected in (request.expect, posted.expected_version):
            if expected is not None and expected != version:
                raise VersionMismatch(posted.subject, expected, version)
        warnings = decide(state, posted, admin=request.admin)
        if hidden:
            refuse_founding(posted)
        slot = Accepted(
            posted, parts, self._size + len(self.accepted) + len(accepted) + 1, version + 1, warnings
        )
        if state is not None and posted.subject not in states:
            state = state.copy()  # the one before is shared, or belongs to a request that stands by itself
        states[posted.subject] = evolve(
            state,
            Recorded(
                position=slot.position,
                version=slot.version,
                recorded_at=self.recorded_at,
                source=posted.source,
                id=posted.id,
                type=posted.type,
                subject=posted.subject,
                data=posted.data,
            ),
        )
        accepted[identity] = slot
        return slot

    def _replay(self, posted: Posted, request: Request, accepted: dict[Identity, Accepted]) -> Replay | None:
        """Find the same event if it is known. Raises IdentityTaken if its content differs.

        Of an agreement that does not exist for whoever posts only their own events are known to them.
        """
        identity = posted.source, posted.id
        row = self._recorded.get(identity)
        if row is not None:
            position, stream, type_, joined = row.position, row.stream_id, row.type, row.joined()
        elif (slot := accepted.get(identity) or self.accepted.get(identity)) is not None:
            position, stream, type_ = slot.position, slot.posted.subject, slot.posted.type
            joined = join_all(dict(enumerate(slot.parts)))
        else:
            return None
        if joined.principal != request.principal and self._hides(stream, request):
            if stream == posted.subject:
                return None
            raise IdentityTaken(posted.source, posted.id, None)
        same_place = (stream, type_) == (posted.subject, posted.type)
        if not same_place or not same_content(joined, posted.attrs, posted.body):
            raise IdentityTaken(posted.source, posted.id, position)
        return Replay(position, row)

    def _hides(self, stream: str, request: Request) -> bool:
        state = self.states.get(stream)
        known = stream in self._restricted if state is None else is_restricted(state)
        return known and not request.restricted

    def stored_events(self) -> list[StoredEvent]:
        """Give the accepted events in the library's form, in the order of their positions."""
        return [
            StoredEvent(slot.posted.subject, slot.version, slot.posted.type, slot.parts[0])
            for slot in self.accepted.values()
        ]

    def receipts(self, slots: Sequence[Slot], sealed: Sealed) -> list[Receipt]:
        """Make out the receipts of a request once its events are sealed."""
        return [
            _receipt_of_row(slot.row)
            if isinstance(slot, Replay) and slot.row is not None
            else _receipt_of_sealed(slot, sealed)
            for slot in slots
        ]


def _hidden(state: Agreement, request: Request) -> bool:
    """Tell whether an agreement does not exist for whoever posts."""
    return not request.restricted and is_restricted(state)


def _receipt_of_sealed(slot: Slot, sealed: Sealed) -> Receipt:
    place = slot.position - sealed.positions.start
    draft = sealed.drafts[place]
    return receipt(
        source=draft.source,
        id=draft.id,
        agreement=draft.stream,
        position=slot.position,
        version=draft.version,
        recorded_at=sealed.recorded_at,
        leaf=sealed.leaves[place],
        uuid=sealed.uuids[place],
        warnings=slot.warnings if isinstance(slot, Accepted) else (),
        replayed=isinstance(slot, Replay),
    )


def _receipt_of_row(row: Row) -> Receipt:
    return receipt(
        source=row.source,
        id=row.event_id,
        agreement=row.stream_id,
        position=row.position,
        version=row.version,
        recorded_at=row.recorded_at,
        leaf=row.leaf_hash,
        replayed=True,
    )
