"""Verification: recompute the whole log from its facts, and name the first place that does not hold.

Nothing is believed for being stored: leaves are computed from entries, commitments from parts, tiles and
frontier from leaves, and which agreements are restricted from their events. Somebody who can write to the whole
database could still make up the log anew from some position on; that shows against a checkpoint that somebody
else has kept.
"""

from collections.abc import Callable, Iterable
from typing import Any

from registry.audit import facts
from registry.audit.check import Parts, check_event, check_parts
from registry.audit.facts import AnyRow, Connects, Tombstone
from registry.audit.hidden import check_restricted
from registry.audit.report import Broken, Report, at_checkpoint, at_head, at_position, at_tile
from registry.domain.events.correction import PersonalDataErased
from registry.merkle.entry import Entry
from registry.merkle.tiles import TILE_WIDTH, full_tiles
from registry.merkle.tree import (
    Frontier,
    Subtree,
    append,
    check_frontier,
    pack,
    root,
    unpack,
)
from registry.store.database import reachable
from registry.store.head import Head
from registry.store.tables import event, event_part, log_checkpoint

Progress = Callable[[int, int], None]
"""Called with (events done, events in all)."""


def verify(engine: Connects, progress: Progress = lambda _done, _total: None) -> Report:
    """Verify everything from position 1 to the head, while the log may grow.

    Raises Unavailable when the database cannot be reached.
    """
    walk = _Walk(engine, progress)
    finding = None
    with reachable():
        try:
            walk.run()
            check_restricted(engine)
        except Broken as broken:
            finding = broken.finding
    return Report(
        origin=walk.origin,
        events=walk.size,
        root=root(walk.frontier),
        parts=walk.parts,
        erased=walk.erased,
        tiles=walk.tiles,
        checkpoints=walk.checkpoints,
        finding=finding,
    )


