import tracemalloc

import pytest
from sqlalchemy import Engine, exc
from sqlalchemy import event as hooks

from registry.audit.report import Finding
from registry.audit.verify import verify
from registry.errors import Unavailable
from registry.merkle.tree import EMPTY_ROOT, append, leaf_hash, pack
from registry.store.database import open_reader


def test_a_log_that_was_only_appended_to_holds(written_log, auditor: Engine):
    steps = []
    report = verify(auditor, lambda done, total: steps.append((done, total)))
    assert report.finding is None
    assert report.ok
    assert (report.origin, report.events, report.root) == ("registry.test/log", 300, written_log.root())
    assert (report.tiles, report.checkpoints, report.erased) == (1, 4, 6)
    assert report.parts == sum(len(written_log.parts(position)) for position in range(1, 301))
    assert steps == [(256, 300), (300, 300)]


def test_an_empty_log_holds(log, reading: Engine):
    assert verify(reading).root == EMPTY_ROOT
    log.sign()
    report = verify(reading)
    assert report.ok
    assert (report.events, report.checkpoints) == (0, 1)


def test_a_finding_says_where_and_what():
    finding = Finding("tile", "0/3", "it is missing")
    assert str(finding) == "tile 0/3: it is missing"
    assert Finding("head", "", "gone").place == "head"


