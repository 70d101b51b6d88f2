"""Generations: each build of a read model has tables of its own, and one of them is live."""

from typing import Literal

import msgspec
from sqlalchemy import Connection, Update, bindparam, delete, func, insert, select, update

from registry.projections.model import ReadModel, Tables, create, drop
from registry.store.leases import Held, database_clock
from registry.store.tables import tracking

State = Literal["building", "live"]

KEPT = 3600 * 1_000_000
"""Microseconds for which a retired generation stays: a reader that found it just before is long done by then."""


class Generation(msgspec.Struct, frozen=True):
    """One build of a read model, and how far it has come."""

    model: ReadModel
    number: int
    position: int
    """All events up to here are in its rows."""
    fence: int
    state: str
    """``building``, ``live``, or ``retired:`` with the time of it."""

    def tables(self, connection: Connection) -> Tables:
        """Its tables."""
        return self.model.tables(self.number, connection.dialect.name)


_ADVANCE = (  # made once, as every step of every model needs it
    update(tracking)
    .where(
        tracking.c.projection == bindparam("name"),
        tracking.c.version == bindparam("of_version"),
        tracking.c.generation == bindparam("number"),
        tracking.c.position == bindparam("from_position"),
        tracking.c.fence == bindparam("from_fence"),
        tracking.c.state == bindparam("from_state"),
    )
    .values(position=bindparam("to_position"))
)


class Overtaken(Exception):
    """Another runner, or a rebuild, has moved the tracking since it was read."""


def generations(connection: Connection, model: ReadModel) -> list[Generation]:
    """List the generations of this version of a model, the oldest first."""
    rows = connection.execute(
        select(tracking.c.generation, tracking.c.position, tracking.c.fence, tracking.c.state)
        .where(tracking.c.projection == model.name, tracking.c.version == model.version)
        .order_by(tracking.c.generation)
    )
    return [Generation(model, *row) for row in rows]


def live(connection: Connection, model: ReadModel) -> Generation | None:
    """Find the generation that is read; None until the first has caught up."""
    return next((each for each in generations(connection, model) if each.state == "live"), None)


def begin_generation(connection: Connection, model: ReadModel, fence: int = 0) -> Generation:
    """Make the tables of a new generation, which is then to be built from position 0."""
    newest = connection.scalar(
        select(func.max(tracking.c.generation)).where(
            tracking.c.projection == model.name, tracking.c.version == model.version
        )
    )
    made = Generation(model, (newest or 0) + 1, 0, fence, "building")
    create(connection, made.tables(connection))
    connection.execute(
        insert(tracking).values(
            projection=model.name,
            version=model.version,
            generation=made.number,
            position=0,
            fence=fence,
            state=made.state,
        )
    )
    return made


def advance(connection: Connection, generation: Generation, position: int) -> Generation:
    """Move the tracking by compare-and-set on (position, fence). Raises Overtaken when it is not as it was."""
    moved = connection.execute(
        _ADVANCE,
        {
            "name": generation.model.name,
            "of_version": generation.model.version,
            "number": generation.number,
            "from_position": generation.position,
            "from_fence": generation.fence,
            "from_state": generation.state,
            "to_position": position,
        },
    )
    if moved.rowcount != 1:
        raise Overtaken(f"{generation.model.name} is no longer at {generation.position}")
    return msgspec.structs.replace(generation, position=position)


def fence_off(connection: Connection, generation: Generation, held: Held) -> Generation:
    """Let only the holder of a lease move a generation from now on. Raises Overtaken for an older holder."""
    moved = connection.execute(
        _row(generation).where(tracking.c.fence <= held.fence).values(fence=held.fence)
    )
    if moved.rowcount != 1:
        raise Overtaken(f"a later runner has {generation.model.name}")
    return msgspec.structs.replace(generation, fence=held.fence)


def go_live(connection: Connection, generation: Generation) -> Generation:
    """Make a generation the one that is read and retire the one before it, in the caller's transaction.

    Raises Overtaken when it is not as it was: its rows may be those of another build by now, or gone.
    """
    retired = f"retired:{database_clock(connection)}"
    moved = connection.execute(
        _row(generation)
        .where(
            tracking.c.position == generation.position,
            tracking.c.fence == generation.fence,
            tracking.c.state == generation.state,
        )
        .values(state="live")
    )
    if moved.rowcount != 1:
        raise Overtaken(f"{generation.model.name} is no longer at {generation.position}")
    connection.execute(
        update(tracking)
        .where(
            tracking.c.projection == generation.model.name,
            tracking.c.version == generation.model.version,
            tracking.c.generation != generation.number,
            tracking.c.state == "live",
        )
        .values(state=retired)
    )
    if connection.dialect.name == "postgresql":  # else the first queries are planned for empty tables
        for table in generation.tables(connection).values():
            connection.exec_driver_sql(f"ANALYZE {table.fullname}")
    return msgspec.structs.replace(generation, state="live")


def lock(connection: Connection, model: ReadModel) -> list[Generation]:
    """Lock the tracking of all generations of a model, so that none of them moves, and read them."""
    connection.execute(
        select(tracking.c.generation)
        .where(tracking.c.projection == model.name, tracking.c.version == model.version)
        .order_by(tracking.c.generation)
        .with_for_update()
    ).all()
    return generations(connection, model)


def discard(connection: Connection, generation: Generation) -> None:
    """Drop the tables of a generation and forget it."""
    drop(connection, generation.tables(connection))
    connection.execute(
        delete(tracking).where(
            tracking.c.projection == generation.model.name,
            tracking.c.version == generation.model.version,
            tracking.c.generation == generation.number,
        )
    )


def discard_retired(connection: Connection, model: ReadModel, kept: int = KEPT) -> int:
    """Drop the generations that were retired longer ago than ``kept`` microseconds; return how many."""
    before = database_clock(connection) - kept
    gone = [
        each
        for each in generations(connection, model)
        if each.state.startswith("retired:") and int(each.state.removeprefix("retired:")) <= before
    ]
    for each in gone:
        discard(connection, each)
    return len(gone)


def _row(generation: Generation) -> Update:
    return update(tracking).where(
        tracking.c.projection == generation.model.name,
        tracking.c.version == generation.model.version,
        tracking.c.generation == generation.number,
    )
