import hashlib
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.merkle.tree import (
    EMPTY_ROOT,
    append,
    check_frontier,
    extend,
    leaf_hash,
    node_hash,
    pack,
    root,
    unpack,
)

# The classic RFC 6962 test tree: its leaves, and the root after each of them.
LEAVES = [
    "",
    "00",
    "10",
    "2021",
    "3031",
    "40414243",
    "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
]
LEAF_HASHES = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "0298d122906dcfc10892cb53a73992fc5b9f493ea4c9badb27b791b4127a7fe7",
    "07506a85fd9dd2f120eb694f86011e5bb4662e5c415a62917033d4a9624487e7",
    "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "4271a26be0d8a84f0bd54c8c302e7cb3a3b5d1fa6780a40bcce2873477dab658",
    "b08693ec2e721597130641e8211e7eedccb4c26413963eee6c1e2ed16ffb1a5f",
    "46f6ffadd3d06a09ff3c5860d2755c8b9819db7df44251788c7d8e3180de8eb1",
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
ROOTS_OF_130 = "b82806ad4265bb151c1119c0f4db437bb4d1a1f887b3a7fba1cd4ebf552e3e81"


def leaves_of(size):
    return [leaf_hash(n.to_bytes(4)) for n in range(size)]


def root_by_the_book(leaves):
    """MTH of RFC 6962 section 2.1, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else hashlib.sha256().digest()
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return node_hash(root_by_the_book(leaves[:k]), root_by_the_book(leaves[k:]))


def test_the_classic_tree_has_its_known_leaves_and_roots():
    leaves = [leaf_hash(bytes.fromhex(data)) for data in LEAVES]
    assert [leaf.hex() for leaf in leaves] == LEAF_HASHES
    assert [root(append(0, (), leaves[:size]).frontier).hex() for size in range(9)] == ROOTS


def test_every_subtree_root_up_to_130_leaves_has_its_known_value():
    leaves = [leaf_hash(bytes([i])) for i in range(130)]
    seen = hashlib.sha256()
    for end in range(131):
        for start in range(end + 1):
            width = 1
            while width < end - start:
                width *= 2
            if start == end or start % width == 0:
                subtree = root(append(0, (), leaves[start:end]).frontier)
                seen.update(f"[{start}, {end}) {subtree.hex()}\n".encode())
    assert seen.hexdigest() == ROOTS_OF_130


def test_the_empty_tree_has_the_hash_of_nothing_as_its_root():
    assert root(()) == EMPTY_ROOT == hashlib.sha256(b"").digest()


def test_a_frontier_has_one_hash_for_each_bit_of_the_size():
    frontier = ()
    for size, leaf in enumerate(leaves_of(600)):
        frontier = extend(size, frontier, leaf)
        assert len(frontier) == (size + 1).bit_count()


@given(cuts=st.lists(st.integers(0, 1000), max_size=6))
def test_appending_in_any_batches_gives_the_tree_of_the_book(cuts):
    leaves = leaves_of(1000)
    frontier, subtrees = (), []
    for start, end in pairwise(sorted({0, *cuts, 1000})):
        grown = append(start, frontier, leaves[start:end])
        frontier = grown.frontier
        subtrees += grown.subtrees
    assert root(frontier) == root_by_the_book(leaves)
    assert subtrees == [(0, n, root_by_the_book(leaves[256 * n : 256 * n + 256])) for n in range(3)]


def test_a_tile_of_the_second_level_is_announced_after_the_last_tile_below_it():
    leaves = leaves_of(1) * (256 * 256 + 1)
    grown = append(0, (), leaves)
    assert [(level, n) for level, n, _ in grown.subtrees] == [*((0, n) for n in range(256)), (1, 0)]
    assert grown.subtrees[-1].root == grown.frontier[0]


@pytest.mark.parametrize(
    ("size", "frontier"), [(0, (bytes(32),)), (1, ()), (3, (bytes(32),)), (-1, ()), (1, (bytes(31),))]
)
def test_a_frontier_of_another_size_is_refused(size, frontier):
    with pytest.raises(ValueError, match="a frontier"):
        check_frontier(size, frontier)
    with pytest.raises(ValueError, match="a frontier"):
        append(size, frontier, [bytes(32)])


def test_hashes_are_packed_one_after_the_other():
    hashes = tuple(leaves_of(5))
    assert unpack(pack(hashes)) == hashes
    assert unpack(b"") == ()
    with pytest.raises(ValueError, match="no whole number"):
        unpack(bytes(33))
