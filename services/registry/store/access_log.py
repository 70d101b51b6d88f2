"""The access log: who was shown what is not for everybody, when and why; written before the answer is given."""

import asyncio
from collections.abc import Sequence
from typing import Any, Self

import msgspec
from sqlalchemy import Column, Connection, Engine, insert, select

from registry.store.database import reachable
from registry.store.tables import access_log

MOST_LETTERS = 200
"""Of a reason."""
MOST = 1000
"""Accesses that are written in one transaction at most."""


class Access(msgspec.Struct, frozen=True, kw_only=True):
    """One time that somebody was shown something. Nobody is named in it but a principal, by a random id."""

    at: int
    """Microseconds since 1970-01-01T00:00:00Z."""
    principal: str
    """The id of the principal."""
    what: str
    """The method and the template of a route, or a command."""
    agreement: str | None = None
    position: int | None = None
    asked: str | None = None
    """The SHA-256 of path and query, in hexadecimal: whoever knows what was asked can tell that it was."""
    reason: str | None = None
    """As whoever asked gave it."""


def write_accesses(engine: Engine, accesses: Sequence[Access]) -> None:
    """Write some accesses down in one transaction. Raises Unavailable."""
    with reachable(), engine.begin() as connection:
        connection.execute(insert(access_log), [msgspec.structs.asdict(access) for access in accesses])


def read_accesses(
    connection: Connection, *, since: int = 0, after: int = 0, limit: int = MOST
) -> list[tuple[int, Access]]:
    """Read a page of what was written down from a time on, behind number ``after``, each with its number."""
    c = access_log.c
    mine = select(c.n, *_columns()).where(c.at >= since, c.n > after).order_by(c.n).limit(limit)
    return [(n, _access(row)) for n, *row in connection.execute(mine)]


def read_recent_accesses(connection: Connection, limit: int) -> list[Access]:
    """Read what was written down last, the newest first."""
    last = select(*_columns()).order_by(access_log.c.n.desc()).limit(limit)
    return [_access(row) for row in connection.execute(last)]


def _columns() -> list[Column[Any]]:
    return [access_log.c[name] for name in Access.__struct_fields__]


def _access(row: Sequence[Any]) -> Access:
    return Access(**dict(zip(Access.__struct_fields__, row, strict=True)))


class AccessLog:
    """Writes accesses down for the requests of one process. Belongs to the event loop.

    What comes while some are being written waits and is written together: many readers at once cost a transaction
    or two, and one reader never more than one.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._waiting: list[tuple[Access, asyncio.Future[None]]] = []
        self._task: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """Accesses that nobody has begun to write yet."""
        return len(self._waiting)

    async def write(self, access: Access) -> None:
        """Return once an access is written down for good. Raises Unavailable."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((access, done))
        if self._task is None:
            self._task = asyncio.create_task(self._write(), name="access log")
        await done

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        """Wait until nothing waits any more."""
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _write(self) -> None:
        try:
            while self._waiting:
                now, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                failed: BaseException | None = None
                try:
                    accesses = [access for access, _ in now]
                    await asyncio.to_thread(write_accesses, self._engine, accesses)
                except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
                    failed = error
                for _, done in now:
                    if done.done():  # whoever waited has gone
                        continue
                    if failed is None:
                        done.set_result(None)
                    else:
                        done.set_exception(failed)
        finally:
            self._task = None
