"""A campaign of tampering, by somebody whom no trigger stops: each change is found, and its place is named."""

import os
from collections.abc import Callable
from random import Random
from typing import Any

import pytest
from sqlalchemy import Engine, exc, text

from registry.audit.verify import verify
from registry.merkle.tiles import Tile

TIMES = 100 if os.environ.get("CAMPAIGN") == "full" else 10
"""Changes of each kind on each database."""

SIZE = 300
HEAD = {"head"}
TILE = {"tile 0/0"}


class Vandal:
    """Picks what to change by a seed, changes it, and says which places may be named for it."""

    def __init__(self, attacker, erased: dict[int, list[int]], random: Random) -> None:
        self.attacker = attacker
        self.random = random
        self.rests_on = {at: position for position, tombstones in erased.items() for at in tombstones}
        self.erased = erased

    def at(self, *positions: int) -> set[str]:
        """The first of some positions, or the event whose erasure one of them is the tombstone of."""
        named = {min(positions), *(self.rests_on[at] for at in positions if at in self.rests_on)}
        return {f"position {position}" for position in named}

    def one(self, query: str) -> Any:
        with self.attacker.engine.connect() as connection:
            return self.random.choice(connection.execute(text(query)).all())

    def flip(self, table: str, column: str, where: str = "1 = 1") -> None:
        """Change one byte of a value to another."""
        (value,) = self.one(f"SELECT {column} FROM {table} WHERE {where}")
        new, bound = ":new", self.flipped(value)
        if isinstance(value, str):
            if self.attacker.engine.dialect.name == "sqlite":
                new = "CAST(:new AS TEXT)"
            else:
                bound = bound.decode()
        self.attacker.run(f"UPDATE {table} SET {column} = {new} WHERE {where}", new=bound)

    def flipped(self, value: bytes | int | str) -> Any:
        if isinstance(value, int):
            return int.from_bytes(self.flipped(value.to_bytes(8, signed=True)), signed=True)
        changed = bytearray(value.encode() if isinstance(value, str) else value)
        changed[self.random.randrange(len(changed))] ^= self.random.randrange(1, 256)
        return bytes(changed)

    def positions(self, count: int) -> list[int]:
        return sorted(self.random.sample(range(1, SIZE + 1), count))


def a_byte_of_an_entry(vandal: Vandal) -> set[str]:
    (position,) = vandal.positions(1)
    vandal.flip("event", "entry", f"position = {position}")
    return vandal.at(position)


def a_byte_of_a_leaf_hash(vandal: Vandal) -> set[str]:
    (position,) = vandal.positions(1)
    vandal.flip("event", "leaf_hash", f"position = {position}")
    return vandal.at(position)


def a_byte_of_another_column(vandal: Vandal) -> set[str]:
    (position,) = vandal.positions(1)
    column = vandal.random.choice(
        ["position", "source", "event_id", "stream_id", "version", "type", "recorded_at"]
    )
    vandal.flip("event", column, f"position = {position}")
    return vandal.at(position)


def a_byte_of_a_salt(vandal: Vandal) -> set[str]:
    position, k = vandal.one("SELECT position, part_no FROM event_part ORDER BY position, part_no")
    vandal.flip("event_part", "salt", f"position = {position} AND part_no = {k}")
    return vandal.at(position)


def a_byte_of_a_part(vandal: Vandal) -> set[str]:
    position, k = vandal.one("SELECT position, part_no FROM event_part ORDER BY position, part_no")
    vandal.flip("event_part", "data", f"position = {position} AND part_no = {k}")
    return vandal.at(position)


def a_byte_of_a_tile(vandal: Vandal) -> set[str]:
    vandal.flip("log_tile", vandal.random.choice(["hashes", "root"]))
    return TILE


def a_byte_of_the_head(vandal: Vandal) -> set[str]:
    vandal.flip("log_head", vandal.random.choice(["size", "frontier", "recorded_at"]))
    return HEAD


def a_row_less(vandal: Vandal) -> set[str]:
    table = vandal.random.choice(["event", "event_part", "event_part", "log_tile", "log_head"])
    if table == "log_tile":
        vandal.attacker.run("DELETE FROM log_tile")
        return TILE
    if table == "log_head":
        vandal.attacker.run("DELETE FROM log_head")
        return HEAD
    position, k = vandal.one("SELECT position, part_no FROM event_part ORDER BY position, part_no")
    which = f"position = {position}" + (f" AND part_no = {k}" if table == "event_part" else "")
    vandal.attacker.run(f"DELETE FROM {table} WHERE {which}")
    return vandal.at(position)


