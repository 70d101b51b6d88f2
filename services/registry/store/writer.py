"""The one transaction that appends: lock the head, look back, decide, insert, extend the tree, commit.

Who has appended last knows where the head is, so the locking and the looking back are tried without at first: what is
inserted moves the head from there in the same statement, or nothing is inserted. An identity, or a version of an
agreement, that is not what memory says is refused by the database. Whatever does not go smoothly is done again in
the careful way.
"""

import logging
import os
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from eventsourcing.persistence import IntegrityError
from sqlalchemy import Connection, Engine, exc, select

from registry.domain.agreement import Agreement, fold
from registry.domain.events import Registered
from registry.domain.events.event import Event
from registry.errors import Unavailable
from registry.store.database import GONE
from registry.store.group import Group, Request
from registry.store.head import Head, Moved, lock_head
from registry.store.lookup import Past, look_up
from registry.store.receipt import Receipt
from registry.store.recorder import SQLAlchemyRecorder, now
from registry.store.restricted import restricted_among, settle
from registry.store.rows import ROWS, Row, read_stream, select_rows
from registry.store.seal import Sealed, seal
from registry.store.states import States
from registry.store.tables import event
from registry.store.tail import Tail

log = logging.getLogger(__name__)

Outcome = list[Receipt] | Exception


ALONE = 1.0
"""Seconds for which nobody else may have appended before this process again takes the head to be where it left it."""

NOTHING = seal(Head("", 0, (), 0), (), 0)
"""What a group that accepts nothing has sealed: its receipts are all of events recorded before."""


class Unsure(Exception):
    """What is in memory does not tell what becomes of a group."""


