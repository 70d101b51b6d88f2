"""Clearing: what was erased goes from everything derived as well, down to the bytes of the files.

An erasure deletes parts and records that it did, in one transaction. The rest is done behind it by whoever holds the
lease, from what the log says, so a crash in between delays it and nothing else: the read models pass the position,
what no longer follows the log is dropped, indexes give up their words, and the database the space of deleted rows.
How far that has come stands in ``tracking``, under a name of its own.
"""

import asyncio
import logging
from collections.abc import Callable

import msgspec
from sqlalchemy import Connection, Engine, func, select, update

from registry.domain.events import PersonalDataErased
from registry.errors import Unavailable
from registry.projections.catalogue import CATALOGUE
from registry.projections.generations import fence_off, generations, live
from registry.projections.leftovers import drop_leftovers, drop_parked
from registry.projections.model import ReadModel
from registry.projections.scrub import Scrubber
from registry.projections.step import Projection
from registry.store.database import reachable
from registry.store.head import read_head
from registry.store.leases import Held, acquire, release, renew
from registry.store.reader import Reader
from registry.store.tables import event, tracking

log = logging.getLogger(__name__)

NAME = "erasure"
"""Under which ``tracking`` has the position up to which everything erased has been cleared away."""
LEASE_TTL = 600_000_000
"""Microseconds: to vacuum a large table takes a while."""
QUIET = 1000
"""Positions without any erasure that are passed before that is written down."""
POLL = 0.5
"""Seconds after which the log is looked at again without being told to."""
PENDING = 0.05
"""Seconds between two looks at what the read models have yet to pass."""


class Pending(msgspec.Struct, frozen=True):
    """Erasures that have not been cleared up after."""

    position: int
    """Of the last of them."""
    agreements: tuple[str, ...]


class Clearing:
    """Clears up after erasures. Its steps belong to one thread at a time; it may run in any number of processes."""

    def __init__(
        self,
        engine: Engine,
        reader: Reader,
        models: tuple[ReadModel, ...] = CATALOGUE,
        forget: Callable[[str], None] = lambda _: None,
    ) -> None:
        self._engine = engine
        self._reader = reader
        self._models = models
        self._scrubber = Scrubber(engine)
        self._passed = 0
        """Up to here this process has found nothing to do, or done it."""
        self._woken: asyncio.Event | None = None
        self._forget = forget
        """Told, in the event loop, of each agreement of which something was erased, whoever did it."""
        self._heard = 0
        """Up to here it has been told."""
        self._erased: list[str] = []

    def begin(self) -> None:
        """Take the log as it is before anything is shown of it, so that nobody need be told of older erasures.

        Raises Unavailable.
        """
        self._heard = self._reader.head().size

    async def run(self) -> None:
        """Run until cancelled; whatever happens on the way is logged and tried again."""
        self._woken = asyncio.Event()
        while True:
            pause = POLL
            try:
                done = await asyncio.to_thread(self.step)
                pause = POLL if done else PENDING
                while self._erased:
                    self._forget(self._erased.pop())
            except Unavailable as error:
                log.warning("clearing up after erasures waits: %s", error)
            except Exception:
                log.exception("clearing up after erasures failed")
            try:
                async with asyncio.timeout(pause):
                    await self._woken.wait()
            except TimeoutError:
                continue
            self._woken.clear()

    def wake(self) -> None:
        """Tell that something has been erased. Belongs to the event loop."""
        if self._woken is not None:
            self._woken.set()

    def step(self) -> bool:
        """Do what can be done now; False when something is left that waits for others. Raises Unavailable."""
        with reachable():
            with self._reader.connect() as connection:
                self._passed = max(self._passed, cleared(connection))
                size = read_head(connection).size
                pending = _pending(connection, self._passed, size)
                if size > self._heard:
                    heard = _pending(connection, self._heard, size)
                    self._erased.extend(heard.agreements if heard else ())
                    self._heard = size
            if pending is None:
                if size - self._passed >= QUIET:
                    self._note(size)
                self._passed = size
                return True
            held = acquire(self._engine, NAME, ttl=LEASE_TTL)
            if held is None:
                return False
            try:
                return self._clear(pending)
            finally:
                release(self._engine, held)

    def _clear(self, pending: Pending) -> bool:
        with self._engine.begin() as connection:
            drop_leftovers(connection, self._models)
        with self._reader.connect() as connection:
            if behind(connection, pending.position):
                return False
        with self._engine.begin() as connection:
            drop_parked(connection, self._models, pending.agreements)
        if not self._scrubber.scrub(pending.position):
            return False
        self._note(pending.position)
        self._passed = pending.position
        return True

    def _note(self, position: int) -> None:
        with self._engine.begin() as connection:
            row = tracking.c.projection == NAME
            moved = connection.execute(
                update(tracking).where(row, tracking.c.position <= position).values(position=position)
            )
            if moved.rowcount == 0 and connection.scalar(select(tracking.c.position).where(row)) is None:
                connection.execute(
                    tracking.insert().values(
                        projection=NAME, version=0, generation=0, position=position, fence=0, state="live"
                    )
                )


def cleared(connection: Connection) -> int:
    """Read up to which position everything erased is gone from everything."""
    return connection.scalar(select(tracking.c.position).where(tracking.c.projection == NAME)) or 0


def behind(connection: Connection, position: int) -> list[str]:
    """Name the read models that have not come to a position, in whichever version somebody keeps them."""
    names = select(tracking.c.projection).where(
        tracking.c.version > 0, tracking.c.position < position, ~tracking.c.state.startswith("retired")
    )
    return sorted(set(connection.scalars(names)))


def _pending(connection: Connection, after: int, until: int) -> Pending | None:
    stones = (event.c.position.between(after + 1, until), event.c.type == PersonalDataErased.type)
    rows = connection.execute(
        select(event.c.stream_id, func.max(event.c.position)).where(*stones).group_by(event.c.stream_id)
    ).all()
    if not rows:
        return None
    return Pending(max(position for _, position in rows), tuple(stream for stream, _ in rows))


def catch_up(engine: Engine, reader: Reader, models: tuple[ReadModel, ...] = CATALOGUE) -> None:
    """Bring every read model that nobody keeps up to date as far as the log is. Raises Unavailable."""
    for model in models:
        with reachable():
            held = acquire(engine, model.lease)
            if held is None:
                continue
            try:
                _step_all(engine, reader, model, held)
            finally:
                release(engine, held)


def _step_all(engine: Engine, reader: Reader, model: ReadModel, held: Held) -> None:
    with engine.begin() as connection:
        # One that has never been finished has rows as well; whoever serves next goes on with it.
        generation = live(connection, model) or next(iter(generations(connection, model)), None)
        if generation is None:
            return
        generation = fence_off(connection, generation, held)
    projection = Projection(engine, reader, generation)
    while projection.step():
        renew(engine, held)
