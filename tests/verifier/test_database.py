"""SQLite files of a registry: what holds, and every column, tile, checkpoint and row that does not."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from conftest import ORIGIN
from registry.verifier.database import is_sqlite
from registry.verifier.outcome import HOLDS, TAMPERED, UNAUTHENTICATED, UNREADABLE
from verifier.conftest import planned, registered
from verifier.world import World, leaf


def change(path: Path, *statements: str, **values) -> None:
    """Let somebody at a database whom no trigger stops."""
    with closing(sqlite3.connect(path)) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement, values if ":" in statement else {})
        connection.commit()


def said(report) -> str:
    return "; ".join(map(str, report.problems))


@pytest.fixture(scope="module")
def large(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A registry of 600 events, so two full tiles."""
    world = World(sqlite_template, tmp_path_factory.mktemp("large"))
    world.post(registered("a-b-1", "one"), *[planned("a-b-1", f"visit-{n}") for n in range(299)])
    world.sign()
    world.post(*[planned("a-b-1", f"visit-{n}") for n in range(299, 599)])
    world.sign(witness=True)
    yield world
    world.close()


def test_a_database_holds(check, database: Path, standing: World):
    from registry.merkle.note import parse_verifier_key

    report = check(database, witnesses=(parse_verifier_key(standing.witness_vkey),))
    assert (report.code, report.events, report.opened, report.erased) == (HOLDS, 75, 86, 1)
    assert (report.checkpoints, report.agreements) == (3, 2)
    assert report.cosigned == [("witness.example/w", 1_800_000_000)]


def test_an_empty_database_holds_and_is_signed_by_nobody(check, world: World):
    report = check(world.path)
    assert (report.code, report.size, report.checkpoints) == (UNAUTHENTICATED, 0, 0)
    assert "the log has signed no checkpoint" in said(report)


def test_events_behind_the_last_checkpoint_are_under_no_signature(check, world: World):
    world.post(registered("a-b-1", "one"))
    world.sign()
    world.post(planned("a-b-1", "two"), planned("a-b-1", "three"))
    report = check(world.path, keys=(world.key.verifier_key(ORIGIN),))
    assert report.code == UNAUTHENTICATED
    assert said(report) == "position 3: 2 events behind the last checkpoint, of 1, are under no signature"


CHANGES = [
    (
        "UPDATE event SET entry = CAST(entry || x'20' AS BLOB) WHERE position = 9",
        "position 9: its entry does not hold",
    ),
    (
        "UPDATE event SET entry = CAST(entry AS TEXT) WHERE position = 9",
        "its position or its entry cannot be read",
    ),
    ("UPDATE event SET leaf_hash = zeroblob(32) WHERE position = 9", "position 9: its leaf hash"),
    ("UPDATE event SET source = 'x' WHERE position = 9", "position 9: its column source differs"),
    ("UPDATE event SET event_id = 'x' WHERE position = 9", "position 9: its column event_id differs"),
    ("UPDATE event SET stream_id = 'x' WHERE position = 9", "position 9: its column stream_id differs"),
    ("UPDATE event SET version = 99 WHERE position = 9", "position 9: its column version differs"),
    ("UPDATE event SET type = CAST(x'ff' AS TEXT) WHERE position = 9", "position 9: its column type differs"),
    ("UPDATE event SET recorded_at = 1 WHERE position = 9", "position 9: its column recorded_at differs"),
    ("UPDATE event SET position = 99 WHERE position = 9", "position 9: a part"),
    ("DELETE FROM event WHERE position = 75", "part stands there that belongs to no event"),
    ("DELETE FROM event WHERE position = 9", "position 9: a part stands there"),
    ("UPDATE event_part SET data = x'7b7d' WHERE position = 9", "position 9: part 0 does not fit"),
    ("UPDATE event_part SET salt = 'x' WHERE position = 9", "position 9: part 0 cannot be read"),
    ("UPDATE event_part SET part_no = 1 WHERE position = 9", "position 9: part 1 is none of its 1 parts"),
    ("DELETE FROM event_part WHERE position = 9", "position 9: part 0 is missing and no later event"),
    ("INSERT INTO event_part VALUES (0, 0, x'00', x'00')", "position 0: a part stands there"),
    ("INSERT INTO event_part VALUES (99, 0, x'00', x'00')", "position 99: a part stands there"),
    ("INSERT INTO event_part VALUES (22, 1, zeroblob(32), x'00')", "position 22: part 1 does not fit"),
    ("UPDATE log_head SET size = 74", "the head: it counts 74 events, and there are 75"),
    ("UPDATE log_head SET frontier = zeroblob(128)", "the head: its frontier"),
    ("UPDATE log_head SET recorded_at = 1", "the head: its record time"),
    ("UPDATE log_head SET size = 'x'", "the head: it is not one row"),
    ("DELETE FROM log_head", "the head: it is not one row"),
    ("INSERT INTO log_tile VALUES (0, 7, x'00', x'00')", "tiles: there are 1, and 75 events fill 0"),
    ("UPDATE log_checkpoint SET root = zeroblob(32) WHERE size = 22", "checkpoint 22: its root is not that"),
    ("UPDATE log_checkpoint SET size = 23 WHERE size = 22", "checkpoint 23: its root is not that"),
    ("UPDATE log_checkpoint SET size = 99 WHERE size = 75", "checkpoint 99: its root is not that"),
    ("UPDATE log_checkpoint SET root = x'00' WHERE size = 22", "checkpoint 22: it is no size and root"),
    ("UPDATE log_signature SET signature = zeroblob(64) WHERE size = 22", "checkpoint 22: the signature of"),
    ("UPDATE log_signature SET signature = zeroblob(64) WHERE size = 75", "checkpoint 75: the signature of"),
    ("UPDATE log_signature SET signature = 'x' WHERE size = 22", "checkpoint 22: a signature on it cannot"),
    (
        "UPDATE log_signature SET time = -1 WHERE size = 75 AND time > 0",
        "checkpoint 75: a cosignature has no such time",
    ),
]


