"""The head of the log: the one row that every append locks, reads and advances."""

import msgspec
from sqlalchemy import Connection, Select, select, update

from registry.merkle.tree import pack, root, unpack
from registry.store.tables import log_head

HEAD = select(log_head.c.origin, log_head.c.size, log_head.c.frontier, log_head.c.recorded_at)
# On SQLite the transaction began IMMEDIATE, which is the same lock; it ignores FOR UPDATE.
HEAD_FOR_UPDATE = HEAD.with_for_update()


class Moved(Exception):
    """The head is not where it was known to be: somebody else has appended since."""


class Head(msgspec.Struct, frozen=True):
    """Where the log ends."""

    origin: str
    size: int
    """Events in the log, which is the position of the last one."""
    frontier: tuple[bytes, ...]
    """Roots of the perfect subtrees that make up the tree, largest first."""
    recorded_at: int
    """Microseconds since 1970 of the last event; 0 in an empty log."""

    @property
    def root(self) -> bytes:
        """The root hash of the tree (RFC 6962 2.1), 32 bytes."""
        return root(self.frontier)


def read_head(connection: Connection) -> Head:
    """Read the head as committed."""
    return _one(connection, HEAD)


def lock_head(connection: Connection) -> Head:
    """Lock the head until the transaction ends, and read it."""
    return _one(connection, HEAD_FOR_UPDATE)


def advance_head(connection: Connection, before: Head, head: Head) -> None:
    """Lock the head and move it on from where it is known to be. Raises Moved when it is elsewhere.

    The frontier stands for every event there is: while it is the same, nothing at all has been appended.
    """
    moved = connection.execute(
        update(log_head)
        .where(
            log_head.c.id == 1,
            log_head.c.size == before.size,
            log_head.c.frontier == pack(before.frontier),
            log_head.c.recorded_at == before.recorded_at,
        )
        .values(size=head.size, frontier=pack(head.frontier), recorded_at=head.recorded_at)
    )
    if moved.rowcount != 1:
        raise Moved


def _one(connection: Connection, statement: Select[str, int, bytes, int]) -> Head:
    row = connection.execute(statement).one()
    return Head(row.origin, row.size, unpack(row.frontier), row.recorded_at)
