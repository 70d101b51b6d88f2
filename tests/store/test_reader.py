import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.event import listen, remove

from registry.merkle.proof import (
    consistency_nodes,
    inclusion_nodes,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)
from registry.merkle.tiles import Tile
from registry.merkle.tree import append, root
from registry.store.tiles import read_tiles
from store.conftest import SOURCE, Open, Opened, planned, registered


async def filled(store: Opened, events: int) -> list[bytes]:
    """Append an agreement with so many events, and give all leaves."""
    await store.append(registered("one"), *(planned("one", f"v{i}") for i in range(events - 1)))
    return [row.leaf_hash for row in store.reader.page(0, events)]


async def test_an_event_is_read_by_its_position_with_all_its_parts(opened: Open) -> None:
    async with opened() as store:
        await filled(store, 3)
        row = store.reader.event(2)
        assert row is not None
        assert (row.position, row.version, row.stream_id, row.event_id) == (2, 2, "one", "one-v0")
        assert sorted(row.parts) == [0, 1]
        assert row.joined().body["participants"][0]["person"]["name"] == "A. Person"
        assert store.reader.event(4) is None
        assert store.reader.event(0) is None


async def test_a_page_follows_a_position_and_may_be_of_one_agreement_or_of_some_types(opened: Open) -> None:
    async with opened() as store:
        await store.append(registered("one"), registered("two"), planned("two", "v1"), planned("one", "v1"))
        assert [row.position for row in store.reader.page(1, 2)] == [2, 3]
        assert [row.position for row in store.reader.page(0, 10, stream="one")] == [1, 4]
        registrations = store.reader.page(0, 10, types=["agreement.registered.v1"])
        assert [row.position for row in registrations] == [1, 2]
        assert store.reader.page(4, 10) == []


async def test_an_event_is_found_by_its_identity(opened: Open) -> None:
    async with opened() as store:
        await filled(store, 2)
        assert store.reader.position_of(SOURCE, "one-v0") == 2
        assert store.reader.position_of(SOURCE, "never") is None


async def test_parties_are_known_from_memory_and_of_others_are_read_in_one_go(opened: Open) -> None:
    both = ("pak", "slv")
    async with opened() as one, opened() as other:
        await one.append(registered("mine"), planned("mine", "v1"))
        await other.append(registered("theirs"), registered("theirs-too"))
        asked = ["mine", "theirs", "theirs-too", "nobody-knows-it"]
        with counted(one.reading) as statements:
            assert one.reader.parties(["mine"]) == {"mine": both}
        assert statements == []
        with counted(one.reading) as statements:
            assert one.reader.parties(asked) == dict.fromkeys(asked[:3], both)
        assert len(statements) == 2, "events and their parts"


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """Keep what is asked of a database."""
    statements: list[str] = []

    def keep(*given: Any) -> None:
        if given[2].startswith("SELECT"):
            statements.append(given[2])

    listen(engine, "before_cursor_execute", keep)
    yield statements
    remove(engine, "before_cursor_execute", keep)


async def test_a_record_time_resolves_to_the_last_position_recorded_by_then(opened: Open) -> None:
    async with opened() as store:
        for name in ("one", "two", "three"):
            await store.append(registered(name))
        times = [row.recorded_at for row in store.reader.page(0, 10)]
        assert times == sorted(times)
        assert store.reader.recorded_by(times[0] - 1) == 0
        assert store.reader.recorded_by(times[2]) == 3
        assert store.reader.recorded_by(times[1]) == max(p for p, t in enumerate(times, 1) if t <= times[1])


async def test_a_state_is_folded_from_what_is_committed_and_brought_up_to_date(opened: Open) -> None:
    async with opened() as here, opened() as there:
        assert here.reader.agreement("one") is None
        await there.append(registered("one"))
        first = here.reader.agreement("one")
        await there.append(planned("one", "v1"))
        second = here.reader.agreement("one")
        assert first is not None
        assert second is not None
        assert (first.version, second.version) == (1, 2)
        assert here.reader.agreement("one") is second


async def test_a_long_stream_is_read_by_pages(opened: Open) -> None:
    async with opened() as store:
        await filled(store, 1000)
        await store.append(*(planned("one", f"more-{i}") for i in range(1000)))
        events = await asyncio.to_thread(store.reader.recorded, "one")
        assert [event.version for event in events] == list(range(1, 2001))
        some = store.reader.recorded("one", after_version=1990, until=1995)
        assert [event.version for event in some] == [1991, 1992, 1993, 1994, 1995]


