"""Sealing gives events their place; the worked example of the log format comes out to the byte."""

import json
from pathlib import Path

from registry.domain.codec import split
from registry.merkle.entry import parse_time
from registry.merkle.tree import leaf_hash
from registry.store.head import Head
from registry.store.seal import Draft, seal

EMPTY = Head("registry.test/log", 0, (), 0)


def draft(version: int) -> Draft:
    return Draft("https://a.example/", f"id-{version}", "a-stream", version, "a-type", (b"{}",))


def test_the_worked_event_of_the_format_is_sealed_to_the_byte(shared: Path) -> None:
    worked = json.loads((shared / "vectors" / "leaf.json").read_bytes())
    posted = worked["posted"]
    attrs = {"correlationid": posted["correlationid"]}
    parts = split(posted["type"], posted["data"], attrs, "3d3c7f2e-8a55-4d55-9b0a-9f0f5a3b7c33")
    assert [part.decode() for part in parts] == [part["data_utf8"] for part in worked["parts"]]
    salts = b"".join(bytes.fromhex(part["salt_hex"]) for part in worked["parts"])
    two_before = seal(EMPTY, [draft(1), draft(2)], 1).head
    sealed = seal(
        two_before,
        [Draft(posted["source"], posted["id"], posted["subject"], 3, posted["type"], parts)],
        parse_time("2026-01-02T03:04:05.000006Z"),
        random=lambda size: salts[:size],
    )
    assert sealed.entries[0].decode() == worked["entry_utf8"]
    assert sealed.leaves[0].hex() == worked["leaf_hash_hex"]


def test_every_part_has_a_fresh_salt_of_32_bytes() -> None:
    sealed = seal(EMPTY, [draft(1), draft(2)], 1)
    salts = [salt for salts in sealed.salts for salt in salts]
    assert [len(salt) for salt in salts] == [32, 32]
    assert len(set(salts)) == 2


def test_a_record_time_never_falls_below_the_one_before_it() -> None:
    first = seal(EMPTY, [draft(1)], 2_000_000)
    second = seal(first.head, [draft(2)], 1_000_000)  # the clock was set back
    assert second.recorded_at == 2_000_000
    assert seal(second.head, [draft(3)], 3_000_000).recorded_at == 3_000_000


def test_positions_follow_the_head_and_leaves_are_the_hashes_of_the_entries() -> None:
    head = seal(EMPTY, [draft(1)], 1).head
    sealed = seal(head, [draft(2), draft(3)], 1)
    assert list(sealed.positions) == [2, 3]
    assert sealed.leaves == [leaf_hash(entry) for entry in sealed.entries]
    assert sealed.head.size == 3
