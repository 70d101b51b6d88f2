"""Which agreements moved in a stretch of the log: all that a read model has to know of it."""

import msgspec
from sqlalchemy import Connection, bindparam, func, select

from registry.store.tables import event


class Changes(msgspec.Struct, frozen=True):
    last: int
    """The position up to which this tells what moved."""
    streams: dict[str, int]
    """The last position of each agreement that moved."""


_MOVED = (  # made once, as every step of every model needs it
    select(event.c.stream_id, func.max(event.c.position))
    .where(event.c.position.between(bindparam("first"), bindparam("last")))
    .group_by(event.c.stream_id)
)


def changes(connection: Connection, after: int, limit: int) -> Changes:
    """Name the agreements with an event among the ``limit`` positions behind ``after``."""
    rows = connection.execute(_MOVED, {"first": after + 1, "last": after + limit}).all()
    streams = {stream: position for stream, position in rows}  # noqa: C416 - a row is no pair to the type checker
    return Changes(max(streams.values(), default=after), streams)
