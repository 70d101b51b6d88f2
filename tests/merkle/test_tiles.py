import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.merkle.tiles import (
    ENTRIES,
    MAX_SIZE,
    Node,
    Tile,
    full_tiles,
    node_in_tile,
    parse_tile_path,
    perfect_root,
    tile_of,
    tile_path,
    tiles_of,
    width_at,
)
from registry.merkle.tree import append, pack


def test_a_tree_falls_into_full_tiles_and_one_partial_tile_a_level():
    assert list(tiles_of(0)) == []
    assert list(tiles_of(3)) == [Tile(0, 0, 3)]
    assert list(tiles_of(256)) == [Tile(0, 0), Tile(1, 0, 1)]
    assert list(tiles_of(600)) == [Tile(0, 0), Tile(0, 1), Tile(0, 2, 88), Tile(1, 0, 2)]
    assert len(list(tiles_of(70_000))) == 274 + 2 + 1


def test_full_tiles_are_counted_by_level():
    assert full_tiles(0) == full_tiles(255) == []
    assert full_tiles(256) == [1]
    assert full_tiles(70_000) == [273, 1]
    assert full_tiles(100_000_000) == [390_625, 1525, 5]


@given(st.integers(0, 200_000))
def test_the_full_tiles_are_those_that_appending_completes(size):
    counts = full_tiles(size)
    whole = [(tile.level, tile.n) for tile in tiles_of(size) if tile.width == 256]
    assert whole == [(level, n) for level, count in enumerate(counts) for n in range(count)]
    assert all(width_at(*tile[:2], size) == tile.width for tile in tiles_of(size))
    assert all(width_at(level, count, size) < 256 for level, count in enumerate(counts))


def test_appending_announces_the_full_tiles(nodes_of):
    nodes = nodes_of(1000)
    grown = append(0, (), [nodes[Node(0, n)] for n in range(1000)])
    assert list(grown.subtrees) == [(0, n, nodes[Node(8, n)]) for n in range(3)]
    assert len(grown.subtrees) == sum(full_tiles(1000))


def test_a_tile_of_entries_is_as_wide_as_the_tile_of_their_leaves():
    assert width_at(ENTRIES, 1, 300) == width_at(0, 1, 300) == 44
    assert width_at(ENTRIES, 2, 300) == 0


def test_every_node_is_computed_from_the_tile_that_holds_it(nodes_of):
    nodes = nodes_of(700)
    tiles = {
        tile[:2]: pack(nodes[Node(8 * tile.level, 256 * tile.n + i)] for i in range(tile.width))
        for tile in tiles_of(700)
    }
    for node, known in nodes.items():
        tile = tile_of(node, 700)
        assert len(tiles[tile[:2]]) == 32 * tile.width
        assert node_in_tile(node, tiles[tile[:2]]) == known


def test_a_node_beyond_its_tile_is_refused(nodes_of):
    with pytest.raises(ValueError, match="too short for node 1 of level 1"):
        node_in_tile(Node(1, 1), pack([bytes(32)] * 3))


def test_the_root_over_a_full_tile_is_a_node_of_the_next_level(nodes_of):
    nodes = nodes_of(512)
    assert perfect_root(pack([nodes[Node(0, n)] for n in range(256, 512)])) == nodes[Node(8, 1)]
    assert perfect_root(nodes[Node(0, 7)]) == nodes[Node(0, 7)]


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1_234_067), "tile/0/x001/x234/067"),
        (Tile(0, 0), "tile/0/000"),
        (Tile(1, 999, 255), "tile/1/999.p/255"),
        (Tile(2, 1000, 1), "tile/2/x001/000.p/1"),
        (Tile(ENTRIES, 12), "tile/entries/012"),
        (Tile(ENTRIES, 1_000_000, 8), "tile/entries/x001/x000/000.p/8"),
        (Tile(7, 0, 127), "tile/7/000.p/127"),
    ],
)
def test_the_path_of_a_tile_is_as_tlog_tiles_says(tile, path):
    assert tile_path(*tile) == path
    assert parse_tile_path(path) == tile


@given(st.integers(-1, 7), st.integers(0, 2**55), st.integers(1, 256))
def test_every_tile_that_a_tree_can_have_has_a_path(level, n, width):
    path = tile_path(level, n, width)
    if (256 * n + width) * 256 ** max(level, 0) <= MAX_SIZE:
        assert parse_tile_path(path) == (level, n, width)
    else:
        with pytest.raises(ValueError, match="no tree is so large"):
            parse_tile_path(path)


@pytest.mark.parametrize(
    "path",
    [
        "tile/0/0",
        "tile/0/0000",
        "tile/0/x000/001",
        "tile/0/001/001",
        "tile/0/x001/x001",
        "tile/0/x1/001",
        "tile/00/001",
        "tile/-1/001",
        "tile/8/000",
        "tile/64/000",
        "tile/0/001.p/0",
        "tile/0/001.p/256",
        "tile/0/001.p/300",
        "tile/0/001.p/01",
        "tile/0/001.p/",
        "tile/0/001.p",
        "tile/0/001/",
        "tile/0/001\n",
        "tile/0/\uff10\uff10\uff11",
        "tile/0/0_1",
        "/tile/0/001",
        "tile/Entries/001",
        "tile/0/" + "x999/" * 7 + "999",
        "",
    ],
)
def test_any_other_path_is_refused(path):
    with pytest.raises(ValueError, match="tile"):
        parse_tile_path(path)
