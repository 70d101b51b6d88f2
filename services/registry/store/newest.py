"""Reading the log backwards: the newest events first."""

from collections.abc import Collection

from sqlalchemy import Connection

from registry.access import Sight
from registry.store.restricted import exists_for
from registry.store.rows import ROWS, Row, select_rows
from registry.store.tables import event


def read_newest(
    connection: Connection,
    sight: Sight,
    *,
    before: int,
    limit: int,
    stream: str | None = None,
    types: Collection[str] = (),
) -> list[Row]:
    """Read up to ``limit`` events before a position as a reader may see them, the newest first."""
    statement = ROWS.where(event.c.position < before, exists_for(sight, event.c.stream_id))
    if stream is not None:
        statement = statement.where(event.c.stream_id == stream)
    if types:
        statement = statement.where(event.c.type.in_(types))
    return select_rows(connection, statement.order_by(event.c.position.desc()).limit(limit), sight)


def read_around(connection: Connection, sight: Sight, position: int, width: int) -> list[Row]:
    """Read the events from ``width`` before a position to ``width`` behind it, in the order of the log."""
    near = event.c.position.between(position - width, position + width)
    statement = ROWS.where(near, exists_for(sight, event.c.stream_id)).order_by(event.c.position)
    return select_rows(connection, statement, sight)
