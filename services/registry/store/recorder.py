"""The recorder: the `eventsourcing` library's interfaces over our tables; the only way in for an event."""

import os
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, NoReturn
from uuid import UUID

from eventsourcing.persistence import (
    IntegrityError,
    Notification,
    ProcessRecorder,
    StoredEvent,
    Tracking,
)
from sqlalchemy import Connection, and_, exc, func, insert, select

from registry.store.head import Head, lock_head
from registry.store.insert import write
from registry.store.seal import Draft, Sealed, seal
from registry.store.tables import event, event_part, tracking

Begin = Callable[[], AbstractContextManager[Connection]]

STORED = select(
    event.c.position, event.c.stream_id, event.c.version, event.c.type, event_part.c.data
).select_from(
    event.outerjoin(event_part, and_(event_part.c.position == event.c.position, event_part.c.part_no == 0))
)


class Positions(list[int]):
    """The positions that ``insert_events`` gave, and with them what was sealed there."""

    def __init__(self, sealed: Sealed | None = None) -> None:
        super().__init__(sealed.positions if sealed is not None else ())
        self.sealed = sealed


class SQLAlchemyRecorder(ProcessRecorder):
    """Stored events in ``event`` and ``event_part``, with the tree extended in the same transaction.

    ``begin`` opens what an insert happens in: an engine's transaction, or the one that is open already.
    ``connect`` opens a connection for reads. Neither is owned by the recorder.
    """

    def __init__(self, begin: Begin, connect: Begin) -> None:
        self._begin = begin
        self._connect = connect

    def insert_events(self, stored_events: Sequence[StoredEvent], **kwargs: Any) -> Positions:
        """Record events in their order and return their positions.

        ``identities``: one (source, id) an event; without it ``/`` and ``<stream>/<version>``.
        ``parts``: the further parts of each event, after part 0, which is the stored event's state.
        ``tracking``: a Tracking to record with them. ``head`` and
        ``now``: the head, when the caller has locked it already, and the clock it has read.
        ``random``: where salts come from, unless from the system.
        Raises eventsourcing.persistence.IntegrityError when a version, an identity or a tracking is taken.
        """
        head: Head | None = kwargs.get("head")
        sealed: Sealed | None = None
        try:
            with self._begin() as connection:
                if stored_events:
                    head = head or lock_head(connection)
                    random = kwargs.get("random", os.urandom)
                    sealed = seal(head, drafts(stored_events, **kwargs), kwargs.get("now") or now(), random)
                    write(connection, sealed)
                if (tracked := kwargs.get("tracking")) is not None:
                    _track(connection, tracked)
        except exc.IntegrityError as error:
            raise IntegrityError(error) from error
        return Positions(sealed)

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> Sequence[StoredEvent]:
        """Return the stored events of one stream in the order of their versions."""
        statement = STORED.where(event.c.stream_id == str(originator_id))
        if gt is not None:
            statement = statement.where(event.c.version > gt)
        if lte is not None:
            statement = statement.where(event.c.version <= lte)
        statement = statement.order_by(event.c.version.desc() if desc else event.c.version).limit(limit)
        with self._connect() as connection:
            return [
                StoredEvent(row.stream_id, row.version, row.type, row.data or b"")
                for row in connection.execute(statement)
            ]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> Sequence[Notification]:
        """Return events by position, from ``start`` to ``stop``, both inclusive by default."""
        statement = STORED.order_by(event.c.position).limit(limit)
        if start is not None:
            after = event.c.position >= start if inclusive_of_start else event.c.position > start
            statement = statement.where(after)
        if stop is not None:
            statement = statement.where(event.c.position <= stop)
        if topics:
            statement = statement.where(event.c.type.in_(topics))
        with self._connect() as connection:
            return [
                Notification(row.stream_id, row.version, row.type, row.data or b"", row.position)
                for row in connection.execute(statement)
            ]

    def max_notification_id(self) -> int | None:
        """Return the last position, or None in an empty log."""
        with self._connect() as connection:
            last: int | None = connection.scalar(select(func.max(event.c.position)))
            return last

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> NoReturn:  # noqa: ARG002
        """Refuse: the library's subscriptions are threads; following the log is reading it by position."""
        raise TypeError("follow the log with select_notifications; a position never appears out of order")

    def insert_tracking(self, tracking: Tracking) -> None:
        """Record how far an application has come. Raises IntegrityError unless that is further."""
        self.insert_events([], tracking=tracking)

    def max_tracking_id(self, application_name: str) -> int | None:
        """Return the position up to which the named application has come, or None."""
        with self._connect() as connection:
            furthest: int | None = connection.scalar(
                select(func.max(tracking.c.position)).where(tracking.c.projection == application_name)
            )
            return furthest


def drafts(stored_events: Sequence[StoredEvent], **kwargs: Any) -> list[Draft]:
    """Turn the library's stored events, with what came beside them, into drafts."""
    identities = kwargs.get("identities") or [
        ("/", f"{stored.originator_id}/{stored.originator_version}") for stored in stored_events
    ]
    parts = kwargs.get("parts") or [()] * len(stored_events)
    return [
        Draft(
            source=source,
            id=id_,
            stream=str(stored.originator_id),
            version=stored.originator_version,
            type=stored.topic,
            parts=(stored.state, *further),
        )
        for stored, (source, id_), further in zip(stored_events, identities, parts, strict=True)
    ]


def now() -> int:
    """Return the clock in microseconds since 1970-01-01T00:00:00Z."""
    return time.time_ns() // 1000


def _track(connection: Connection, tracked: Tracking) -> None:
    """Insert the tracking row, or move it up; anything but a move up is a conflict."""
    name, position = tracked.application_name, tracked.notification_id
    moved = connection.execute(
        tracking.update()
        .where(tracking.c.projection == name, tracking.c.version == 0, tracking.c.generation == 0)
        .where(tracking.c.position < position)
        .values(position=position)
    )
    if moved.rowcount == 0:  # none yet, or one as far: then the primary key refuses this row
        connection.execute(
            insert(tracking).values(
                projection=name, version=0, generation=0, position=position, fence=0, state="live"
            )
        )
