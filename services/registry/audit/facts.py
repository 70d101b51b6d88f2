"""What verification reads: the tables as they are, page by page, with nothing believed about them.

Columns are read without the conversions of their types, as SQLite stores whatever it is given. Each statement
is a transaction of its own, so nothing is held while the log grows.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol

import msgspec
from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    Select,
    Table,
    and_,
    exc,
    exists,
    func,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.types import NullType

from registry.audit.report import Broken
from registry.domain.events.correction import PersonalDataErased
from registry.store.tables import event, event_part, log_checkpoint, log_head, log_tile

AnyRow = Row[*tuple[Any, ...]]
AnySelect = Select[*tuple[Any, ...]]


class Connects(Protocol):
    """An engine, or whatever else gives connections: a transaction that is verified before it is committed."""

    def connect(self) -> AbstractContextManager[Connection]:
        """Give a connection for a while."""


class Tombstone(msgspec.Struct, frozen=True):
    """An event that says that parts of an earlier one of its stream were erased."""

    position: int
    stream: str
    source: str
    id: str
    parts: frozenset[int]


class _Target(msgspec.Struct):
    source: str
    id: str


class _Erasure(msgspec.Struct):
    target: _Target
    parts: frozenset[int]


class _Part0(msgspec.Struct):
    data: _Erasure


_PART_0 = msgspec.json.Decoder(_Part0)


def _raw(table: Table) -> AnySelect:
    return select(*[type_coerce(column, NullType()).label(column.name) for column in table.c])


EVENTS = _raw(event).order_by(event.c.position)
PARTS = _raw(event_part).order_by(event_part.c.position, event_part.c.part_no)
TILES = _raw(log_tile)
CHECKPOINTS = _raw(log_checkpoint).order_by(log_checkpoint.c.size)
HEADS = _raw(log_head)


def read_heads(engine: Connects, broken: Broken) -> list[AnyRow]:
    """Read every row there is of the head; there should be one."""
    return _fetch(engine, HEADS, broken)


def read_events(engine: Connects, first: int, last: int, broken: Callable[[int], Broken]) -> list[AnyRow]:
    """Read the events of a page of positions, both ends included."""
    return _fetch_page(engine, EVENTS, event.c.position, (first, last), broken)


def read_parts(engine: Connects, first: int, last: int, broken: Callable[[int], Broken]) -> list[AnyRow]:
    """Read the open parts of a page of positions, both ends included."""
    return _fetch_page(engine, PARTS, event_part.c.position, (first, last), broken)


def read_tile(engine: Connects, level: int, n: int, broken: Broken) -> list[AnyRow]:
    """Read every row there is of a tile; there should be one."""
    return _fetch(engine, TILES.where(log_tile.c.level == level, log_tile.c.n == n), broken)


def read_checkpoints(
    engine: Connects, first: int, last: int, broken: Callable[[int], Broken]
) -> list[AnyRow]:
    """Read the checkpoints of a page of sizes, both ends included."""
    return _fetch_page(engine, CHECKPOINTS, log_checkpoint.c.size, (first, last), broken)


def out_of_order(engine: Connects, first: int, last: int) -> list[AnyRow]:
    """Find the events of a page that repeat an earlier one or do not follow one in their stream.

    Rows are (position, version taken, identity taken). Each event needs three looks into an index, so memory
    does not grow with the number of streams; that each follows its predecessor makes every stream dense.
    """
    earlier = event.alias()
    same_stream = and_(earlier.c.stream_id == event.c.stream_id, earlier.c.position < event.c.position)
    version_taken = exists().where(same_stream, earlier.c.version == event.c.version)
    identity_taken = exists().where(
        earlier.c.source == event.c.source,
        earlier.c.event_id == event.c.event_id,
        earlier.c.position < event.c.position,
    )
    follows = or_(event.c.version == 1, exists().where(same_stream, earlier.c.version == event.c.version - 1))
    statement = (
        select(event.c.position, version_taken.label("version_taken"), identity_taken.label("identity_taken"))
        .where(event.c.position.between(first, last), or_(version_taken, identity_taken, ~follows))
        .order_by(event.c.position)
    )
    with engine.connect() as connection:
        return list(connection.execute(statement))


def tombstones(engine: Connects, streams: Iterable[str]) -> Iterator[Tombstone]:
    """Read the tombstones in some streams, as far as they can be read."""
    statement = (
        select(event.c.position, event.c.stream_id, type_coerce(event_part.c.data, NullType()))
        .join_from(event, event_part, event_part.c.position == event.c.position)
        .where(
            event_part.c.part_no == 0,
            event.c.type == PersonalDataErased.type,
            event.c.stream_id.in_(sorted(streams)),
        )
    )
    with engine.connect() as connection:
        rows = list(connection.execute(statement))
    for position, stream, data in rows:
        if (tombstone := read_tombstone(position, stream, data)) is not None:
            yield tombstone


def read_tombstone(position: int, stream: str, part_0: Any) -> Tombstone | None:
    """Read part 0 of an event as that of a tombstone; None when it is not one."""
    try:
        erasure = _PART_0.decode(part_0).data
    except (msgspec.MsgspecError, TypeError, UnicodeDecodeError):
        return None
    return Tombstone(position, stream, erasure.target.source, erasure.target.id, erasure.parts)


def still_there(engine: Connects, identities: Iterable[tuple[str, str]]) -> list[AnyRow]:
    """Read which parts of some events are there: rows of (stream_id, source, event_id, position, part_no)."""
    statement = (
        select(event.c.stream_id, event.c.source, event.c.event_id, event.c.position, event_part.c.part_no)
        .join_from(event, event_part, event_part.c.position == event.c.position)
        .where(tuple_(event.c.source, event.c.event_id).in_(sorted(identities)))
        .order_by(event.c.position, event_part.c.part_no)
    )
    with engine.connect() as connection:
        return list(connection.execute(statement))


def beyond(engine: Connects, column: ColumnElement[int], size: int, first: int) -> list[Any]:
    """Find the least value in a column below ``first`` and the largest above ``size``, if there are such."""
    with engine.connect() as connection:
        low = connection.scalar(select(func.min(type_coerce(column, NullType()))).where(column < first))
        high = connection.scalar(select(func.max(type_coerce(column, NullType()))).where(column > size))
    return [number for number in (low, high) if number is not None]


def tiles_beyond(engine: Connects, full: list[int]) -> list[AnyRow]:
    """List (level, n) of the tiles that a log of so many full tiles a level does not have."""
    c = log_tile.c
    outside = [c.level < 0, c.level >= len(full), c.n < 0]
    outside += [and_(c.level == level, c.n >= count) for level, count in enumerate(full)]
    with engine.connect() as connection:
        return list(connection.execute(select(c.level, c.n).where(or_(*outside)).order_by(c.level, c.n)))


def _fetch_page(
    engine: Connects,
    statement: AnySelect,
    column: ColumnElement[int],
    page: tuple[int, int],
    broken: Callable[[int], Broken],
) -> list[AnyRow]:
    """Read a page, and one by one what is on it when it cannot be read at once: that names the place."""
    try:
        with engine.connect() as connection:
            return list(connection.execute(statement.where(column.between(*page))))
    except exc.DBAPIError:
        rows: list[AnyRow] = []
        for number in range(page[0], page[1] + 1):
            rows += _fetch(engine, statement.where(column == number), broken(number))
        return rows


def _fetch(engine: Connects, statement: AnySelect, broken: Broken) -> list[AnyRow]:
    """Read what belongs to one place. Raises Broken when it, and not the database, is at fault."""
    try:
        with engine.connect() as connection:
            return list(connection.execute(statement))
    except exc.DBAPIError as error:
        with engine.connect() as connection:
            connection.execute(select(1))
        raise broken from error
