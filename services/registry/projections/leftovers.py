"""Leftovers: tables of read models that nobody keeps up to date, and rows that could not be made anew.

They would keep what has been erased from the log since, so an erasure does not wait until their time is over.
"""

from collections.abc import Sequence

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, delete, inspect, select, text

from registry.projections.generations import discard_retired, generations
from registry.projections.model import SCHEMA, ReadModel
from registry.projections.parking import waiting
from registry.store.leases import database_clock
from registry.store.tables import lease, tracking


class _Kept(msgspec.Struct, frozen=True):
    projection: str
    version: int
    generation: int
    state: str


def drop_leftovers(connection: Connection, models: Sequence[ReadModel]) -> int:
    """Drop, in the caller's transaction, every generation that nobody keeps up to date; return how many.

    These are the retired ones; those that an interrupted rebuild has left; and, in versions that no process runs any
    more, all. A process that comes with such a version builds it anew.
    """
    gone = sum(discard_retired(connection, model, kept=0) for model in models)
    known = {(model.name, model.version) for model in models}
    columns = tracking.c.projection, tracking.c.version, tracking.c.generation, tracking.c.state
    rows = connection.execute(select(*columns).where(tracking.c.version > 0).order_by(*columns[:3])).all()
    every = [_Kept(*row) for row in rows]
    for one in every:
        name = f"projection/{one.projection}/{one.version}"
        ours = (one.projection, one.version) in known
        if one.state == "building" and _has_live(every, one):
            idle = _is_free(connection, f"{name}/rebuild")
        else:
            idle = one.state.startswith("retired") or (not ours and _is_free(connection, name))
        # Whoever held the lease until now may have let this very generation go live meanwhile.
        if idle and connection.scalar(select(tracking.c.state).where(_is(one))) == one.state:
            _drop(connection, one)
            gone += 1
    return gone


def drop_parked(connection: Connection, models: Sequence[ReadModel], agreements: Sequence[str]) -> None:
    """Delete the rows of agreements that are parked: they are older than what has been erased.

    Until the agreement is tried again with success, the read model shows nothing of it.
    """
    for model in models:
        for parked in waiting(connection, model):
            if parked.stream not in agreements:
                continue
            for generation in generations(connection, model):
                for table in generation.tables(connection).values():
                    connection.execute(delete(table).where(table.c.agreement == parked.stream))


def _has_live(every: Sequence[_Kept], one: _Kept) -> bool:
    return any(
        (other.projection, other.version, other.state) == (one.projection, one.version, "live")
        for other in every
    )


def _is_free(connection: Connection, name: str) -> bool:
    """Tell whether nobody holds a lease; nobody can take it before the caller's transaction has ended."""
    until = connection.scalar(select(lease.c.until).where(lease.c.name == name).with_for_update())
    return until is None or until <= database_clock(connection)


def _drop(connection: Connection, one: _Kept) -> None:
    """Drop the tables of a generation by their names, as this version need not know which it had."""
    schema = SCHEMA if connection.dialect.name == "postgresql" else None
    prefix = f"rm_{one.projection}_{one.version}_{one.generation}"
    inspector = inspect(connection)
    names = [n for n in inspector.get_table_names(schema) if n == prefix or n.startswith(f"{prefix}_")]
    if schema is None:  # an index of words has tables of its own, which go with it
        virtual = text("SELECT name FROM sqlite_master WHERE sql LIKE 'CREATE VIRTUAL TABLE%'")
        indexes = [name for name in connection.scalars(virtual).all() if name in names]
        names = [*indexes, *(n for n in names if not any(n.startswith(index) for index in indexes))]
    for name in names:
        connection.execute(text(f'DROP TABLE IF EXISTS {f"{schema}." if schema else ""}"{name}"'))
    connection.execute(delete(tracking).where(_is(one)))


def _is(one: _Kept) -> ColumnElement[bool]:
    return and_(
        tracking.c.projection == one.projection,
        tracking.c.version == one.version,
        tracking.c.generation == one.generation,
    )
