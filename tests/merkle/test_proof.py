import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.merkle.proof import (
    consistency_nodes,
    inclusion_nodes,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)
from registry.merkle.tiles import Node, tile_of
from registry.merkle.tree import EMPTY_ROOT, append, leaf_hash, node_hash, root

INCLUSION_OF_130 = "ac2a8f989e44d99e399db448050ff5f19757df53cfb716aa81015d3955d8163f"
CONSISTENCY_OF_130 = "9af53562930039cd48a2d314d8e9cdb1a5fadea417789bcf223ecc87c38afda9"


@pytest.fixture(scope="module")
def known():
    """The perfect subtrees over 130 leaves of one byte."""
    nodes = {Node(0, n): leaf_hash(bytes([n])) for n in range(130)}
    for level in range(1, 8):
        for n in range(130 >> level):
            nodes[Node(level, n)] = node_hash(
                nodes[Node(level - 1, 2 * n)], nodes[Node(level - 1, 2 * n + 1)]
            )
    return nodes


def roots_of(nodes, size):
    """The root of every size from 0 on."""
    frontier, roots = (), [EMPTY_ROOT]
    for n in range(size):
        frontier = append(n, frontier, [nodes[Node(0, n)]]).frontier
        roots.append(root(frontier))
    return roots


def included(nodes, index, size):
    needed = inclusion_nodes(index, size)
    return prove_inclusion(index, size, {node: nodes[node] for node in needed})


def consistent(nodes, old, new):
    needed = consistency_nodes(old, new)
    return prove_consistency(old, new, {node: nodes[node] for node in needed})


def changed(proof):
    """The proof with each of its hashes changed in turn, one dropped, one added, two swapped."""
    for i, node in enumerate(proof):
        yield (*proof[:i], bytes([node[0] ^ 1]) + node[1:], *proof[i + 1 :])
        yield (*proof[:i], node[:31], *proof[i + 1 :])
        yield (*proof[:i], *proof[i + 1 :])
        yield (*proof[:i], node, *proof[i:])
    yield (*proof, bytes(32))
    if len(proof) > 1:
        yield (proof[1], proof[0], *proof[2:])


def test_every_inclusion_path_up_to_130_leaves_has_its_known_value(known):
    seen = hashlib.sha256()
    for end in range(131):
        for start in range(end + 1):
            width = 1
            while width < end - start:
                width *= 2
            if start % width:
                continue
            for index in range(start, end):
                nodes = {
                    node: known[Node(node.level, node.n + (start >> node.level))]
                    for node in inclusion_nodes(index - start, end - start)
                }
                path = prove_inclusion(index - start, end - start, nodes)
                seen.update(f"{index} [{start}, {end}){''.join(f' {h.hex()}' for h in path)}\n".encode())
    assert seen.hexdigest() == INCLUSION_OF_130


def test_every_consistency_proof_up_to_130_leaves_has_its_known_value(known):
    seen = hashlib.sha256()
    for new in range(131):
        for old in range(new + 1):
            proof = consistent(known, old, new)
            seen.update(f"[0, {old}) {new}{''.join(f' {h.hex()}' for h in proof)}\n".encode())
    assert seen.hexdigest() == CONSISTENCY_OF_130


def test_every_proof_up_to_130_leaves_verifies(known):
    roots = roots_of(known, 130)
    for size in range(1, 131):
        for index in range(size):
            leaf = known[Node(0, index)]
            assert verify_inclusion(index, size, leaf, included(known, index, size), roots[size])
    for new in range(131):
        for old in range(new + 1):
            assert verify_consistency(old, new, roots[old], roots[new], consistent(known, old, new))


def test_every_corrupted_inclusion_proof_of_300_leaves_is_refused(nodes_of):
    nodes = nodes_of(300)
    whole = roots_of(nodes, 300)[300]
    for index in range(300):
        leaf, proof = nodes[Node(0, index)], included(nodes, index, 300)
        assert verify_inclusion(index, 300, leaf, proof, whole)
        assert not any(verify_inclusion(index, 300, leaf, bad, whole) for bad in changed(proof))
        assert not verify_inclusion(index, 300, leaf[::-1], proof, whole)
        assert not verify_inclusion(index ^ 1, 300, leaf, proof, whole)


def test_every_corrupted_consistency_proof_of_300_leaves_is_refused(nodes_of):
    nodes = nodes_of(300)
    roots = roots_of(nodes, 300)
    for old in range(1, 300):
        proof = consistent(nodes, old, 300)
        assert verify_consistency(old, 300, roots[old], roots[300], proof)
        assert not any(verify_consistency(old, 300, roots[old], roots[300], bad) for bad in changed(proof))
        assert not verify_consistency(old, 300, roots[old - 1], roots[300], proof)
        assert not verify_consistency(old, 300, roots[old], roots[299], proof)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (5, 5), (-1, 5), (6, 5)])
def test_a_leaf_that_is_not_there_has_no_proof(index, size):
    with pytest.raises(ValueError, match="has no leaf"):
        inclusion_nodes(index, size)
    assert not verify_inclusion(index, size, bytes(32), (), bytes(32))


@pytest.mark.parametrize(("old", "new"), [(-1, 5), (6, 5)])
def test_a_smaller_tree_does_not_extend_a_larger_one(old, new):
    with pytest.raises(ValueError, match="does not extend"):
        consistency_nodes(old, new)
    assert not verify_consistency(old, new, EMPTY_ROOT, EMPTY_ROOT, ())


def test_every_tree_extends_the_empty_one_and_itself(nodes_of):
    roots = roots_of(nodes_of(4), 4)
    assert verify_consistency(0, 4, EMPTY_ROOT, roots[4], ())
    assert verify_consistency(4, 4, roots[4], roots[4], ())
    assert verify_consistency(0, 0, EMPTY_ROOT, EMPTY_ROOT, ())
    assert not verify_consistency(0, 4, roots[1], roots[4], ())
    assert not verify_consistency(0, 4, EMPTY_ROOT, roots[4], (roots[4],))
    assert not verify_consistency(4, 4, roots[3], roots[4], ())
    assert not verify_consistency(0, 0, EMPTY_ROOT, roots[1], ())
    assert not verify_consistency(3, 4, roots[3], roots[4], ())


def tile_levels(size):
    """The levels of tiles that a proof can reach into."""
    return max(1, -(-(size - 1).bit_length() // 8))


def tiles_read(nodes, size):
    return {tile_of(node, size) for node in nodes}


@given(st.data())
def test_a_proof_reads_at_most_two_tiles_a_level_and_one_at_the_top(data):
    size = data.draw(st.integers(1, 100_000_000))
    index = data.draw(st.integers(0, size - 1))
    most = 2 * tile_levels(size) - 1
    assert len(tiles_read(inclusion_nodes(index, size), size)) <= most
    assert len(tiles_read(consistency_nodes(index, size), size)) <= most


@pytest.mark.parametrize(("size", "most"), [(200, 1), (60_000, 3), (1_000_000, 5), (100_000_000, 7)])
def test_a_proof_of_a_large_log_reads_few_tiles(size, most):
    assert 2 * tile_levels(size) - 1 == most
    for index in (0, 199, size // 3, size // 2, max(size - 257, 0), size - 2, size - 1):
        assert len(tiles_read(inclusion_nodes(index, size), size)) <= most
        assert len(tiles_read(consistency_nodes(index, size), size)) <= most
        assert all(tile.width > 0 for tile in tiles_read(inclusion_nodes(index, size), size))
