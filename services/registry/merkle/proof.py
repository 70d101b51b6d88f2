"""Inclusion and consistency proofs (RFC 9162 sections 2.1.3 and 2.1.4, as in RFC 6962 section 2.1).

Making a proof takes three steps, so that no reading happens in here: ask which nodes it needs, read them at
once, combine them. A proof is a list of hashes, each over a range of leaves; a range at the right edge of the
tree is no perfect subtree, so it is put together from several that are.
"""

from collections.abc import Iterator, Mapping, Sequence

from registry.merkle.tiles import Node
from registry.merkle.tree import EMPTY_ROOT, node_hash

Proof = tuple[bytes, ...]

_Range = tuple[int, int]
"""Leaves from the first to before the second."""


def inclusion_nodes(index: int, size: int) -> list[Node]:
    """List the nodes that a proof of leaf ``index`` (from 0) in a tree of ``size`` leaves is made from.

    Raises ValueError when there is no such leaf.
    """
    return [node for lo, hi in _inclusion_ranges(index, size) for node in subtrees(lo, hi)]


def consistency_nodes(old: int, new: int) -> list[Node]:
    """List the nodes that a proof that size ``new`` extends size ``old`` is made from.

    Raises ValueError when ``old`` is negative or larger than ``new``.
    """
    return [node for lo, hi in _consistency_ranges(old, new) for node in subtrees(lo, hi)]


def prove_inclusion(index: int, size: int, hashes: Mapping[Node, bytes]) -> Proof:
    """Combine the nodes of ``inclusion_nodes`` into the path from the leaf to the root."""
    return tuple([range_root(lo, hi, hashes) for lo, hi in _inclusion_ranges(index, size)])


def prove_consistency(old: int, new: int, hashes: Mapping[Node, bytes]) -> Proof:
    """Combine the nodes of ``consistency_nodes``; from size 0, and from a size to itself, it is empty."""
    return tuple([range_root(lo, hi, hashes) for lo, hi in _consistency_ranges(old, new)])


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether the proof shows the leaf hash at ``index`` under ``root`` (RFC 9162 section 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    node, last = leaf, size - 1
    for sibling in proof:
        if last == 0 or len(sibling) != len(root):
            return False
        if index & 1 or index == last:
            node = node_hash(sibling, node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            node = node_hash(node, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether the proof shows that ``new_root`` extends ``old_root`` (RFC 9162 section 2.1.4.2).

    Every tree extends the empty one, and itself, with an empty proof.
    """
    if not 0 < old < new:
        expected = EMPTY_ROOT if old == 0 else new_root
        return 0 <= old <= new and not proof and old_root == expected and (new > 0 or new_root == EMPTY_ROOT)
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path or any(len(node) != len(new_root) for node in path):
        return False
    index, last = old - 1, new - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    old_node = new_node = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if index & 1 or index == last:
            old_node = node_hash(sibling, old_node)
            new_node = node_hash(sibling, new_node)
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            new_node = node_hash(new_node, sibling)
        index, last = index >> 1, last >> 1
    return last == 0 and old_node == old_root and new_node == new_root


def subtrees(lo: int, hi: int) -> Iterator[Node]:
    """Yield the perfect subtrees that leaves ``lo`` to before ``hi`` fall into, largest first.

    ``lo`` must be a multiple of the smallest power of two that is not below ``hi - lo``, as it is for every
    range of a proof.
    """
    while lo < hi:
        level = (hi - lo).bit_length() - 1
        yield Node(level, lo >> level)
        lo += 1 << level


def range_root(lo: int, hi: int, hashes: Mapping[Node, bytes]) -> bytes:
    """Compute the hash over such a range from its perfect subtrees."""
    smallest, *larger = reversed(list(subtrees(lo, hi)))
    root = hashes[smallest]
    for node in larger:
        root = node_hash(hashes[node], root)
    return root


def _inclusion_ranges(index: int, size: int) -> list[_Range]:
    if not 0 <= index < size:
        raise ValueError(f"a tree of {size} leaves has no leaf {index}")
    siblings = []
    lo, hi = 0, size
    while hi - lo > 1:
        middle = lo + _split(hi - lo)
        if index < middle:
            siblings.append((middle, hi))
            hi = middle
        else:
            siblings.append((lo, middle))
            lo = middle
    return siblings[::-1]


def _consistency_ranges(old: int, new: int) -> list[_Range]:
    if not 0 <= old <= new:
        raise ValueError(f"size {new} does not extend size {old}")
    if old in (0, new):
        return []
    siblings = []
    lo, hi = 0, new
    while hi != old:
        middle = lo + _split(hi - lo)
        if old <= middle:
            siblings.append((middle, hi))
            hi = middle
        else:
            siblings.append((lo, middle))
            lo = middle
    if lo:
        siblings.append((lo, hi))
    return siblings[::-1]


def _split(width: int) -> int:
    """Give the largest power of two below ``width``."""
    return 1 << (width - 1).bit_length() - 1
