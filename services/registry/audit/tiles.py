"""Tiles as they are given out (C2SP tlog-tiles v0.1.0): no further than the last checkpoint reaches."""

from sqlalchemy import Connection, select

from registry.audit.checkpoints import latest
from registry.merkle.tiles import ENTRIES, TILE_WIDTH, Tile, width_at
from registry.store.head import read_head
from registry.store.tables import event
from registry.store.tiles import read_tiles


def published_tile(connection: Connection, tile: Tile) -> bytes | None:
    """Read a tile of hashes, or of entries; None when no checkpoint covers it.

    It may be cached for ever, so what is committed and not yet signed is left out.
    """
    checkpoint = latest(connection, read_head(connection).origin)
    if checkpoint is None or width_at(tile.level, tile.n, checkpoint.size) < tile.width:
        return None
    return _bundle(connection, tile) if tile.level == ENTRIES else read_tiles(connection, [tile])[tile]


def _bundle(connection: Connection, tile: Tile) -> bytes:
    """Put the entries of a tile together, each behind its length in two bytes."""
    first = tile.n * TILE_WIDTH + 1
    positions = event.c.position.between(first, first + tile.width - 1)
    entries = connection.execute(select(event.c.entry).where(positions).order_by(event.c.position)).scalars()
    return b"".join(len(entry).to_bytes(2) + entry for entry in entries)
