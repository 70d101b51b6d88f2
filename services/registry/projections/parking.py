"""Parking: an agreement whose rows cannot be made waits by itself, and all others go on."""

import msgspec
from sqlalchemy import ColumnElement, Connection, and_, bindparam, or_, select, update

from registry.projections.model import ReadModel
from registry.store.tables import parked

RETRY = "retry"
"""Somebody asked for another try."""
RETRIED = "retried"
"""It was tried again, and the rows were made."""
SKIPPED = "skipped"
"""Somebody decided to go on with the agreement's next event."""


class Parked(msgspec.Struct, frozen=True):
    """An agreement that waits."""

    projection: str
    version: int
    stream: str
    from_position: int
    """The position whose rows could not be made; the rows in place are older."""
    error: str
    resolution: str | None


def waiting(connection: Connection, model: ReadModel) -> list[Parked]:
    """List the agreements that are parked, by their positions."""
    rows = connection.execute(_WAITING, {"name": model.name, "of_version": model.version})
    return [Parked(*row) for row in rows]


def park(connection: Connection, model: ReadModel, stream: str, position: int, kind: str) -> None:
    """Note that an agreement's rows could not be made: the kind of error only, as its text may quote a value."""
    noted = {"error": kind, "resolution": None}
    waits = and_(_waiting(model), parked.c.stream == stream)
    again = and_(_of(model), parked.c.stream == stream, parked.c.from_position == position)
    for known in (waits, again):  # it waits already, or what was settled has failed once more
        if connection.execute(update(parked).where(known).values(**noted)).rowcount:
            return
    connection.execute(
        parked.insert().values(
            projection=model.name, version=model.version, stream=stream, from_position=position, **noted
        )
    )


def resolve(connection: Connection, model: ReadModel, stream: str, resolution: str) -> bool:
    """Record what is done about a parked agreement; False when it is not parked."""
    resolved = connection.execute(
        update(parked).where(_waiting(model), parked.c.stream == stream).values(resolution=resolution)
    )
    return resolved.rowcount > 0


_OPEN = or_(parked.c.resolution.is_(None), parked.c.resolution == RETRY)

_WAITING = (  # made once, as every step of every model needs it
    select(parked)
    .where(parked.c.projection == bindparam("name"), parked.c.version == bindparam("of_version"), _OPEN)
    .order_by(parked.c.from_position)
)


def _of(model: ReadModel) -> ColumnElement[bool]:
    return and_(parked.c.projection == model.name, parked.c.version == model.version)


def _waiting(model: ReadModel) -> ColumnElement[bool]:
    return and_(_of(model), _OPEN)
