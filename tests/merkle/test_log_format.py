"""The page of the log format says what the code does, figure by figure."""

import re
from base64 import b64encode
from hashlib import sha256
from pathlib import Path
from uuid import NAMESPACE_URL, UUID

import pytest

from registry.merkle.entry import commitment, encode_entry, event_uuid, parse_entry
from registry.merkle.proof import consistency_nodes, inclusion_nodes, prove_consistency, prove_inclusion
from registry.merkle.tiles import Node, tile_path
from registry.merkle.tree import EMPTY_ROOT, append, leaf_hash, node_hash, root

PAGE = (Path(__file__).parents[2] / "docs" / "log-format.md").read_text()
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def block_after(words):
    return re.search(r"^```\w*\n(.*?)\n```", PAGE[PAGE.index(words) :], re.DOTALL | re.MULTILINE)[1]


@pytest.fixture(scope="module")
def verifier():
    """The functions on the page, which share no code with the registry."""
    (source,) = (text for language, text in BLOCKS if language == "python")
    functions = {}
    exec(source, functions)
    return functions


@pytest.fixture(scope="module")
def classic():
    """The worked tree: its rows as on the page, and its perfect subtrees."""
    rows = re.findall(r"^\| (\d) \| `?(\w+)`? \| `(\w{64})` \| `(\w{64})` \|", PAGE, re.MULTILINE)
    nodes = {Node(0, int(i)): bytes.fromhex(leaf) for i, _, leaf, _ in rows}
    for level, n in ((1, 0), (1, 1), (1, 2), (2, 0)):
        nodes[Node(level, n)] = node_hash(nodes[Node(level - 1, 2 * n)], nodes[Node(level - 1, 2 * n + 1)])
    return rows, nodes


def test_the_worked_event_is_what_the_code_makes_of_it():
    uuid = UUID(block_after("Its UUID:")).bytes
    assert event_uuid("https://report-b.example/", "b-3") == uuid
    assert str(NAMESPACE_URL) in PAGE
    commitments = []
    for k, words in enumerate(("Part 0, its salt", "Part 1:", "Part 2:")):
        salt, data, committed = block_after(words).split("\n")
        commitments.append(commitment(bytes.fromhex(salt), uuid, k, data.encode()))
        assert commitments[k].hex() == committed
    entry = block_after("The entry at position 3").encode()
    parsed = parse_entry(entry)
    assert len(entry) == 326
    assert (parsed.position, parsed.version, parsed.parts) == (3, 3, tuple(commitments))
    assert encode_entry(**parsed._asdict()) == entry
    assert leaf_hash(entry).hex() == block_after("Its leaf:")
    assert b64encode(commitments[0]).decode() in PAGE


def test_the_worked_tree_is_what_the_code_makes_of_it(classic):
    rows, nodes = classic
    assert len(rows) == 7
    leaves = [leaf_hash(bytes.fromhex(entry.replace("nothing", ""))) for _, entry, _, _ in rows]
    assert [leaf.hex() for leaf in leaves] == [row[2] for row in rows]
    assert [root(append(0, (), leaves[: i + 1]).frontier).hex() for i in range(7)] == [row[3] for row in rows]
    assert EMPTY_ROOT.hex() in PAGE
    frontier = append(0, (), leaves).frontier
    assert [node.hex() for node in frontier] == block_after("The frontier of 7 leaves").split("\n")
    inclusion = prove_inclusion(2, 7, nodes)
    assert [node.hex() for node in inclusion] == block_after("The inclusion proof of leaf 2").split("\n")
    consistency = prove_consistency(3, 7, nodes)
    assert [node.hex() for node in consistency] == block_after("The consistency proof from 3").split("\n")
    assert prove_consistency(4, 7, nodes) == consistency[-1:]


def test_the_path_on_the_page_is_the_one_the_code_writes():
    assert tile_path(0, 1_234_067) == "tile/0/" + re.search(r"1234067 is `(\S+)`", PAGE)[1]


def test_the_verifier_on_the_page_accepts_every_proof_of_a_log(verifier, nodes_of):
    nodes = nodes_of(300)
    leaves = [nodes[Node(0, n)] for n in range(300)]
    roots = [root(append(0, (), leaves[:size]).frontier) for size in range(301)]
    for size in (1, 2, 7, 64, 255, 256, 257, 300):
        for index in range(size):
            proof = prove_inclusion(index, size, {node: nodes[node] for node in inclusion_nodes(index, size)})
            assert verifier["included"](index, size, leaves[index], proof) == roots[size]
        for old in range(1, size + 1):
            proof = prove_consistency(old, size, {node: nodes[node] for node in consistency_nodes(old, size)})
            assert verifier["consistent"](old, size, proof, roots[old]) == (roots[old], roots[size])


def test_the_verifier_on_the_page_refuses_proofs_of_another_length(verifier, nodes_of):
    nodes = nodes_of(300)
    inclusion = prove_inclusion(7, 300, nodes)
    consistency = prove_consistency(7, 300, nodes)
    with pytest.raises(ValueError, match="too short"):
        verifier["included"](7, 300, nodes[Node(0, 7)], inclusion[:-1])
    with pytest.raises(ValueError, match="too long"):
        verifier["included"](7, 300, nodes[Node(0, 7)], (*inclusion, inclusion[0]))
    with pytest.raises(ValueError, match="too short"):
        verifier["consistent"](7, 300, consistency[:-1], bytes(32))
    with pytest.raises(ValueError, match="too long"):
        verifier["consistent"](7, 300, (*consistency, consistency[0]), bytes(32))


def test_the_formula_on_the_page_is_the_commitment():
    data = b"x" * 300
    by_the_page = sha256(
        b"agreement-registry/part/v1\0" + bytes(32) + bytes(16) + b"\x00\x05" + b"\x00\x00\x01\x2c" + data
    )
    assert commitment(bytes(32), bytes(16), 5, data) == by_the_page.digest()
