"""Erasing personal data: one transaction deletes parts with their salts and records that it did.

The entries stay as they are and with them every leaf, tile and checkpoint: they hold commitments, which say nothing
about what was committed to once the salt is gone.
"""

from collections.abc import Callable, Collection, Iterable
from contextlib import nullcontext

import msgspec
from eventsourcing.persistence import StoredEvent
from sqlalchemy import Connection, Engine, delete, tuple_

from registry.domain.agreement import Agreement, fold, target_of
from registry.domain.amending import check_erasure
from registry.domain.attributes import ADMINISTRATION
from registry.domain.codec import split
from registry.domain.erasing import chain_of, erasure_id, parts_to_erase
from registry.domain.events import PersonalDataErased
from registry.domain.redaction import people_of
from registry.errors import NotFound
from registry.merkle.entry import parse_entry
from registry.store.database import reachable
from registry.store.head import lock_head
from registry.store.reader import Reader
from registry.store.receipt import Receipt, receipt
from registry.store.recorder import SQLAlchemyRecorder, now
from registry.store.rows import ROWS, Row, read_stream, select_rows
from registry.store.seal import Sealed
from registry.store.states import States
from registry.store.tables import event, event_part

AT_ONCE = 500
"""Values that are bound to one statement."""


class Parts(msgspec.Struct, frozen=True):
    """Parts of one event: what goes, and what has gone already."""

    agreement: str
    position: int
    type: str
    open: tuple[int, ...]
    """Numbers of the parts that are there."""
    gone: tuple[int, ...]
    """Numbers of the parts that were erased before."""


class Erased(msgspec.Struct, frozen=True):
    """What one event of the registry's own says: these parts of that event are gone."""

    agreement: str
    position: int
    """Of the event whose parts were erased."""
    parts: tuple[int, ...]
    legal_basis: str
    receipt: Receipt
    """Of the event that records the erasure."""


Wanted = dict[int, set[int]]
"""Numbers of parts by the position of their event."""
Choose = Callable[[Connection, Agreement], tuple[dict[int, Row], Wanted]]
"""Chooses what is to go from an agreement, with the rows of the events concerned."""


class Eraser:
    """Erases from the database that an engine writes to. Synchronous, and as safe to repeat as posting is.

    On SQLite the engine's only connection is shared with the writer; on PostgreSQL the head is the lock of both.
    """

    def __init__(self, engine: Engine, states: States) -> None:
        self._engine = engine
        self._states = states

    def erase(
        self, agreement: str, position: int, parts: Collection[int] | None, legal_basis: str, principal: str
    ) -> list[Erased]:
        """Erase parts of an event, all personal ones if none are named, and those of the same persons in whatever
        it corrects and is corrected by.

        Returns what is gone now, and what had gone before with its first receipt.
        Raises NotFound, Rejected or Unavailable.
        """
        return self._erase(agreement, _of_event(agreement, position, parts), legal_basis, principal)

    def erase_person(
        self, agreement: str, positions: Iterable[int], person: str, legal_basis: str, principal: str
    ) -> list[Erased]:
        """Erase the parts of a person from events of one agreement. Raises NotFound or Unavailable."""
        return self._erase(agreement, _of_person(positions, person), legal_basis, principal)

    def _erase(self, agreement: str, choose: Choose, legal_basis: str, principal: str) -> list[Erased]:
        with reachable():
            with self._engine.begin() as connection:
                head = lock_head(connection)
                state = _state(connection, agreement, self._states.get(agreement))
                rows, wanted = choose(connection, state)
                buried = _buried(connection, state, wanted, rows)
                going = {
                    position: parts
                    for position, numbers in sorted(wanted.items())
                    if (parts := tuple(sorted(numbers & rows[position].parts.keys())))
                }
                done = [*buried]
                if going:
                    tombs = [_tombstone(rows[p], parts, legal_basis, principal) for p, parts in going.items()]
                    here = lambda: nullcontext(connection)  # noqa: E731 - one expression for both
                    sealed = (
                        SQLAlchemyRecorder(begin=here, connect=here)
                        .insert_events(
                            [
                                StoredEvent(agreement, version, PersonalDataErased.type, part0)
                                for version, (_, part0) in enumerate(tombs, state.version + 1)
                            ],
                            identities=[(ADMINISTRATION, id_) for id_, _ in tombs],
                            head=head,
                            now=max(now(), head.recorded_at),
                        )
                        .sealed
                    )
                    _delete(connection, going)
                    assert sealed is not None  # noqa: S101 - for the type checker; there were events
                    done += _receipts(agreement, going, legal_basis, sealed)
            self._states.forget(agreement)  # what was folded before holds what has just been erased
        return sorted(done, key=lambda one: (one.position, one.parts))


def look(reader: Reader, agreement: str, position: int, parts: Collection[int] | None = None) -> list[Parts]:
    """Tell what an erasure of parts of an event would take. Raises as ``Eraser.erase`` does."""
    with reachable(), reader.connect() as connection:
        state = _state(connection, agreement, None)
        rows, wanted = _of_event(agreement, position, parts)(connection, state)
    return [parts_of(rows[at], numbers) for at, numbers in sorted(wanted.items())]


