"""Reading facts: events by position and by stream, states, and the hashes that proofs are made of."""

from collections.abc import Collection, Iterable, Mapping

from sqlalchemy import Connection, Engine, select

from registry.domain.agreement import Agreement, fold
from registry.domain.envelope import Recorded
from registry.merkle.tiles import Node, Tile, node_in_tile, tile_of
from registry.store.database import reachable
from registry.store.head import Head, read_head
from registry.store.migrate import current_revision
from registry.store.rows import ROWS, Row, read_stream, read_streams, select_rows
from registry.store.states import States
from registry.store.tables import event
from registry.store.tiles import read_tile

STREAMS = 200
"""Agreements that are read in one go."""


class Reader:
    """Reads what is committed. Synchronous: the service calls it from threads, the command line directly.

    Every method raises Unavailable when the database cannot be reached.
    """

    def __init__(self, engine: Engine, states: States | None = None) -> None:
        self._engine = engine
        self._states = states if states is not None else States(0)

    def connect(self) -> Connection:
        """Open a connection to read with; the caller closes it."""
        return self._engine.connect()

    def head(self) -> Head:
        """Read where the log ends."""
        with reachable(), self._engine.connect() as connection:
            return read_head(connection)

    def revision(self) -> str | None:
        """Read which migration the database is at."""
        with reachable(), self._engine.connect() as connection:
            return current_revision(connection)

    def event(self, position: int) -> Row | None:
        """Read one event."""
        rows = self.page(position - 1, 1)
        return rows[0] if rows and rows[0].position == position else None

    def page(
        self, after: int, limit: int, *, stream: str | None = None, types: Collection[str] = ()
    ) -> list[Row]:
        """Read up to ``limit`` events behind position ``after`` in the order of the log."""
        statement = ROWS.where(event.c.position > after).order_by(event.c.position).limit(limit)
        if stream is not None:
            statement = statement.where(event.c.stream_id == stream)
        if types:
            statement = statement.where(event.c.type.in_(types))
        with reachable(), self._engine.connect() as connection:
            return select_rows(connection, statement)

    def position_of(self, source: str, id: str) -> int | None:
        """Find the position of an event by its identity."""
        statement = select(event.c.position).where(event.c.source == source, event.c.event_id == id)
        with reachable(), self._engine.connect() as connection:
            return connection.scalar(statement)

    def recorded_by(self, time: int) -> int:
        """Find the last position recorded at or before ``time``, in microseconds since 1970; 0 if none.

        Record times never fall, so this halves the log instead of needing an index.
        """
        with reachable(), self._engine.connect() as connection:
            low, high = 0, read_head(connection).size
            while low < high:
                middle = (low + high + 1) // 2
                at = connection.scalar(select(event.c.recorded_at).where(event.c.position == middle))
                if at is not None and at <= time:
                    low = middle
                else:
                    high = middle - 1
            return low

    def recorded(self, stream: str, *, after_version: int = 0, until: int | None = None) -> list[Recorded]:
        """Read the events of one agreement behind a version, up to position ``until``."""
        with reachable(), self._engine.connect() as connection:
            return read_stream(connection, stream, after_version=after_version, until=until)

    def agreement(self, stream: str) -> Agreement | None:
        """Fold one agreement as far as it is committed; None when no event has founded it.

        The state is shared and must not be changed. Only what is behind the kept state is read.
        """
        return self.latest(stream)[0]

    def latest(self, stream: str) -> tuple[Agreement | None, int]:
        """Fold one agreement as ``agreement`` does; give with it up to which position at least that is."""
        known = self._states.get(stream)
        with reachable(), self._engine.connect() as connection:
            size = read_head(
                connection
            ).size  # before the events: what is committed in between may be in them
            news = read_stream(connection, stream, after_version=known.version if known else 0)
        state = fold(known, news) if news else known
        if state is not None:
            self._states.keep(state, size)
        return state, size

    def agreements(self, wanted: Mapping[str, int]) -> dict[str, Agreement]:
        """Fold several agreements, each at least as far as the position given with it.

        A kept state that is so far is taken as it is; what is not kept at all is read in one go.
        """
        found: dict[str, Agreement] = {}
        missing: list[str] = []
        for stream, position in wanted.items():
            known = self._states.get(stream)
            if known is not None and known.position >= position:
                found[stream] = known
            elif known is None:
                missing.append(stream)
            elif (state := self.agreement(stream)) is not None:
                found[stream] = state
        for start in range(0, len(missing), STREAMS):
            with reachable(), self._engine.connect() as connection:
                by_stream = read_streams(connection, missing[start : start + STREAMS])
            for stream, events in by_stream.items():
                state = fold(None, events)
                if state is not None:
                    self._states.keep(state)
                    found[stream] = state
        return found

    def moved(self, after: int, until: int) -> list[str]:
        """Name the agreements that have an event behind position ``after`` up to ``until``."""
        statement = select(event.c.stream_id).distinct().where(event.c.position.between(after + 1, until))
        with reachable(), self._engine.connect() as connection:
            return list(connection.scalars(statement))

    def hashes(self, nodes: Iterable[Node], size: int) -> dict[Node, bytes]:
        """Read the tree nodes that a proof in the tree of ``size`` leaves needs; each tile is read once.

        Raises ValueError when the stored tree does not reach that far.
        """
        by_tile: dict[Tile, list[Node]] = {}
        for node in nodes:
            by_tile.setdefault(tile_of(node, size), []).append(node)
        found: dict[Node, bytes] = {}
        with reachable(), self._engine.connect() as connection:
            for tile, wanted in by_tile.items():
                hashes = read_tile(connection, tile)
                found.update((node, node_in_tile(node, hashes)) for node in wanted)
        return found

    def tile(self, tile: Tile) -> bytes:
        """Read the hashes of one full or partial tile, packed; short if the tree does not reach that far."""
        with reachable(), self._engine.connect() as connection:
            return read_tile(connection, tile)
