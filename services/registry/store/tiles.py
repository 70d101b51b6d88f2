"""Tiles of the stored tree: full ones are rows, a partial one is the tail of what it would be made of."""

from collections.abc import Iterable

from sqlalchemy import Connection, Select, insert, select

from registry.merkle.tiles import TILE_WIDTH, Tile
from registry.merkle.tree import Subtree
from registry.store.tables import event, log_tile


def read_tile(connection: Connection, tile: Tile) -> bytes:
    """Read the hashes of a tile, packed; fewer than its width if the stored tree does not reach that far."""
    if tile.width == TILE_WIDTH:
        full = select(log_tile.c.hashes).where(log_tile.c.level == tile.level, log_tile.c.n == tile.n)
        return connection.scalar(full) or b""
    return b"".join(connection.execute(_made_of(tile)).scalars())


def fill_tiles(connection: Connection, full: Iterable[Subtree]) -> None:
    """Write the tiles that an append filled, a level before the one above it, which is made of it."""
    for level, n, root in full:
        hashes = b"".join(connection.execute(_made_of(Tile(level, n))).scalars())
        connection.execute(insert(log_tile).values(level=level, n=n, hashes=hashes, root=root))


def _made_of(tile: Tile) -> Select[bytes]:
    """Select what a tile holds: leaf hashes at level 0, above it the roots of the tiles one level below."""
    first = tile.n * TILE_WIDTH
    if tile.level == 0:
        positions = event.c.position.between(first + 1, first + tile.width)  # a leaf's index is one less
        return select(event.c.leaf_hash).where(positions).order_by(event.c.position)
    below = log_tile.c.n.between(first, first + tile.width - 1)
    return select(log_tile.c.root).where(log_tile.c.level == tile.level - 1, below).order_by(log_tile.c.n)
