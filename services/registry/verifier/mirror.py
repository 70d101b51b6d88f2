"""Evidence as a log that is served as static files (C2SP tlog-tiles): a registry's own, or anybody's.

Every full and partial tile of the tree is recomputed from the level below it. Where entries may not be read, the
leaves are taken from the tiles of level 0, which proves the tree and says nothing of what is in it.
"""

from collections.abc import Callable, Iterator

from registry.merkle.entry import MAX_ENTRY_BYTES
from registry.merkle.tiles import ENTRIES, TILE_WIDTH, tile_path, width_at
from registry.merkle.tree import HASH_BYTES, Subtree, leaf_hash, unpack
from registry.verifier.outcome import broken, malformed
from registry.verifier.walk import Progress, Tree

Fetch = Callable[[str, int], bytes]
"""Gives the content of a path, of at most so many bytes. Raises Ended."""

MAX_TILE = TILE_WIDTH * HASH_BYTES
MAX_ENTRIES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES)


def read_leaves(fetch: Fetch, size: int) -> Iterator[list[bytes]]:
    """Read the leaves of a tree, a tile at a time. Raises Ended."""
    for n in range(-(-size // TILE_WIDTH)):
        yield _hashes(fetch, 0, n, size)


def read_entries(fetch: Fetch, size: int) -> Iterator[bytes]:
    """Read the entries of a log; each tile of them must fit its tile of leaves. Raises Ended."""
    for n in range(-(-size // TILE_WIDTH)):
        path = tile_path(ENTRIES, n, width_at(0, n, size))
        entries = _cut(path, fetch(path, MAX_ENTRIES), width_at(0, n, size))
        if _hashes(fetch, 0, n, size) != [leaf_hash(entry) for entry in entries]:
            raise broken(path, "its entries are not those of the tile of leaves")
        yield from entries


def check_higher_tiles(fetch: Fetch, size: int, tree: Tree, higher: dict[int, list[bytes]]) -> None:
    """Hold every tile above the leaves against the recomputed hashes. Raises Ended."""
    for level, hashes in sorted(higher.items()):
        for start in range(0, len(hashes), TILE_WIDTH):
            n = start // TILE_WIDTH
            if _hashes(fetch, level, n, size) != hashes[start : start + TILE_WIDTH]:
                raise broken(
                    tile_path(level, n, width_at(level, n, size)), "it is not that of the tiles below it"
                )
    if tree.size != size:
        raise broken("tiles", f"they are of {tree.size} leaves, and the checkpoint is of {size}")


class Higher:
    """Collects the hashes of every level above the leaves as a tree grows."""

    def __init__(self) -> None:
        self.levels: dict[int, list[bytes]] = {}

    def take(self, subtree: Subtree, _hashes: list[bytes]) -> None:
        """Take a tile that became full: its root is a hash of the level above."""
        self.levels.setdefault(subtree.level + 1, []).append(subtree.root)


def grow(fetch: Fetch, size: int, sizes: set[int], progress: Progress) -> Tree:
    """Recompute the tree from the tiles alone. Raises Ended."""
    higher = Higher()
    tree = Tree(sizes, higher.take)
    for leaves in read_leaves(fetch, size):
        tree.extend(leaves)
        progress(tree.size, size)
    check_higher_tiles(fetch, size, tree, higher.levels)
    return tree


def _hashes(fetch: Fetch, level: int, n: int, size: int) -> list[bytes]:
    width = width_at(level, n, size)
    path = tile_path(level, n, width)
    content = fetch(path, MAX_TILE)
    if len(content) != width * HASH_BYTES:
        raise malformed(path, f"it has {len(content)} bytes, and {width} hashes have {width * HASH_BYTES}")
    return list(unpack(content))


def _cut(path: str, content: bytes, count: int) -> list[bytes]:
    """Cut a tile of entries into its entries. Raises Ended."""
    entries = []
    place = 0
    for _ in range(count):
        length = int.from_bytes(content[place : place + 2])
        entry = content[place + 2 : place + 2 + length]
        if len(content) < place + 2 + length:
            raise malformed(path, "it ends within an entry")
        entries.append(entry)
        place += 2 + length
    if place != len(content):
        raise malformed(path, f"there is more in it than {count} entries")
    return entries