def parts_of(row: Row, numbers: Collection[int]) -> Parts:
    """Tell which parts of an event, of those numbers, are there and which have gone."""
    return Parts(
        row.stream_id,
        row.position,
        row.type,
        tuple(sorted(set(numbers) & row.parts.keys())),
        tuple(sorted(set(numbers) - row.parts.keys())),
    )


def people_in(row: Row) -> dict[int, str]:
    """Tell whose the personal parts of an event are; nobody's once its part 0 has gone."""
    return people_of(row.type, row.parts[0]) if 0 in row.parts else {}


def _state(connection: Connection, agreement: str, known: Agreement | None) -> Agreement:
    state = fold(known, read_stream(connection, agreement, after_version=known.version if known else 0))
    if state is None:
        raise NotFound(f"there is no agreement {agreement!r}")
    return state


def _of_event(agreement: str, position: int, parts: Collection[int] | None) -> Choose:
    def choose(connection: Connection, state: Agreement) -> tuple[dict[int, Row], Wanted]:
        target = next((one for one in state.recorded.values() if one.position == position), None)
        if target is None:
            raise NotFound(f"the agreement {agreement!r} has no event at position {position}")
        rows = rows_at(connection, [one.position for one in chain_of(state, target.identity)] + [position])
        row = rows[position]
        numbers = parts_to_erase(position, parts, len(parse_entry(row.entry).parts))
        check_erasure(state, target.identity, numbers)
        persons = {who for number, who in people_in(row).items() if number in numbers}
        wanted = {
            at: {number for number, who in people_in(other).items() if who in persons}
            for at, other in rows.items()
        }
        return rows, {at: found for at, found in (wanted | {position: numbers}).items() if found}

    return choose


def _of_person(positions: Iterable[int], person: str) -> Choose:
    def choose(connection: Connection, _: Agreement) -> tuple[dict[int, Row], Wanted]:
        rows = rows_at(connection, positions)
        wanted = {
            at: {number for number, who in people_in(row).items() if who == person}
            for at, row in rows.items()
        }
        return rows, {at: found for at, found in wanted.items() if found}

    return choose


def rows_at(connection: Connection, positions: Iterable[int]) -> dict[int, Row]:
    """Read events by their positions."""
    ordered = sorted(set(positions))
    return {
        row.position: row
        for start in range(0, len(ordered), AT_ONCE)
        for row in select_rows(connection, ROWS.where(event.c.position.in_(ordered[start : start + AT_ONCE])))
    }


def _buried(connection: Connection, state: Agreement, wanted: Wanted, rows: dict[int, Row]) -> list[Erased]:
    """Find what says that parts which are wanted have gone already."""
    gone = {
        (rows[at].source, rows[at].event_id): (at, numbers - rows[at].parts.keys())
        for at, numbers in wanted.items()
        if numbers - rows[at].parts.keys()
    }
    stones = {
        one.position: (target, one.data)
        for one in state.recorded.values()
        if isinstance(one.data, PersonalDataErased)
        and (target := target_of(one.data)) in gone
        and gone[target][1].intersection(one.data.parts)
    }
    return [
        Erased(
            row.stream_id, gone[target][0], tuple(sorted(data.parts)), data.legal_basis, _receipt_again(row)
        )
        for position, row in rows_at(connection, stones).items()
        for target, data in (stones[position],)
    ]


def _tombstone(row: Row, parts: tuple[int, ...], legal_basis: str, principal: str) -> tuple[str, bytes]:
    """Make the id of the event that records an erasure, and its part 0."""
    data = {
        "target": {"source": row.source, "id": row.event_id},
        "parts": list(parts),
        "legal_basis": legal_basis,
    }
    (part0,) = split(PersonalDataErased.type, data, {}, principal)
    return erasure_id(row.position, parts), part0


def _delete(connection: Connection, going: dict[int, tuple[int, ...]]) -> None:
    keys = [(position, number) for position, parts in going.items() for number in parts]
    for start in range(0, len(keys), AT_ONCE):
        some = tuple_(event_part.c.position, event_part.c.part_no).in_(keys[start : start + AT_ONCE])
        connection.execute(delete(event_part).where(some))


def _receipts(
    agreement: str, going: dict[int, tuple[int, ...]], legal_basis: str, sealed: Sealed
) -> list[Erased]:
    return [
        Erased(
            agreement,
            target,
            parts,
            legal_basis,
            receipt(
                source=draft.source,
                id=draft.id,
                agreement=agreement,
                position=position,
                version=draft.version,
                recorded_at=sealed.recorded_at,
                leaf=leaf,
            ),
        )
        for (target, parts), position, draft, leaf in zip(
            going.items(), sealed.positions, sealed.drafts, sealed.leaves, strict=True
        )
    ]


def _receipt_again(row: Row) -> Receipt:
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