def a_row_more(vandal: Vandal) -> set[str]:
    table = vandal.random.choice(["event", "part of an event", "erased part", "part of no event", "log_tile"])
    (position,) = vandal.positions(1)
    beyond = SIZE + vandal.random.randrange(1, 1000)
    if table == "event":
        vandal.attacker.run(
            f"INSERT INTO event SELECT {beyond}, source, 'another', 'another', 1, type, recorded_at, entry, "
            f"leaf_hash FROM event WHERE position = {position}"
        )
        return {f"position {beyond}"}
    if table == "log_tile":
        level, n = vandal.random.choice([(0, 1), (0, 2), (1, 0), (2, 5), (7, 1)])
        vandal.attacker.run(f"INSERT INTO log_tile SELECT {level}, {n}, hashes, root FROM log_tile")
        return {f"tile {level}/{n}"}
    to, k = beyond, 0
    if table == "part of an event":
        to, k = vandal.positions(1)[0], vandal.random.randrange(3, 1000)
    elif table == "erased part":
        to, k = vandal.random.choice(sorted(vandal.erased)), vandal.random.choice([1, 2])
    vandal.attacker.run(
        f"INSERT INTO event_part SELECT {to}, {k}, salt, data FROM event_part "
        f"WHERE position = {position} AND part_no = 0"
    )
    return {f"position {to}"}


def two_rows_exchanged(vandal: Vandal) -> set[str]:
    first, second = vandal.positions(2)
    what = vandal.random.choice(["events", "events with their parts", "entries", "parts"])
    tables = {"events": ["event"], "parts": ["event_part"]}.get(what, ["event", "event_part"])
    if what == "entries":
        vandal.attacker.run(
            *[
                f"UPDATE event SET {column} = (SELECT other.{column} FROM kept_event AS other WHERE "
                f"other.position = {first} + {second} - event.position) WHERE position IN ({first}, {second})"
                for column in ("entry", "leaf_hash")
            ]
        )
    else:
        for table in tables:
            vandal.attacker.run(
                f"UPDATE {table} SET position = 1000000 WHERE position = {first}",
                f"UPDATE {table} SET position = {first} WHERE position = {second}",
                f"UPDATE {table} SET position = {second} WHERE position = 1000000",
            )
    return vandal.at(first, second)


KINDS: list[Callable[[Vandal], set[str]]] = [
    a_byte_of_an_entry,
    a_byte_of_a_leaf_hash,
    a_byte_of_another_column,
    a_byte_of_a_salt,
    a_byte_of_a_part,
    a_byte_of_a_tile,
    a_byte_of_the_head,
    a_row_less,
    a_row_more,
    two_rows_exchanged,
]


def tampered(kind, attacker, erased, seed: str) -> set[str]:
    """Tamper once. What a constraint of the table refuses is tried again elsewhere."""
    random = Random(seed)
    while True:
        try:
            return kind(Vandal(attacker, erased, random))
        except (exc.IntegrityError, exc.DataError, UnicodeDecodeError):
            attacker.restore()


@pytest.mark.campaign
@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_tampering_is_found_and_its_place_named(kind, attacker, written_log, auditor: Engine):
    for time in range(TIMES):
        attacker.restore()
        seed = f"{kind.__name__} {time}"
        places = tampered(kind, attacker, written_log.erased, seed)
        finding = verify(auditor).finding
        assert finding is not None, f"{seed}: not found"
        assert finding.place in places, f"{seed}: {finding} instead of {places}"
    attacker.restore()
    assert verify(auditor).ok


LEVELS = [(0, 0), (0, 24), (1, 0), (1, 5), (2, 0)]


@pytest.fixture
def small_tiles(monkeypatch):
    """Tiles of 4 hashes instead of 256: a hundred events fill tiles of three levels."""
    for module in ("merkle.tree", "merkle.tiles"):
        monkeypatch.setattr(f"registry.{module}.TILE_HEIGHT", 2)
    for module in ("merkle.tiles", "store.tiles", "audit.verify"):
        monkeypatch.setattr(f"registry.{module}.TILE_WIDTH", 4)
    monkeypatch.setattr(Tile.__new__, "__defaults__", (4,))


@pytest.mark.usefixtures("small_tiles")
def test_tampering_with_tiles_of_every_level_is_found(sqlite_log, attacking):
    sqlite_log.append(100)
    attacker = attacking(sqlite_log)
    attacker.keep()
    assert verify(sqlite_log.engine).tiles == 25 + 6 + 1
    random = Random("levels")
    for level, n in LEVELS:
        which = f"level = {level} AND n = {n}"
        for change in ("hashes", "root", "nothing left"):
            attacker.restore()
            if change == "nothing left":
                attacker.run(f"DELETE FROM log_tile WHERE {which}")
            else:
                Vandal(attacker, {}, random).flip("log_tile", change, which)
            assert verify(sqlite_log.engine).finding.place == f"tile {level}/{n}"


@pytest.mark.usefixtures("small_tiles")
def test_a_finding_names_the_tile_below_that_another_one_belies(sqlite_log, attacking):
    sqlite_log.append(100)
    hashes = bytes(4 * 32)
    attacking(sqlite_log).run("UPDATE log_tile SET hashes = :hashes WHERE level = 1 AND n = 2", hashes=hashes)
    assert str(verify(sqlite_log.engine).finding) == "tile 1/2: its hash 8 is not the root of tile 0/8"
