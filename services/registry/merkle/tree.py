"""The Merkle tree of RFC 6962 section 2.1 (= RFC 9162 section 2.1.1), grown at its right edge."""

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

NODE_PREFIX = b"\x01"
"""Stands before the two hashes that a node is made of, so that no entry can pass for one (RFC 9162 section 2.1.1)."""
HASH_BYTES = 32

TILE_HEIGHT = 8
"""Levels of the tree that one tile spans; a full tile holds 2**8 hashes."""

EMPTY_ROOT = sha256(b"").digest()
"""The root of the tree without leaves."""

Frontier = tuple[bytes, ...]
"""The hashes of the perfect subtrees that a tree of ``size`` leaves falls into, largest first.

There is one for each 1 bit of ``size``. It is all that growing the tree and computing its root need.
"""


class Subtree(NamedTuple):
    """A tile that became full."""

    level: int
    """Tile level: 0 for a tile of leaf hashes."""
    n: int
    """Number of the tile in its level, from 0."""
    root: bytes
    """The hash over all of it, which is hash ``n`` of the level above."""


class Appended(NamedTuple):
    frontier: Frontier
    """The frontier of the grown tree."""
    subtrees: tuple[Subtree, ...]
    """The tiles that became full, in the order in which they did: a level before the one above it."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash an entry into its leaf: SHA-256(00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two neighbours into the node above them: SHA-256(01 || left || right)."""
    return sha256(NODE_PREFIX + left + right).digest()


def append(size: int, frontier: Frontier, leaves: Iterable[bytes]) -> Appended:
    """Grow a tree of ``size`` leaves by further leaf hashes: about one node hash a leaf.

    Raises ValueError when the frontier is not one of a tree of this size.
    """
    stack = list(check_frontier(size, frontier))
    subtrees: list[Subtree] = []
    for leaf in leaves:
        node, level = leaf, 0
        while size >> level & 1:
            node = sha256(b"\x01" + stack.pop() + node).digest()
            level += 1
            if level % TILE_HEIGHT == 0:
                subtrees.append(Subtree(level // TILE_HEIGHT - 1, size >> level, node))
        stack.append(node)
        size += 1
    return Appended(tuple(stack), tuple(subtrees))


def extend(size: int, frontier: Frontier, leaf: bytes) -> Frontier:
    """Grow a tree of ``size`` leaves by one leaf hash."""
    return append(size, frontier, (leaf,)).frontier


def root(frontier: Frontier) -> bytes:
    """Compute the root of the tree with this frontier."""
    if not frontier:
        return EMPTY_ROOT
    node = frontier[-1]
    for left in frontier[-2::-1]:
        node = node_hash(left, node)
    return node


def pack(hashes: Iterable[bytes]) -> bytes:
    """Write a frontier, or the hashes of a tile, as they are stored: one after the other."""
    return b"".join(hashes)


def unpack(packed: bytes) -> tuple[bytes, ...]:
    """Read what ``pack`` wrote. Raises ValueError when it is not a whole number of hashes."""
    if len(packed) % HASH_BYTES:
        raise ValueError(f"{len(packed)} bytes are no whole number of {HASH_BYTES}-byte hashes")
    return tuple(packed[i : i + HASH_BYTES] for i in range(0, len(packed), HASH_BYTES))


def check_frontier(size: int, frontier: Frontier) -> Frontier:
    """Give the frontier back. Raises ValueError when a tree of ``size`` leaves cannot have it."""
    if size < 0 or len(frontier) != size.bit_count():
        raise ValueError(f"a frontier of {len(frontier)} hashes is not one of a tree of {size} leaves")
    if any(len(node) != HASH_BYTES for node in frontier):
        raise ValueError(f"a frontier holds hashes of {HASH_BYTES} bytes only")
    return frontier