ATTACKS = {
    "a leaf hash changed": (
        "UPDATE event SET leaf_hash = :zero WHERE position = 7",
        "position 7: its leaf hash is not that of its entry",
    ),
    "an entry changed": (
        "UPDATE event SET entry = :zero WHERE position = 7",
        "position 7: its leaf hash is not that of its entry",
    ),
    "a column changed": (
        "UPDATE event SET recorded_at = recorded_at + 1 WHERE position = 7",
        "position 7: its column recorded_at differs from its entry",
    ),
    "a stream changed": (
        "UPDATE event SET stream_id = 'another' WHERE position = 7",
        "position 7: its column stream_id differs from its entry",
    ),
    "an event moved": (
        "UPDATE event SET position = 1000 WHERE position = 7",
        "position 7: the event is missing",
    ),
    "an event deleted": ("DELETE FROM event WHERE position = 7", "position 7: the event is missing"),
    "the last event deleted": (
        "DELETE FROM event WHERE position = 300",
        "position 300: the event is missing",
    ),
    "an event added": (
        (
            "INSERT INTO event SELECT 301, source, 'another', 'another', 1, type, recorded_at, entry, leaf_hash "
            "FROM event WHERE position = 300"
        ),
        "position 301: it lies beyond the head",
    ),
    "a part changed": (
        "UPDATE event_part SET data = :zero WHERE position = 8 AND part_no = 2",
        "position 8: part 2 does not fit its commitment",
    ),
    "a salt shortened": (
        "UPDATE event_part SET salt = :zero WHERE position = 8 AND part_no = 2",
        "position 8: part 2 does not fit its commitment",
    ),
    "a part deleted": (
        "DELETE FROM event_part WHERE position = 8 AND part_no = 1",
        "position 8: part 1 is missing and no later event says that it was erased",
    ),
    "a part added": (
        "INSERT INTO event_part SELECT position, 3, salt, data FROM event_part WHERE position = 8 AND part_no = 2",
        "position 8: part 3 is none of its 3 parts",
    ),
    "a part of no event": (
        "INSERT INTO event_part SELECT 301, 0, salt, data FROM event_part WHERE position = 8 AND part_no = 2",
        "position 301: it lies beyond the head",
    ),
    "a part before the first event": (
        "INSERT INTO event_part SELECT 0, 0, salt, data FROM event_part WHERE position = 8 AND part_no = 2",
        "position 0: it lies beyond the head",
    ),
    "two parts exchanged": (
        (
            "UPDATE event_part SET part_no = 100 + part_no WHERE position = 8; "
            "UPDATE event_part SET part_no = 102 - part_no WHERE position = 8"
        ),
        "position 8: part 0 does not fit its commitment",
    ),
    "a tile deleted": ("DELETE FROM log_tile", "tile 0/0: it is missing"),
    "the root of a tile changed": (
        "UPDATE log_tile SET root = :zero",
        "tile 0/0: its root is not that of its hashes",
    ),
    "a tile cut short": ("UPDATE log_tile SET hashes = :zero", "tile 0/0: it does not hold 256 hashes"),
    "a tile too many": (
        "INSERT INTO log_tile SELECT 0, 1, hashes, root FROM log_tile",
        "tile 0/1: it lies beyond the head",
    ),
    "a tile of a level too many": (
        "INSERT INTO log_tile SELECT 1, 0, hashes, root FROM log_tile",
        "tile 1/0: it lies beyond the head",
    ),
    "a tile of no level": (
        "INSERT INTO log_tile SELECT -1, 0, hashes, root FROM log_tile",
        "tile -1/0: it lies beyond the head",
    ),
    "the head deleted": ("DELETE FROM log_head", "head: it is one row, and there are 0"),
    "the size changed": (
        "UPDATE log_head SET size = 299",
        "head: its size and frontier do not belong together",
    ),
    "the size grown": (
        "UPDATE log_head SET size = 326",
        "head: it counts 326 events and its frontier is that of 300",
    ),
    "the size shrunk": (
        "UPDATE log_head SET size = 291",
        "head: its frontier is not that of the 291 events recorded",
    ),
    "the frontier cut": ("UPDATE log_head SET frontier = :zero", "head: its size and frontier"),
    "the record time of the head changed": (
        "UPDATE log_head SET recorded_at = recorded_at + 1",
        "head: its record time is not that of the last event",
    ),
    "a checkpoint changed": (
        "UPDATE log_checkpoint SET root = :zero WHERE size = 100",
        "checkpoint 100: its root is not that of the first 100 events",
    ),
    "the checkpoint of nothing changed": (
        "UPDATE log_checkpoint SET root = :zero WHERE size = 0",
        "checkpoint 0: its root is not that of the first 0 events",
    ),
    "a checkpoint of a larger log": (
        "UPDATE log_checkpoint SET size = 301 WHERE size = 300",
        "checkpoint 301: it lies beyond the head",
    ),
    "a checkpoint of no log": (
        "UPDATE log_checkpoint SET size = -1 WHERE size = 300",
        "checkpoint -1: it lies beyond the head",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_it_names_the_place_when_somebody_had(attack, attacker, auditor: Engine):
    statements, finding = ATTACKS[attack]
    attacker.run(*statements.split("; "), zero=bytes(3))
    report = verify(auditor)
    assert not report.ok
    assert str(report.finding).startswith(finding)


def test_an_erased_part_that_is_there_again_is_found(written_log, attacker, auditor: Engine):
    ((k, salt, data),) = written_log.parts(9)[:1]
    written_log.erase(9, 0)
    assert verify(auditor).ok
    attacker.run("INSERT INTO event_part VALUES (9, :k, :salt, :data)", k=k, salt=salt, data=data)
    assert str(verify(auditor).finding) == "position 9: part 0 is there although position 301 erased it"


def test_an_event_rewritten_with_all_its_columns_shows_in_its_tile(attacker, auditor: Engine):
    attacker.forge(10, type="agreement.renewed.v1")
    finding = verify(auditor).finding
    assert str(finding) == "tile 0/0: its hash for position 10 is not the leaf recorded there"


def test_an_event_rewritten_behind_the_last_full_tile_shows_in_the_head(attacker, auditor: Engine):
    attacker.forge(290, type="agreement.renewed.v1")
    attacker.run("DELETE FROM log_checkpoint")
    assert str(verify(auditor).finding) == "head: its frontier is not that of the 300 events recorded"


def test_a_log_made_up_anew_shows_against_a_checkpoint(attacker, auditor: Engine):
    attacker.forge(290, type="agreement.renewed.v1", head=True)
    report = verify(auditor)
    assert str(report.finding) == "checkpoint 300: its root is not that of the first 300 events"
    attacker.run("DELETE FROM log_checkpoint WHERE size = 300")
    assert verify(auditor).ok
    assert verify(auditor).root == report.root


def test_a_record_time_that_goes_down_is_found(attacker, auditor: Engine):
    attacker.forge(290, recorded_at=1, head=True)
    assert str(verify(auditor).finding) == (
        "position 290: its record time is before that of the event before it"
    )


def test_a_version_left_out_is_found(attacker, auditor: Engine):
    attacker.forge(300, version=1000, head=True)
    assert str(verify(auditor).finding) == (
        "position 300: its version does not follow that of an earlier event of its stream"
    )


def test_versions_in_another_order_than_their_positions_are_found(written_log, attacker, auditor: Engine):
    written_log.append(2, streams=1)
    attacker.forge(301, version=1000)
    attacker.forge(302, version=1, stream="agreement-new")
    attacker.forge(301, version=2, stream="agreement-new", head=True)
    assert verify(auditor).finding.place == "position 301"


def test_a_stream_begins_with_version_1(attacker, auditor: Engine):
    attacker.forge(300, version=0, stream="agreement-new", head=True)
    assert verify(auditor).finding.place == "position 300"


def test_an_entry_in_another_spelling_is_found(attacker, auditor: Engine):
    with attacker.engine.connect() as connection:
        entry = connection.exec_driver_sql("SELECT entry FROM event WHERE position = 7").scalar()
    attacker.run(
        "UPDATE event SET entry = :entry, leaf_hash = :leaf WHERE position = 7",
        entry=entry + b" ",
        leaf=leaf_hash(entry + b" "),
    )
    assert str(verify(auditor).finding) == (
        "position 7: its entry does not hold: the entry is not in its canonical form"
    )


def test_the_first_of_several_places_is_named(attacker, auditor: Engine):
    attacker.run(
        "DELETE FROM event_part WHERE position = 8 AND part_no = 1",
        "UPDATE event SET version = 1000 WHERE position = 9",
        "UPDATE event_part SET data = :zero WHERE position = 7",
        "DELETE FROM log_tile",
        zero=bytes(3),
    )
    assert verify(auditor).finding.place == "position 7"


def test_a_part_that_went_comes_before_what_is_wrong_behind_it(attacker, auditor: Engine):
    attacker.run(
        "DELETE FROM event_part WHERE position = 8 AND part_no = 1",
        "UPDATE event SET version = 1000 WHERE position = 9",
    )
    assert verify(auditor).finding.place == "position 8"


def test_part_0_may_be_erased_like_any_other(written_log, auditor: Engine):
    written_log.erase(8, 0)
    report = verify(auditor)
    assert report.ok
    assert report.erased == 7


def test_a_tombstone_counts_in_its_own_stream_only(written_log, attacker, auditor: Engine):
    at = written_log.erase(8, 1)
    assert verify(auditor).ok
    attacker.forge(at, stream="agreement-new", version=1, head=True)
    assert verify(auditor).finding.place == "position 8"


def test_a_tombstone_of_an_event_in_another_stream_erases_nothing(written_log, attacker, auditor: Engine):
    kept = written_log.parts(8)[1]
    at = written_log.erase(8, 1)
    attacker.forge(at, stream="agreement-new", version=1, head=True)
    attacker.run("INSERT INTO event_part VALUES (8, :k, :salt, :data)", k=kept[0], salt=kept[1], data=kept[2])
    assert verify(auditor).ok


def test_a_tombstone_that_cannot_be_read_explains_nothing(attacker, auditor: Engine):
    attacker.run(
        "UPDATE event SET type = 'agreement.personal-data-erased.v1' WHERE position = 15",
        "DELETE FROM event_part WHERE position = 8 AND part_no = 1",
    )
    assert verify(auditor).finding.place == "position 8"
    attacker.run("DELETE FROM event_part WHERE position = 15 AND part_no = 0")
    assert verify(auditor).finding.place == "position 8"


def test_events_of_the_type_of_a_tombstone_need_not_be_one(written_log, attacker, auditor: Engine):
    attacker.forge(299, type="agreement.personal-data-erased.v1", head=True)
    attacker.run("DELETE FROM log_checkpoint WHERE size = 300")
    assert verify(auditor).ok


def test_the_log_may_grow_while_it_is_verified(written_log, auditor: Engine):
    def grow(done, _total):
        written_log.append(600 if done == 300 else 10)
        written_log.sign()

    report = verify(auditor, grow)
    assert report.ok
    assert report.events == 300


def test_a_part_erased_while_verifying_has_its_tombstone_looked_up(written_log, auditor: Engine):
    def erase(done, _total):
        if done == 256:
            written_log.erase(290, 1)
            written_log.append(300)

    report = verify(auditor, erase)
    assert report.ok
    assert report.events == 601
    assert report.erased == 7


def test_a_tombstone_beyond_the_head_is_found(written_log, attacker, auditor: Engine):
    at = written_log.erase(290, 1)
    attacker.run(
        "UPDATE event SET position = 1000 WHERE position = :at",
        "UPDATE event_part SET position = 1000 WHERE position = :at",
        "UPDATE log_head SET size = 300, frontier = :frontier, recorded_at = "
        "(SELECT recorded_at FROM event WHERE position = 300)",
        at=at,
        frontier=frontier_of(attacker, 300),
    )
    assert str(verify(auditor).finding) == "position 1000: it lies beyond the head of the log"


def frontier_of(attacker, size):
    with attacker.engine.connect() as connection:
        leaves = connection.exec_driver_sql(
            f"SELECT leaf_hash FROM event WHERE position <= {size} ORDER BY position"
        ).scalars()
        return pack(append(0, (), leaves).frontier)


SQLITE_ATTACKS = {
    "text that is no UTF-8": (
        "UPDATE event SET source = CAST(x'ff' AS TEXT) WHERE position = 7",
        "position 7: its row cannot be read",
    ),
    "text in place of bytes": (
        "UPDATE event SET entry = CAST(entry AS TEXT) WHERE position = 7",
        "position 7: its leaf hash is not that of its entry",
    ),
    "bytes in place of text": (
        "UPDATE event SET stream_id = CAST(stream_id AS BLOB) WHERE position = 7",
        "position 7: its column stream_id differs from its entry",
    ),
    "text in place of a part": (
        "UPDATE event_part SET data = CAST(data AS TEXT) WHERE position = 7 AND part_no = 0",
        "position 7: part 0 does not fit its commitment",
    ),
    "a part that cannot be read": (
        "UPDATE event_part SET data = CAST(x'ff' AS TEXT) WHERE position = 7 AND part_no = 0",
        "position 7: its row cannot be read",
    ),
    "a part with half a number": (
        "UPDATE event_part SET part_no = 1.5 WHERE position = 8 AND part_no = 1",
        "position 8: part 1.5 is none of its 3 parts",
    ),
    "a part at half a position": (
        "INSERT INTO event_part SELECT 8.5, part_no, salt, data FROM event_part WHERE position = 8",
        "position 8.5: a row stands there that belongs to no event",
    ),
    "a part at a word": (
        "INSERT INTO event_part SELECT 'eight', part_no, salt, data FROM event_part WHERE position = 8",
        "position eight: it lies beyond the head of the log",
    ),
    "a tile that cannot be read": (
        "UPDATE log_tile SET hashes = CAST(x'ff' AS TEXT)",
        "tile 0/0: it cannot be read",
    ),
    "a head that cannot be read": (
        "UPDATE log_head SET origin = CAST(x'ff' AS TEXT)",
        "head: it cannot be read",
    ),
    "a head with a word for its size": (
        "UPDATE log_head SET size = 'many'",
        "head: a column holds a value that it cannot have",
    ),
    "a checkpoint that cannot be read": (
        "UPDATE log_checkpoint SET root = CAST(x'ff' AS TEXT) WHERE size = 100",
        "checkpoint 100: it cannot be read",
    ),
    "a checkpoint of half a size": (
        "UPDATE log_checkpoint SET size = 100.5 WHERE size = 100",
        "checkpoint 100.5: its size is no integer",
    ),
    "a checkpoint of a word": (
        "UPDATE log_checkpoint SET size = 'many' WHERE size = 100",
        "checkpoint many: it lies beyond the head of the log",
    ),
}


@pytest.mark.parametrize("attack", SQLITE_ATTACKS)
def test_sqlite_may_hold_what_its_columns_should_not(attack, sqlite_attacker, sqlite_reading: Engine):
    statement, finding = SQLITE_ATTACKS[attack]
    sqlite_attacker.run(statement)
    assert str(verify(sqlite_reading).finding) == finding


REBUILT = {
    "an event twice": (
        "INSERT INTO event SELECT * FROM event WHERE position = 256",
        "position 256: a row stands there that belongs to no event",
    ),
    "an identity twice": (
        "UPDATE event SET event_id = 'event-1' WHERE position = 299",
        "position 299: its column event_id differs from its entry",
    ),
    "a part twice": (
        "INSERT INTO event_part SELECT * FROM event_part WHERE position = 8",
        "position 8: part 0 stands twice",
    ),
    "a tile twice": ("INSERT INTO log_tile SELECT * FROM log_tile", "tile 0/0: it stands twice"),
    "a second head": (
        "INSERT INTO log_head SELECT * FROM log_head",
        "head: it is one row, and there are 2",
    ),
}


@pytest.mark.parametrize("attack", REBUILT)
def test_tables_without_their_keys_hide_nothing(attack, sqlite_attacker, sqlite_reading: Engine):
    for table in ("event", "event_part", "log_tile", "log_head"):
        sqlite_attacker.rebuild(table)
    assert verify(sqlite_reading).ok
    statement, finding = REBUILT[attack]
    sqlite_attacker.run(statement)
    assert str(verify(sqlite_reading).finding) == finding


def test_an_identity_or_a_version_recorded_twice_is_found(sqlite_attacker, sqlite_reading: Engine):
    sqlite_attacker.rebuild("event")
    sqlite_attacker.forge(300, version=1)
    assert str(verify(sqlite_reading).finding) == (
        "position 300: an earlier event of its stream has the same version"
    )
    sqlite_attacker.forge(300, id="event-1")
    assert str(verify(sqlite_reading).finding) == (
        "position 300: an earlier event has the same source and id"
    )


def test_a_database_that_is_not_there_is_no_finding(tmp_path):
    engine = open_reader(f"sqlite:///{tmp_path}/none.db")
    with pytest.raises(Unavailable):
        verify(engine)
    engine.dispose()


def failing(engine, times):
    """Make the next statements fail as when the database goes away."""
    left = [times]

    @hooks.listens_for(engine, "before_cursor_execute")
    def fail(*_):
        if left[0]:
            left[0] -= 1
            raise exc.OperationalError("statement", None, Exception("gone"))


def test_a_database_that_goes_away_is_no_finding(written_log, auditor: Engine):
    with pytest.raises(Unavailable):
        verify(auditor, lambda _done, _total: failing(auditor, 1_000_000))


def test_a_page_that_failed_once_is_read_again_event_by_event(written_log, auditor: Engine):
    assert verify(auditor, lambda done, _total: failing(auditor, 1) if done == 256 else None).ok


def test_memory_does_not_grow_with_the_log(sqlite_log, sqlite_reading: Engine):
    def peak():
        tracemalloc.start()
        assert verify(sqlite_reading).ok
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    sqlite_log.append(600, streams=1_000_000)
    peak()
    small = peak()
    sqlite_log.append(1_800, streams=1_000_000)
    assert peak() < 1.8 * small  # four times the log
