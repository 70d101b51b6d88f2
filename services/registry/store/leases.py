"""Leases: of any number of processes, one at a time does a thing, and another takes over when it dies.

A row with an expiry and a fencing number, not a session lock of the database: an orphaned session could keep such a
lock for long, and a pool in front of the database may share sessions. The fence makes a holder that has overslept
harmless: whatever it writes is compared with the fence and refused.
"""

import os
import socket
from secrets import token_hex

import msgspec
from sqlalchemy import BigInteger, Connection, Engine, cast, exc, func, insert, select, update

from registry.store.recorder import now
from registry.store.tables import lease

TTL = 5_000_000
"""Microseconds that a lease lasts without being renewed; a killed holder is succeeded within twice that."""

OWNER = f"{socket.gethostname()}:{os.getpid()}:{token_hex(4)}"
"""This process, told apart from every other and from its own predecessors."""


class Held(msgspec.Struct, frozen=True):
    """A lease that is held."""

    name: str
    owner: str
    fence: int
    """Grows each time the lease changes hands."""


def acquire(engine: Engine, name: str, *, owner: str = OWNER, ttl: int = TTL) -> Held | None:
    """Take a lease that is free, expired or one's own already; None while another holds it."""
    with engine.begin() as connection:
        clock = database_clock(connection)
        row = connection.execute(
            select(lease.c.owner, lease.c.until, lease.c.fence).where(lease.c.name == name).with_for_update()
        ).first()
        if row is None:
            return _first(connection, name, owner, clock + ttl)
        if row.owner != owner and row.until > clock:
            return None
        fence: int = row.fence + (row.owner != owner)
        connection.execute(
            update(lease).where(lease.c.name == name).values(owner=owner, until=clock + ttl, fence=fence)
        )
        return Held(name, owner, fence)


def renew(engine: Engine, held: Held, *, ttl: int = TTL) -> bool:
    """Keep a lease; False when it has changed hands."""
    with engine.begin() as connection:
        kept = connection.execute(
            update(lease)
            .where(lease.c.name == held.name, lease.c.owner == held.owner, lease.c.fence == held.fence)
            .values(until=database_clock(connection) + ttl)
        )
        return kept.rowcount == 1


def release(engine: Engine, held: Held) -> None:
    """Give a lease up, so that another need not wait for its end."""
    with engine.begin() as connection:
        connection.execute(
            update(lease)
            .where(lease.c.name == held.name, lease.c.owner == held.owner, lease.c.fence == held.fence)
            .values(until=0)
        )


def database_clock(connection: Connection) -> int:
    """Read one clock for all processes: the database's, in microseconds since 1970."""
    if connection.dialect.name != "postgresql":  # one process: its own clock is the only one
        return now()
    epoch = func.extract("epoch", func.clock_timestamp()) * 1_000_000
    return connection.scalars(select(cast(epoch, BigInteger))).one()


def _first(connection: Connection, name: str, owner: str, until: int) -> Held | None:
    try:
        with connection.begin_nested():
            connection.execute(insert(lease).values(name=name, owner=owner, until=until, fence=1))
    except exc.IntegrityError:  # somebody else was first
        return None
    return Held(name, owner, 1)