class _Walk:
    """How far one verification has come. Owned by ``verify``; its size does not grow with the log."""

    def __init__(self, engine: Connects, progress: Progress) -> None:
        self._engine = engine
        self._progress = progress
        self.origin = ""
        self.size = 0
        self.frontier: Frontier = ()
        self.parts = self.erased = self.tiles = self.checkpoints = 0
        self._recorded_at = 0
        self._growing: list[list[bytes]] = [[]]
        """The hashes of the tile that is being filled, by level."""
        self._last_tombstone = 0
        """The largest position of a tombstone that something missing rests on."""

    def run(self) -> None:
        """Walk to the head, and on to where the log has grown if a tombstone stands only there."""
        head = self._head()
        self._extend([])
        while True:
            while self.size < head.size:
                self._page(head)
                self._progress(self.size, head.size)
            if head.frontier != self.frontier:
                raise at_head(f"its frontier is not that of the {self.size} events recorded")
            if head.recorded_at != self._recorded_at:
                raise at_head("its record time is not that of the last event")
            if self._last_tombstone <= head.size:
                break
            head = self._head()
            if self._last_tombstone > head.size:
                raise at_position(self._last_tombstone, "it lies beyond the head of the log")
        self._strays()

    def _head(self) -> Head:
        rows = facts.read_heads(self._engine, at_head("it cannot be read"))
        if len(rows) != 1:
            raise at_head(f"it is one row, and there are {len(rows)}")
        (row,) = rows
        if row.id != 1 or [type(value) for value in row] != [int, str, int, bytes, int]:
            raise at_head("a column holds a value that it cannot have")
        try:
            frontier = check_frontier(row.size, unpack(row.frontier))
        except ValueError as error:
            raise at_head(f"its size and frontier do not belong together: {error}") from error
        self.origin = row.origin
        return Head(row.origin, row.size, frontier, row.recorded_at)

    def _page(self, head: Head) -> None:
        """Verify the events up to the end of their tile, or up to the head."""
        first = self.size + 1
        last = min(self.size // TILE_WIDTH * TILE_WIDTH + TILE_WIDTH, head.size)
        rows = facts.read_events(self._engine, first, last, _unreadable)
        parts = self._parts(first, last)
        misplaced = {row.position: row for row in facts.out_of_order(self._engine, first, last)}
        leaves: list[bytes] = []
        missing: list[tuple[Entry, int]] = []
        buried: list[Tombstone] = []
        try:
            for position in range(first, last + 1):
                entry = self._event(position, rows, leaves, head)
                if position in misplaced:
                    raise at_position(position, _order(misplaced[position]))
                self._recorded_at = entry.recorded_at
                open_parts = parts.pop(position, {})
                missing += [(entry, k) for k in check_parts(entry, open_parts)]
                self.parts += len(open_parts)
                if entry.type == PersonalDataErased.type and 0 in open_parts:
                    tombstone = facts.read_tombstone(position, entry.stream, open_parts[0].data)
                    buried += [tombstone] if tombstone is not None else []
        except Broken:
            self._explain(missing)  # an earlier position comes first
            raise
        self._explain(missing)
        if strays := [*parts, *[row.position for row in rows[len(leaves) :]]]:
            raise at_position(strays[0], "a row stands there that belongs to no event")
        self._stay_erased(buried)
        self._extend(leaves)

    def _parts(self, first: int, last: int) -> dict[int, Parts]:
        parts: dict[int, Parts] = {}
        for row in facts.read_parts(self._engine, first, last, _unreadable):
            of_event = parts.setdefault(row.position, {})
            if row.part_no in of_event:
                raise at_position(row.position, f"part {row.part_no} stands twice")
            of_event[row.part_no] = row
        return parts

    def _event(self, position: int, rows: list[AnyRow], leaves: list[bytes], head: Head) -> Entry:
        """Check the row that should have this position, and note its leaf."""
        place = len(leaves)
        if place == len(rows):
            self._check_end(position, leaves, head)
        if place == len(rows) or rows[place].position != position:
            raise at_position(position, "the event is missing")
        row = rows[place]
        entry: Entry = check_event(row)
        if entry.recorded_at < self._recorded_at:
            raise at_position(position, "its record time is before that of the event before it")
        leaves.append(row.leaf_hash)
        return entry

    def _check_end(self, position: int, leaves: list[bytes], head: Head) -> None:
        """When the events end early, see whether only the size in the head is wrong."""
        shorter = append(self.size, self.frontier, leaves).frontier
        if shorter == head.frontier and not facts.beyond(self._engine, event.c.position, position - 1, 1):
            raise at_head(f"it counts {head.size} events and its frontier is that of {position - 1}")

    def _explain(self, missing: list[tuple[Entry, int]]) -> None:
        """Require that every part that is missing has its tombstone."""
        if not missing:
            return
        stones = facts.tombstones(self._engine, {entry.stream for entry, _ in missing})
        buried = _by_part(stones)
        for entry, k in missing:
            at = buried.get((entry.stream, entry.source, entry.id, k), 0)
            if at <= entry.position:
                raise at_position(
                    entry.position, f"part {k} is missing and no later event says that it was erased"
                )
            self._last_tombstone = max(self._last_tombstone, at)
            self.erased += 1

    def _stay_erased(self, stones: list[Tombstone]) -> None:
        """Require that what tombstones name is gone."""
        if not stones:
            return
        buried = _by_part(stones)
        for row in facts.still_there(self._engine, {(stone.source, stone.id) for stone in stones}):
            at = buried.get((row.stream_id, row.source, row.event_id, row.part_no), 0)
            if at > row.position:
                raise at_position(
                    row.position, f"part {row.part_no} is there although position {at} erased it"
                )

    def _extend(self, leaves: list[bytes]) -> None:
        """Grow the tree, stopping at the size of every checkpoint, and check the tiles that become full."""
        self._growing[0] += leaves
        start, end = self.size, self.size + len(leaves)
        first = start + 1 if leaves else start
        signed = facts.read_checkpoints(
            self._engine, first, end, lambda size: at_checkpoint(size, "it cannot be read")
        )
        full: list[Subtree] = []
        false: list[int] = []
        for row in [*signed, None]:
            size = end if row is None else row.size
            if type(size) is not int:
                raise at_checkpoint(size, "its size is no integer")
            grown = append(self.size, self.frontier, leaves[self.size - start : size - start])
            self.size, self.frontier = size, grown.frontier
            full += grown.subtrees
            if row is not None:
                false += [size] if row.root != root(self.frontier) else []
        for subtree in full:  # before the checkpoints: a tile tells which of its events is not the one it was
            self._tile(subtree)
        if false:
            raise at_checkpoint(false[0], f"its root is not that of the first {false[0]} events")
        self.checkpoints += len(signed)

    def _tile(self, subtree: Subtree) -> None:
        level, n, top = subtree
        hashes = self._growing[level]
        self._growing[level] = []
        if len(self._growing) == level + 1:
            self._growing.append([])
        self._growing[level + 1].append(top)
        rows = facts.read_tile(self._engine, level, n, at_tile(level, n, "it cannot be read"))
        if len(rows) != 1:
            raise at_tile(level, n, "it is missing" if not rows else "it stands twice")
        (row,) = rows
        if row.hashes != pack(hashes):
            raise at_tile(level, n, _differing(level, n, row.hashes, hashes))
        if row.root != top:
            raise at_tile(level, n, "its root is not that of its hashes")
        self.tiles += 1

    def _strays(self) -> None:
        """Require that nothing lies beyond the head, which is read last as the log may grow meanwhile."""
        parts = facts.beyond(self._engine, event_part.c.position, self.size, 1)
        events = facts.beyond(self._engine, event.c.position, self.size, 1)
        checkpoints = facts.beyond(self._engine, log_checkpoint.c.size, self.size, 0)
        tiles = facts.tiles_beyond(self._engine, full_tiles(self.size))
        size = self._head().size
        for position in [*events, *parts]:
            if type(position) is not int or not 1 <= position <= size:
                raise at_position(position, "it lies beyond the head of the log")
        full = full_tiles(size)
        for level, n in tiles:
            if not (0 <= level < len(full) and 0 <= n < full[level]):
                raise at_tile(level, n, "it lies beyond the head of the log")
        for at in checkpoints:
            if type(at) is not int or not 0 <= at <= size:
                raise at_checkpoint(at, "it lies beyond the head of the log")


def _by_part(stones: Iterable[Tombstone]) -> dict[tuple[str, str, str, int], int]:
    """Key the last position that says so by (stream, source, id, part number)."""
    buried: dict[tuple[str, str, str, int], int] = {}
    for stone in stones:
        for k in stone.parts:
            key = (stone.stream, stone.source, stone.id, k)
            buried[key] = max(stone.position, buried.get(key, 0))
    return buried


def _order(row: AnyRow) -> str:
    if row.identity_taken:
        return "an earlier event has the same source and id"
    if row.version_taken:
        return "an earlier event of its stream has the same version"
    return "its version does not follow that of an earlier event of its stream"


def _differing(level: int, n: int, stored: Any, hashes: list[bytes]) -> str:
    """Say which hash of a tile is not what it should be."""
    if type(stored) is not bytes or len(stored) != len(pack(hashes)):
        return f"it does not hold {TILE_WIDTH} hashes"
    place = next(i for i, node in enumerate(unpack(stored)) if node != hashes[i]) + n * TILE_WIDTH
    if level == 0:
        return f"its hash for position {place + 1} is not the leaf recorded there"
    return f"its hash {place} is not the root of tile {level - 1}/{place}"


def _unreadable(position: int) -> Broken:
    return at_position(position, "its row cannot be read")