class Writer:
    """Commits groups of requests. Used by one thread at a time: the sequencer's, or a command's.

    ``clock`` gives microseconds since 1970, ``random`` so many bytes for salts.
    """

    def __init__(
        self,
        engine: Engine,
        states: States,
        tail: Tail | None = None,
        *,
        clock: Callable[[], int] = now,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self._engine = engine
        self._states = states
        self._tail = tail
        self._clock = clock
        self._random = random
        self._head: Head | None = None
        """Where the last commit of this process has left the head; None when that is not sure."""
        self._met = float("-inf")
        """When another process was found to append as well."""

    def commit(self, requests: Sequence[Request]) -> list[Outcome]:
        """Commit what can be accepted of the requests, each as a whole, in one transaction.

        Returns an outcome a request: its receipts, or why it was refused. Raises Unavailable when the
        database cannot be reached: then nothing was recorded, or the answer to COMMIT was lost and could
        not be found out; posting again tells which.
        """
        try:
            try:
                return self._commit(requests)
            except exc.DBAPIError as error:
                if not error.connection_invalidated:
                    raise
                return self._commit(requests)  # a stale connection says nothing of the database
        except GONE as error:
            log.warning("appending failed: %s", type(error.__cause__ or error).__name__)
            raise Unavailable("the database cannot be reached") from error

    def _commit(self, requests: Sequence[Request]) -> list[Outcome]:
        if unknown := _unknown(self._states, requests):
            with self._engine.connect() as connection:
                _fold_all(connection, self._states, unknown)
        known, self._head = self._head, None  # it is known again when all has gone well
        if known is not None and time.monotonic() - self._met > ALONE:
            try:
                return self._append(requests, known)
            except Moved:
                self._met = time.monotonic()
            except (Unsure, IntegrityError):
                pass
        return self._append(requests)

    def _append(self, requests: Sequence[Request], known: Head | None = None) -> list[Outcome]:
        """Append behind the head: as it is once it is locked, or as it is known to be.

        Raises Moved when it is not there, Unsure when something would be refused by what is in memory, and
        IntegrityError when an identity or a version is taken that memory does not know of.
        """
        sealed: Sealed | None = None
        try:
            with self._engine.begin() as connection:
                if known is None:
                    head = lock_head(connection)
                    group = open_group(connection, self._states, head, requests, self._clock)
                else:
                    head, group = known, _group_behind(self._states, known, self._clock)
                decided = [group.decided(request) for request in requests]
                if known is not None and any(isinstance(slots, Exception) for slots in decided):
                    raise Unsure
                if group.accepted:
                    sealed = _insert(connection, head, group, self._random)
                    settle(
                        connection,
                        group.states,
                        [(slot.posted.subject, slot.posted.data) for slot in group.accepted.values()],
                    )
        except GONE:
            # With ``sealed`` set, only the commit was left to do: it is its answer that got lost.
            if sealed is None or not self._was_committed(sealed):
                raise
        if sealed is not None:
            self._states.hear(sealed.head.size)
            for state in group.states.values():
                self._states.keep(state, sealed.head.size)
            self._states.follow(head.size, sealed.head.size)
            if self._tail is not None:
                self._tail.add(sealed)
        self._head = head if sealed is None else sealed.head
        return [
            slots if isinstance(slots, Exception) else group.receipts(slots, sealed or NOTHING)
            for slots in decided
        ]

    def _was_committed(self, sealed: Sealed) -> bool:
        """Find out, after the answer to COMMIT was lost, whether it happened.

        Locking the head waits for the lost transaction to end, either way; then the last leaf tells.
        """
        with self._engine.begin() as connection:
            lock_head(connection)
            last = select(event.c.leaf_hash).where(event.c.position == sealed.positions[-1])
            return connection.scalar(last) == sealed.leaves[-1]


def load_states(connection: Connection, states: States, requests: Sequence[Request]) -> None:
    """Fold the agreements of requests that are not in memory, but for those that are about to be registered."""
    _fold_all(connection, states, _unknown(states, requests))


def open_group(
    connection: Connection,
    states: States,
    head: Head,
    requests: Sequence[Request],
    clock: Callable[[], int] = now,
) -> Group:
    """Look back behind a head that was read. If it is locked, that is all that was committed before it."""
    identities = list({(posted.source, posted.id): None for r in requests for posted in r.events})
    streams = list({posted.subject: None for r in requests for posted in r.events})
    past = look_up(connection, streams, identities)
    rows = _rows_at(connection, past)
    return Group(
        size=head.size,
        recorded_at=max(clock(), head.recorded_at),
        state_of=lambda stream: _up_to_date(connection, states, stream, past.versions.get(stream, 0)),
        recorded={(row.source, row.event_id): row for row in rows},
        restricted=restricted_among(connection, {row.stream_id for row in rows}),
    )


def _group_behind(states: States, head: Head, clock: Callable[[], int]) -> Group:
    """Take what is in memory for all there is behind a head. What is not so, the database refuses to insert."""
    return Group(size=head.size, recorded_at=max(clock(), head.recorded_at), state_of=states.get, recorded={})


def _unknown(states: States, requests: Sequence[Request]) -> list[str]:
    """Name the agreements to fold before the head is locked, as that may take a while.

    One that is about to be registered is hardly there yet; should it be, it is folded under the lock.
    """
    first: dict[str, Event] = {}
    for request in requests:
        for posted in request.events:
            first.setdefault(posted.subject, posted.data)
    return [
        stream
        for stream, data in first.items()
        if not isinstance(data, Registered) and states.get(stream) is None
    ]


def _fold_all(connection: Connection, states: States, unknown: Sequence[str]) -> None:
    if unknown:
        for stream in look_up(connection, unknown).versions:
            _up_to_date(connection, states, stream, None)


def _up_to_date(connection: Connection, states: States, stream: str, version: int | None) -> Agreement | None:
    """Return the state of an agreement at ``version`` (None: its last), folding only what is new."""
    known = states.get(stream)
    if version is not None and version == (known.version if known else 0):
        return known
    state = fold(known, read_stream(connection, stream, after_version=known.version if known else 0))
    if state is not None:
        states.keep(state)
    return state


def _rows_at(connection: Connection, past: Past) -> list[Row]:
    if not past.positions:
        return []
    return select_rows(connection, ROWS.where(event.c.position.in_(sorted(past.positions.values()))))


def _insert(
    connection: Connection, head: Head, group: Group, random: Callable[[int], bytes]
) -> Sealed | None:
    recorder = SQLAlchemyRecorder(
        begin=lambda: nullcontext(connection), connect=lambda: nullcontext(connection)
    )
    accepted = group.accepted.values()
    return recorder.insert_events(
        group.stored_events(),
        identities=[(slot.posted.source, slot.posted.id) for slot in accepted],
        parts=[slot.parts[1:] for slot in accepted],
        head=head,
        now=group.recorded_at,
        random=random,
    ).sealed
