"""One step of a projection: read what moved, make the rows, write them and the tracking in one transaction."""

import logging
from collections.abc import Callable, Collection, Mapping

from sqlalchemy import Connection, Engine, exc

from registry.domain.agreement import Agreement
from registry.projections.changes import changes
from registry.projections.generations import Generation, advance
from registry.projections.making import Ease, Made, make
from registry.projections.model import Tables
from registry.projections.packing import unpack
from registry.projections.parking import RETRIED, RETRY, park, resolve, waiting
from registry.projections.replace import replace
from registry.store.database import GONE, reachable
from registry.store.reader import Reader

log = logging.getLogger(__name__)

BATCH = 500
"""Positions that one transaction covers. Few, as on SQLite an append waits for it."""

REMEMBERED = 100_000
"""Agreements of which a projection remembers what it wrote last."""

OF_THE_MOMENT = frozenset(("40", "53", "55", "57", "58"))
"""Classes of PostgreSQL's errors that say nothing of a row: conflicts, no room, locks, interrupted, files (its manual,
appendix A)."""

OF_THE_MOMENT_ON_SQLITE = frozenset((5, 6, 7, 8, 9, 10, 11, 13, 14))
"""The same of SQLite: busy, locked, memory, read only, interrupted, files, damaged, no room, not opened."""

Fault = Callable[[str], None]
"""Called with the name of each point that a step has come to; a test fails there."""


class Projection:
    """Builds one generation of a read model.

    ``afresh`` tries again what is parked; without ``parks`` nothing is, as what is built is only looked at.
    Belongs to one thread at a time. That it is the only one to do so is the lease's business; that nothing
    goes wrong should it not be is the fence's.
    """

    def __init__(
        self,
        engine: Engine,
        reader: Reader,
        generation: Generation,
        *,
        afresh: bool = False,
        parks: bool = True,
        ease: Ease = lambda: None,
        fault: Fault = lambda _: None,
    ) -> None:
        self.generation = generation
        """As it is in the database after what was committed last."""
        self.mended: set[str] = set()
        """Agreements whose rows a rebuild could make, whatever had become of them before."""
        self.dialect = engine.dialect.name
        """The kind of database, as SQLAlchemy names it."""
        self._afresh = afresh
        self._parks = parks
        self._engine = engine
        self._reader = reader
        self._ease = ease
        self._fault = fault
        self._written: dict[str, int] = {}

    def step(self, batch: int = BATCH) -> int:
        """Take the next stretch of the log; return how many positions it covered, 0 at the end of the log.

        Rows may be made from a state later than the stretch: they are replaced as a whole, so the agreement
        is then just ahead, and what it is ahead of is not done again.
        Raises Overtaken when somebody else has moved the generation, and Unavailable.
        """
        generation = self.generation
        with reachable():
            with self._reader.connect() as connection:
                moved = changes(connection, generation.position, batch)
                parked = {each.stream: each.resolution for each in waiting(connection, generation.model)}
            self._fault("read")
            if self._afresh:  # a rebuild tries everything again, also what somebody has skipped
                parked = {}
            retry = {stream for stream, resolution in parked.items() if resolution == RETRY}
            if moved.last == generation.position and not retry:
                return 0
            news = {
                s: at for s, at in moved.streams.items() if s not in parked and self._written.get(s, 0) < at
            }
            wanted = news | dict.fromkeys(retry, moved.last)
            made = self.make(self._reader.agreements(wanted), generation.position)
            self._fault("made")
            self.commit(moved.last, made, retry)
        if len(self._written) > REMEMBERED:
            self._written.clear()
        self._written |= made.states
        return moved.last - generation.position

    def make(self, states: Mapping[str, Agreement], after: int) -> Made:
        """Make the rows of some agreements, whose events up to position ``after`` are in the rows already."""
        return make(self.generation.model, self.dialect, states, after, self._ease)

    def commit(self, last: int, made: Made, retry: Collection[str] = ()) -> None:
        """Write what was made of the log up to ``last``, and the tracking with it. Raises Overtaken."""
        with self._engine.begin() as connection:
            advanced = self.write(connection, last, made, retry)
        self.written(advanced)

    def write(self, connection: Connection, last: int, made: Made, retry: Collection[str] = ()) -> Generation:
        """Do so in a transaction of the caller, who then passes to ``written`` what this returns."""
        advanced = advance(connection, self.generation, last)
        self._fault("advanced")
        self._write(connection, made, advanced.tables(connection))
        self._settle(connection, made, retry, last)
        self._fault("written")
        return advanced

    def written(self, advanced: Generation) -> None:
        """Go on from what has been committed."""
        self._fault("committed")
        self.generation = advanced

    def _settle(self, connection: Connection, made: Made, retry: Collection[str], position: int) -> None:
        for stream in set(retry) - set(made.failed):
            resolve(connection, self.generation.model, stream, RETRIED)
        if self._parks:
            for stream, kind in made.failed.items():
                park(connection, self.generation.model, stream, position, kind)
        if self._afresh:
            self.mended.update(made.states)
            self.mended.difference_update(made.failed)

    def _write(self, connection: Connection, made: Made, tables: Tables) -> None:
        """Write all rows at once; if the database refuses some, one agreement after the other."""
        try:
            with connection.begin_nested():
                replace(connection, tables, made.packed)
        except exc.DBAPIError as error:
            if not _is_of_rows(error):
                raise
            self._write_each(connection, made, tables)

    def _write_each(self, connection: Connection, made: Made, tables: Tables) -> None:
        for stream, packed in unpack(made.packed, connection.dialect.name, list(made.states)):
            try:
                with connection.begin_nested():
                    replace(connection, tables, packed)
            except exc.DBAPIError as error:
                if not _is_of_rows(error):
                    raise
                log.exception("the rows of %s in %s are refused", stream, self.generation.model.name)
                made.failed[stream] = type(error).__name__
                made.states.pop(stream, None)


def _is_of_rows(error: exc.DBAPIError) -> bool:
    """Tell whether a database may refuse the same rows again: else nothing is parked, and all of it is tried again."""
    if isinstance(error, GONE) and error.connection_invalidated:
        return False
    state: str | None = getattr(error.orig, "sqlstate", None)
    if state is not None:
        return state[:2] not in OF_THE_MOMENT
    code: int | None = getattr(error.orig, "sqlite_errorcode", None)
    return code is None or code & 0xFF not in OF_THE_MOMENT_ON_SQLITE
