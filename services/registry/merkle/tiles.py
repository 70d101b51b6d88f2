"""Tiles: the tree cut into pieces of 256 hashes (C2SP tlog-tiles v0.1.0).

Tile ``n`` of level ``L`` holds the hashes ``256 n`` to ``256 n + 255`` of level ``8 L`` of the tree. A full
tile never changes. The last tile of a level may be partial: it then holds its first ``width`` hashes.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from hashlib import sha256
from typing import NamedTuple

from registry.merkle.tree import HASH_BYTES, NODE_PREFIX, TILE_HEIGHT

TILE_WIDTH = 1 << TILE_HEIGHT
"""Hashes in a full tile."""

ENTRIES = -1
"""The level of the tiles that hold entries instead of hashes; they go with the tiles of level 0."""

MAX_SIZE = 2**63 - 1

SHARED = 12
"""Level in the tree from which on nodes that were computed are kept."""

_PATH = re.compile(r"tile/(entries|[0-9])/((?:x[0-9]{3}/){0,6}[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")


class Node(NamedTuple):
    """A perfect subtree: the one over the ``2**level`` leaves from ``n * 2**level`` on."""

    level: int
    """Level in the tree: 0 for leaves."""
    n: int


class Tile(NamedTuple):
    level: int
    n: int
    width: int = TILE_WIDTH


def width_at(level: int, n: int, size: int) -> int:
    """Count the hashes that tile ``n`` of ``level`` holds when the tree has ``size`` leaves: 0 to 256."""
    hashes = size >> TILE_HEIGHT * max(level, 0)
    return min(max(hashes - n * TILE_WIDTH, 0), TILE_WIDTH)


def tiles_of(size: int) -> Iterator[Tile]:
    """Yield every tile of a tree of ``size`` leaves, level by level, a partial one last in its level."""
    level = 0
    while hashes := size >> TILE_HEIGHT * level:
        for n in range(hashes // TILE_WIDTH):
            yield Tile(level, n)
        if hashes % TILE_WIDTH:
            yield Tile(level, hashes // TILE_WIDTH, hashes % TILE_WIDTH)
        level += 1


def full_tiles(size: int) -> list[int]:
    """Count the full tiles of a tree of ``size`` leaves, by level; the levels without one are left out."""
    counts = []
    while size := size >> TILE_HEIGHT:
        counts.append(size)
    return counts


def tile_of(node: Node, size: int) -> Tile:
    """Name the tile, as it is in a tree of ``size`` leaves, from which a node is read."""
    level, within = divmod(node.level, TILE_HEIGHT)
    n = node.n >> TILE_HEIGHT - within
    return Tile(level, n, width_at(level, n, size))


def node_in_tile(node: Node, hashes: bytes) -> bytes:
    """Compute a node from the packed hashes of the tile that ``tile_of`` names.

    Raises ValueError when the tile does not reach that far.
    """
    span = 1 << node.level % TILE_HEIGHT
    start = node.n * span % TILE_WIDTH * HASH_BYTES
    packed = hashes[start : start + span * HASH_BYTES]
    if len(packed) != span * HASH_BYTES:
        raise ValueError(f"the tile is too short for node {node.n} of level {node.level}")
    return _shared_root(packed) if node.level >= SHARED else perfect_root(packed)


def perfect_root(packed: bytes) -> bytes:
    """Compute the root over a power of two of neighbouring hashes, such as a full tile, from the packed hashes."""
    while len(packed) > HASH_BYTES:
        pairs = (packed[i : i + 2 * HASH_BYTES] for i in range(0, len(packed), 2 * HASH_BYTES))
        packed = b"".join([sha256(NODE_PREFIX + pair).digest() for pair in pairs])
    return packed


# Kept by the hashes it is made of, so it is never that of another tree. Up here one node is in the proofs of thousands
# of leaves; without it every level of tiles costs a proof as much hashing as the lowest one. At most some 4 MB.
_shared_root = lru_cache(maxsize=4096)(perfect_root)


def tile_path(level: int, n: int, width: int = TILE_WIDTH) -> str:
    """Write the path of a tile, such as ``tile/0/x001/x234/067`` or ``tile/entries/000.p/3``."""
    digits = f"{n % 1000:03}"
    while n := n // 1000:
        digits = f"x{n % 1000:03}/{digits}"
    partial = "" if width == TILE_WIDTH else f".p/{width}"
    return f"tile/{'entries' if level == ENTRIES else level}/{digits}{partial}"


def parse_tile_path(path: str) -> Tile:
    """Read a tile path strictly: only what ``tile_path`` writes for a tree that can be. Raises ValueError."""
    match = _PATH.fullmatch(path)
    if match is None:
        raise ValueError("this is no path of a tile")
    name, digits, partial = match.groups()
    level = ENTRIES if name == "entries" else int(name)
    tile = Tile(level, int(re.sub("[x/]", "", digits)), int(partial) if partial else TILE_WIDTH)
    if tile_path(*tile) != path or tile.width > TILE_WIDTH:
        raise ValueError("the path of a tile has one spelling only")
    if (tile.n * TILE_WIDTH + tile.width) << TILE_HEIGHT * max(level, 0) > MAX_SIZE:
        raise ValueError("no tree is so large as to have this tile")
    return tile
