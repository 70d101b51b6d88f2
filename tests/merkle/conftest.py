"""A small log as plain data: its leaf hashes and every perfect subtree above them."""

from collections.abc import Callable
from functools import cache

import pytest

from registry.merkle.tiles import Node
from registry.merkle.tree import leaf_hash, node_hash


@cache
def grow(size: int) -> dict[Node, bytes]:
    """Every perfect subtree of the tree whose leaf i has the two bytes of i."""
    nodes = {Node(0, n): leaf_hash(n.to_bytes(2)) for n in range(size)}
    level = 0
    while size >> (level := level + 1):
        for n in range(size >> level):
            nodes[Node(level, n)] = node_hash(
                nodes[Node(level - 1, 2 * n)], nodes[Node(level - 1, 2 * n + 1)]
            )
    return nodes


@pytest.fixture
def nodes_of() -> Callable[[int], dict[Node, bytes]]:
    return grow
