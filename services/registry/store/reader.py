"""Reading facts: events by position and by stream, states, and the hashes that proofs are made of."""

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy import Connection, Engine, func, select

from registry.access import EVERYTHING, Sight
from registry.domain.agreement import Agreement, fold
from registry.domain.envelope import Recorded
from registry.merkle.tiles import Node, Tile, node_in_tile, tile_of
from registry.store.database import reachable
from registry.store.foundings import parties_of
from registry.store.head import Head, read_head
from registry.store.latest import read_latest
from registry.store.migrate import current_revision
from registry.store.newest import read_newest
from registry.store.pages import read_page
from registry.store.restricted import last_visible, made_of, restricted_among
from registry.store.rows import EventPart, Row, read_parts, read_stream, read_streams
from registry.store.states import States
from registry.store.tables import event
from registry.store.tiles import read_tiles

STREAMS = 500
"""Agreements that are read in one go."""


class Reader:
    """Reads what is committed. Synchronous: the service calls it from threads, the command line directly.

    Every method raises Unavailable when the database cannot be reached.
    """

    def __init__(self, engine: Engine, states: States | None = None) -> None:
        self._engine = engine
        self._states = states if states is not None else States(0)
        self._visible = 0, 0
        """The position last asked about, and the last one up to it that is of no restricted agreement."""

    def connect(self) -> Connection:
        """Open a connection to read with; the caller closes it."""
        return self._engine.connect()

    def head(self) -> Head:
        """Read where the log ends. From now on no state is current that has not come so far."""
        with reachable(), self._engine.connect() as connection:
            head = read_head(connection)
        self._states.hear(head.size)
        return head

    def revision(self) -> str | None:
        """Read which migration the database is at."""
        with reachable(), self._engine.connect() as connection:
            return current_revision(connection)

    def event(self, position: int, sight: Sight = EVERYTHING) -> Row | None:
        """Read one event, if it exists for a reader."""
        rows = self.page(position - 1, 1, sight=sight)
        return rows[0] if rows and rows[0].position == position else None

    def page(
        self,
        after: int,
        limit: int,
        *,
        stream: str | None = None,
        types: Collection[str] = (),
        sight: Sight = EVERYTHING,
    ) -> list[Row]:
        """Read up to ``limit`` events behind position ``after`` in the order of the log, as a reader may see them."""
        with reachable(), self._engine.connect() as connection:
            return read_page(connection, after, limit, stream=stream, types=types, sight=sight)

    def newest(self, before: int, limit: int, sight: Sight) -> list[Row]:
        """Read up to ``limit`` events before a position, the newest first, as a reader may see them."""
        with reachable(), self._engine.connect() as connection:
            return read_newest(connection, sight, before=before, limit=limit)

    def restricted_among(self, agreements: Collection[str]) -> frozenset[str]:
        """Tell which of some agreements exist only for those who may see restricted ones."""
        with reachable(), self._engine.connect() as connection:
            return restricted_among(connection, agreements)

    def position_for(self, sight: Sight, position: int) -> int:
        """Give the last position up to one that exists for a reader, which is what an answer may tell it.

        Nothing that has happened up to a position changes, so it is looked for once; an agreement that is
        restricted later is so at a later position.
        """
        visible = self.known_position_for(sight, position)
        if visible is None:
            with reachable(), self._engine.connect() as connection:
                visible = last_visible(connection, sight, position)
            self._visible = position, visible
        return visible

    def known_position_for(self, sight: Sight, position: int) -> int | None:
        """Give the same without asking the database; None when it has to be asked."""
        if sight.restricted:
            return position
        known, visible = self._visible
        return visible if known == position else None

    def made_of(self, sight: Sight) -> bytes:
        """Name all of the log that exists for a reader, so that it can be told from any other log."""
        with reachable(), self._engine.connect() as connection:
            return made_of(connection, sight)

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
            size, news = read_latest(connection, stream, after_version=known.version if known else 0)
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

    def parts(self, agreements: Sequence[str]) -> list[EventPart]:
        """Read all events of some agreements as they are stored, whatever is kept, to be folded elsewhere."""
        found: list[EventPart] = []
        for start in range(0, len(agreements), STREAMS):
            with reachable(), self._engine.connect() as connection:
                found.extend(read_parts(connection, agreements[start : start + STREAMS]))
        return found

    def parties(self, agreements: Collection[str]) -> dict[str, tuple[str, ...]]:
        """Give the ids of the parties of agreements: from memory where a state is kept, else from their foundings."""
        states = {agreement: self._states.get(agreement) for agreement in agreements}
        found = {agreement: state.parties for agreement, state in states.items() if state is not None}
        unknown = [agreement for agreement, state in states.items() if state is None]
        if unknown:
            with reachable(), self._engine.connect() as connection:
                found |= parties_of(connection, unknown)
        return found

    def moved(self, after: int, until: int) -> dict[str, int]:
        """Give the agreements that have an event behind position ``after`` up to ``until``, with their version then."""
        moved = event.c.position.between(after + 1, until)
        statement = (
            select(event.c.stream_id, func.max(event.c.version).label("version"))
            .where(moved)
            .group_by(event.c.stream_id)
        )
        with reachable(), self._engine.connect() as connection:
            return {row.stream_id: row.version for row in connection.execute(statement)}

    def hashes(self, nodes: Iterable[Node], size: int) -> dict[Node, bytes]:
        """Read the tree nodes that a proof in the tree of ``size`` leaves needs, all tiles in one statement.

        Raises ValueError when the stored tree does not reach that far.
        """
        by_tile: dict[Tile, list[Node]] = {}
        for node in nodes:
            by_tile.setdefault(tile_of(node, size), []).append(node)
        with reachable(), self._engine.connect() as connection:
            tiles = read_tiles(connection, list(by_tile))
        return {node: node_in_tile(node, tiles[tile]) for tile, wanted in by_tile.items() for node in wanted}

    def tile(self, tile: Tile) -> bytes:
        """Read the hashes of one full or partial tile, packed; short if the tree does not reach that far."""
        with reachable(), self._engine.connect() as connection:
            return read_tiles(connection, [tile])[tile]
