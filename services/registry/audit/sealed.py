"""Events as they are sealed in the log: the exact entry, and every open part with its salt. Evidence is made of it."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, Select, func, select

from registry.domain.events.correction import PersonalDataErased
from registry.store.rows import PAGE
from registry.store.tables import event, event_part


class Part(NamedTuple):
    """An open part of an event: what was committed to, and the salt that it was committed with."""

    salt: bytes
    data: bytes


class Sealed(NamedTuple):
    """One event, as it stands in the log."""

    position: int
    version: int
    entry: bytes
    """The exact bytes that are hashed into the leaf."""
    parts: Mapping[int, Part]
    """The open parts, by number."""


def sealed_stream(
    connection: Connection, stream: str, until: int, *, after_version: int = 0, limit: int = PAGE
) -> list[Sealed]:
    """Read a page of the events of one agreement up to position ``until``, in the order of their versions."""
    c = event.c
    mine = (c.stream_id == stream, c.position <= until, c.version > after_version)
    events = select(c.position, c.version, c.entry).where(*mine).order_by(c.version).limit(limit)
    rows = connection.execute(events).all()
    if not rows:
        return []
    versions = c.version.between(rows[0].version, rows[-1].version)
    joined = event_part.join(event, event_part.c.position == c.position)
    parts = select(*_PART).select_from(joined).where(c.stream_id == stream, versions)
    return _sealed(connection, rows, parts)


def sealed_page(connection: Connection, after: int, until: int, *, limit: int = PAGE) -> list[Sealed]:
    """Read a page of the log behind position ``after`` up to ``until``."""
    c = event.c
    last = min(until, after + limit)
    positions = c.position.between(after + 1, last)
    rows = connection.execute(
        select(c.position, c.version, c.entry).where(positions).order_by(c.position)
    ).all()
    parts = select(*_PART).where(event_part.c.position.between(after + 1, last))
    return _sealed(connection, rows, parts)


def last_erasure(connection: Connection, after: int, stream: str | None = None) -> int:
    """Find the last erasure recorded behind position ``after``, in one agreement or in all; 0 if there is none.

    Whoever has read the log up to ``after`` asks this then: the erased parts may be missing in what was read, and
    what says why they are is not in it.
    """
    c = event.c
    statement = select(func.max(c.position)).where(c.type == PersonalDataErased.type, c.position > after)
    if stream is not None:
        statement = statement.where(c.stream_id == stream)
    return connection.scalar(statement) or 0


_PART = (event_part.c.position, event_part.c.part_no, event_part.c.salt, event_part.c.data)


def _sealed(
    connection: Connection, rows: Sequence[Row[int, int, bytes]], parts: Select[*tuple[Any, ...]]
) -> list[Sealed]:
    by_position: dict[int, dict[int, Part]] = {}
    for position, number, salt, data in connection.execute(
        parts.order_by(event_part.c.position, event_part.c.part_no)
    ):
        by_position.setdefault(position, {})[number] = Part(salt, data)
    return [Sealed(row.position, row.version, row.entry, by_position.get(row.position, {})) for row in rows]