async def test_proofs_are_made_from_full_and_partial_tiles(opened: Open) -> None:
    async with opened() as store:
        leaves = await filled(store, 700)
        head = store.reader.head()
        assert head.root == root(append(0, (), leaves).frontier)
        for index in (0, 255, 256, 511, 512, 699):
            hashes = store.reader.hashes(inclusion_nodes(index, 700), 700)
            proof = prove_inclusion(index, 700, hashes)
            assert verify_inclusion(index, 700, leaves[index], proof, head.root)
        for old in (1, 255, 256, 300, 512, 699, 700):
            hashes = store.reader.hashes(consistency_nodes(old, 700), 700)
            proof = prove_consistency(old, 700, hashes)
            old_root = root(append(0, (), leaves[:old]).frontier)
            assert verify_consistency(old, 700, old_root, head.root, proof)


async def test_a_tile_holds_its_leaves_and_the_one_above_it_the_roots_of_the_full_ones(opened: Open) -> None:
    async with opened() as store:
        leaves = await filled(store, 600)
        assert store.reader.tile(Tile(0, 1)) == b"".join(leaves[256:512])
        assert store.reader.tile(Tile(0, 2, 88)) == b"".join(leaves[512:])
        roots = [root(append(0, (), leaves[i : i + 256]).frontier) for i in (0, 256)]
        assert store.reader.tile(Tile(1, 0, 2)) == b"".join(roots)
        assert store.reader.tile(Tile(1, 0)) == b""


async def test_a_tile_of_the_second_level_is_written_when_it_fills(opened: Open) -> None:
    """65,536 events fill 256 tiles; the recorder alone appends them quickest."""
    from eventsourcing.persistence import StoredEvent

    from registry.store.recorder import SQLAlchemyRecorder

    async with opened() as store:
        recorder = SQLAlchemyRecorder(store.writing.begin, store.reading.connect)
        leaves: list[bytes] = []
        for start in range(0, 65_540, 10_000):
            versions = range(start, min(start + 10_000, 65_540))
            positions = recorder.insert_events([StoredEvent("s", v, "t", b"{}") for v in versions])
            assert positions.sealed is not None
            leaves += positions.sealed.leaves
        level_1 = store.reader.tile(Tile(1, 0))
        assert len(level_1) == 256 * 32
        assert level_1[:32] == root(append(0, (), leaves[:256]).frontier)
        assert store.reader.tile(Tile(2, 0, 1)) == root(append(0, (), leaves[:65_536]).frontier)
        head = store.reader.head()
        hashes = store.reader.hashes(inclusion_nodes(65_000, 65_540), 65_540)
        proof = prove_inclusion(65_000, 65_540, hashes)
        assert verify_inclusion(65_000, 65_540, leaves[65_000], proof, head.root)


async def test_several_agreements_are_folded_at_once_from_memory_or_in_one_go(opened: Open) -> None:
    async with opened() as store, opened() as other:
        await store.append(registered("one"), registered("two"), registered("three"))
        kept = store.states.get("one")
        await other.append(planned("two", "v1"))
        store.states.forget("three")
        found = store.reader.agreements({"one": 1, "two": 4, "three": 3, "never": 1})
        assert {name: state.version for name, state in found.items()} == {"one": 1, "two": 2, "three": 1}
        assert found["one"] is kept
        assert store.states.get("three") is found["three"]


async def test_all_tiles_of_a_proof_are_read_in_one_statement_and_more_of_them_in_several(
    opened: Open,
) -> None:
    async with opened() as store:
        await filled(store, 700)
        tiles = [*(Tile(0, n) for n in (0, 1)), Tile(1, 0, 2), *(Tile(0, 2, width) for width in range(1, 9))]
        with counted(store.reading) as asked:
            store.reader.hashes(inclusion_nodes(300, 700), 700)
        assert len(asked) == 1
        with store.reading.connect() as connection, counted(store.reading) as asked:
            found = read_tiles(connection, tiles)
        assert len(asked) == 2
        assert [len(found[tile]) for tile in tiles] == [32 * tile.width for tile in tiles]
        assert found == {tile: store.reader.tile(tile) for tile in tiles}