@pytest.mark.parametrize(("statement", "why"), CHANGES, ids=[why for _, why in CHANGES])
def test_a_change_is_found_and_its_place_is_named(check, database: Path, statement: str, why: str):
    change(database, statement)
    report = check(database)
    assert report.code == TAMPERED
    assert why in said(report)


def test_a_log_whose_last_checkpoint_lost_its_signature_falls_back_to_the_one_before(check, database: Path):
    change(database, "DELETE FROM log_signature WHERE size = 75")
    report = check(database)
    assert report.code == UNAUTHENTICATED
    assert "22 events behind the last checkpoint, of 53" in said(report)


def test_two_rows_of_one_part_are_found(check, database: Path):
    change(
        database,
        "CREATE TABLE other AS SELECT * FROM event_part",
        "DROP TABLE event_part",
        "ALTER TABLE other RENAME TO event_part",
        "INSERT INTO event_part SELECT * FROM event_part WHERE position = 9",
    )
    assert said(check(database)) == "position 9: part 0 cannot be read, or stands twice"


def test_versions_times_and_identities_are_held_against_each_other(check, database: Path):
    from registry.merkle.entry import encode_entry, parse_entry

    with closing(sqlite3.connect(database)) as connection:
        read = "SELECT entry FROM event WHERE position IN (5, 9) ORDER BY position"
        earlier, good = [parse_entry(entry) for (entry,) in connection.execute(read)]
    for forged, why in (
        (good._replace(version=99), "it has version 99 of pak-slv-2025-digital-assets, which was at 7"),
        (good._replace(recorded_at=1), "its record time is before that of the event before it"),
        (good._replace(id=earlier.id), "an earlier event has the same source and id"),
    ):
        written = encode_entry(**forged._asdict())
        copy = shutil.copy(database, database.with_name("forged.db"))
        change(
            copy,
            "DROP INDEX IF EXISTS event_identity",
            "CREATE TABLE other AS SELECT * FROM event",
            "DROP TABLE event",
            "ALTER TABLE other RENAME TO event",
            "UPDATE event SET entry = :entry, leaf_hash = :leaf, version = :version, recorded_at = :rec, "
            "event_id = :id WHERE position = 9",
            entry=written,
            leaf=leaf(written),
            version=forged.version,
            rec=forged.recorded_at,
            id=forged.id,
        )
        assert why in said(check(copy))


def test_a_missing_part_is_named_before_what_breaks_behind_it(check, database: Path):
    change(
        database,
        "DELETE FROM event_part WHERE position = 5",
        "UPDATE event SET leaf_hash = zeroblob(32) WHERE position = 9",
    )
    assert "position 5: part 0 is missing" in said(check(database))


def test_full_tiles_are_recomputed(check, large: World, tmp_path: Path):
    key = (large.key.verifier_key(ORIGIN),)
    assert check(large.path, keys=key).code == HOLDS
    for statement, why in (
        ("UPDATE log_tile SET root = zeroblob(32) WHERE n = 1", "tile 0/1: it is not that of the events"),
        ("UPDATE log_tile SET hashes = zeroblob(8192) WHERE n = 0", "tile 0/0: it is not that of the events"),
        ("DELETE FROM log_tile WHERE n = 0", "tile 0/0: it is missing"),
    ):
        copy = large.copy(tmp_path / "copy.db")
        change(copy, statement)
        assert said(check(copy, keys=key)) == why
    pages: list[tuple[int, int]] = []
    check(large.path, keys=key, progress=lambda done, total: pages.append((done, total)))
    assert pages[-1] == (600, 600)


def test_a_database_that_is_none_of_a_registry_cannot_be_read(check, tmp_path: Path):
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE t (a)")
    report = check(path)
    assert (report.code, "no such table" in said(report)) == (UNREADABLE, True)


def test_a_damaged_file_cannot_be_read(check, database: Path):
    content = database.read_bytes()
    database.write_bytes(content[:100] + bytes(4000) + content[4100:])
    assert check(database).code in (UNREADABLE, TAMPERED)
    database.write_bytes(content[:100])
    assert check(database).code == UNREADABLE


def test_a_database_alone_in_a_place_where_nothing_may_be_written_is_read(
    check, database: Path, tmp_path: Path
):
    folder = tmp_path / "kept"
    folder.mkdir()
    copy = Path(shutil.copy(database, folder / "registry.db"))
    with closing(sqlite3.connect(copy)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
    before = copy.read_bytes()
    folder.chmod(0o500)
    copy.chmod(0o400)
    try:
        assert check(copy).code == HOLDS
    finally:
        folder.chmod(0o700)
    assert copy.read_bytes() == before


def test_a_file_that_is_none_of_sqlite_is_told(tmp_path: Path):
    (tmp_path / "x").write_bytes(b"SQLite format 2")
    assert not is_sqlite(tmp_path / "x")
