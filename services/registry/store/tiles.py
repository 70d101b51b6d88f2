"""Tiles of the stored tree: full ones are rows, a partial one is the tail of what it would be made of."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from itertools import groupby
from typing import Any, Literal

from sqlalchemy import (
    BigInteger,
    CompoundSelect,
    Connection,
    Select,
    bindparam,
    insert,
    literal,
    select,
    union_all,
)

from registry.merkle.tiles import TILE_WIDTH, Tile
from registry.merkle.tree import Subtree
from registry.store.tables import event, log_tile

Kind = Literal["full", "roots", "leaves"]
"""Where the hashes of a tile are: in its own row; or in what it is made of, which are the roots of the tiles one level
below or, at level 0, the leaf hashes of events."""

AT_ONCE = 8
"""Tiles that one statement reads at most; a proof needs no more."""


def read_tiles(connection: Connection, tiles: Sequence[Tile]) -> dict[Tile, bytes]:
    """Read the hashes of tiles, packed; fewer than its width of one that the stored tree does not fill so far."""
    kinds = ["full" if tile.width == TILE_WIDTH else _made_of(tile.level) for tile in tiles]
    return dict(zip(tiles, _read(connection, tiles, kinds), strict=True))


def fill_tiles(connection: Connection, full: Iterable[Subtree]) -> None:
    """Write the tiles that an append filled, a level before the one above it, which is made of it."""
    for level, of_level in groupby(full, lambda subtree: subtree.level):
        filled = list(of_level)
        tiles = [Tile(level, n) for _, n, _ in filled]
        hashes = _read(connection, tiles, [_made_of(level)] * len(tiles))
        rows = [{**one._asdict(), "hashes": packed} for one, packed in zip(filled, hashes, strict=True)]
        connection.execute(insert(log_tile), rows)


def _made_of(level: int) -> Kind:
    return "roots" if level else "leaves"


def _read(connection: Connection, tiles: Sequence[Tile], kinds: Sequence[Kind]) -> list[bytes]:
    """Read the hashes of tiles, each from where its kind says."""
    found: list[list[bytes]] = [[] for _ in tiles]
    for start in range(0, len(tiles), AT_ONCE):
        some = list(zip(tiles, kinds, strict=True))[start : start + AT_ONCE]
        rows = connection.execute(
            _reading(tuple(kind for _, kind in some)),
            {
                f"{name}_{number}": value
                for number, (tile, kind) in enumerate(some)
                for name, value in _rows_of(tile, kind).items()
            },
        )
        for number, _, hashes in rows:
            found[start + number].append(hashes)
    return [b"".join(hashes) for hashes in found]


def _rows_of(tile: Tile, kind: Kind) -> dict[str, int]:
    """Name the rows that hold the hashes of a tile."""
    if kind == "full":
        return {"level": tile.level, "first": tile.n}
    first = tile.n * TILE_WIDTH
    last = first + tile.width - 1
    if kind == "leaves":
        return {"first": first + 1, "last": last + 1}  # a leaf's index is one less than its position
    return {"level": tile.level - 1, "first": first, "last": last}


@lru_cache
def _reading(kinds: tuple[Kind, ...]) -> CompoundSelect[*tuple[Any, ...]]:
    """Make the statement that reads tiles of some kinds. It is kept: making it takes longer than running it."""
    statement = union_all(*(_one(number, kind) for number, kind in enumerate(kinds)))
    return statement.order_by(*statement.selected_columns[:2])


def _one(number: int, kind: Kind) -> Select[*tuple[Any, ...]]:
    """Select the number of a tile, and its hashes in their order.

    The planner does not look into a subquery, so it expects as many rows of a range whether it knows its ends or not.
    Else PostgreSQL finds the plan that it could keep too dear, and plans each proof anew.
    """
    level, first, last = (
        select(bindparam(f"{name}_{number}", type_=BigInteger)).scalar_subquery()
        for name in ("level", "first", "last")
    )
    which = literal(number).label("tile")
    if kind == "leaves":
        return select(which, event.c.position, event.c.leaf_hash).where(event.c.position.between(first, last))
    of_level = log_tile.c.level == level
    if kind == "full":
        return select(which, log_tile.c.n, log_tile.c.hashes).where(of_level, log_tile.c.n == first)
    return select(which, log_tile.c.n, log_tile.c.root).where(of_level, log_tile.c.n.between(first, last))
