"""How far the read models are behind the log, in positions and in time."""

import time
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select

from registry.projections.operate import Operator, ProjectionStatus
from registry.store.database import reachable
from registry.store.reader import Reader
from registry.store.tables import event

MICROSECONDS = 1_000_000


class Lag(msgspec.Struct, frozen=True, kw_only=True):
    """How one read model stands to the log."""

    name: str
    ready: bool
    """Whether a generation is live, so that it can be read."""
    position: int
    """Up to which its live generation has everything; else the furthest that is being built."""
    behind: int
    """Positions that are not in it yet."""
    seconds: float
    """For how long the first of these has been recorded."""
    parked: int
    """Agreements whose rows cannot be made."""


def read_lags(operator: Operator, reader: Reader) -> list[Lag]:
    """Tell of every read model how far it is behind. Raises Unavailable."""
    statuses = operator.status()
    with reachable(), reader.connect() as connection:
        return lags(connection, statuses)


def lags(connection: Connection, statuses: Sequence[ProjectionStatus]) -> list[Lag]:
    """Tell of read models how far each is behind, by their statuses."""
    reached = {status.name: _reached(status) for status in statuses}
    next_ones = {position + 1 for position, behind in reached.values() if behind}
    at = recorded_at(connection, next_ones)
    now = time.time_ns() // 1000
    return [
        Lag(
            name=status.name,
            ready=status.ready,
            position=position,
            behind=behind,
            seconds=max(0, now - at.get(position + 1, now)) / MICROSECONDS,
            parked=len(status.parked),
        )
        for status in statuses
        for position, behind in (reached[status.name],)
    ]


def recorded_at(connection: Connection, positions: set[int]) -> dict[int, int]:
    """Read when events were recorded, in microseconds since 1970, by their positions."""
    if not positions:
        return {}
    rows = connection.execute(
        select(event.c.position, event.c.recorded_at).where(event.c.position.in_(sorted(positions)))
    )
    return {position: at for position, at in rows}  # noqa: C416 - a row is no pair to the type checker


def _reached(status: ProjectionStatus) -> tuple[int, int]:
    """Give the position that has been reached, and how many are behind it."""
    built = [each for each in status.generations if each.state == "live"] or status.generations
    furthest = max(built, key=lambda each: each.position, default=None)
    return (0, 0) if furthest is None else (furthest.position, max(0, furthest.behind))
