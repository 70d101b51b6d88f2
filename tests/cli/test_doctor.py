"""What the doctor finds."""

import sqlite3
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest

from cli.posts import registered
from registry.audit.keys import make_key
from registry.cli import checks, key_checks
from registry.cli.checks import Check
from registry.cli.database import write_lock
from registry.cli.exits import DONE, REFUSED
from registry.config import Settings
from registry.merkle.checkpoint import Checkpoint, format_checkpoint
from registry.merkle.note import Note, format_note
from registry.store.database import open_reader
from registry.store.reader import Reader


def found(ran) -> dict[str, tuple[str, str]]:
    return {check["name"]: (check["state"], check["text"]) for check in ran.json}


def execute(url: str, *statements: str) -> None:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_a_healthy_registry_has_no_failure(registry, told_url):
    ran = registry("doctor", "--database", told_url)
    assert ran.code == DONE
    *lines, total = ran.out.splitlines()
    assert {line[:4] for line in lines} <= {"ok  ", "warn"}
    assert total.startswith(f"{len(lines)} checks: 0 failed, ")


def test_every_check_is_named(registry, told_url):
    checked = found(registry("doctor", "--database", told_url, "--json"))
    assert list(checked) == [
        "python",
        "clock",
        "sqlite",
        "space",
        "key",
        "database",
        "journal",
        "migrations",
        "triggers",
        "log",
        "checkpoint",
        "api keys",
        "lock",
    ]
    assert checked["log"][1].startswith("registry.test/log: 71 events, the last recorded 20")


@pytest.mark.postgres
def test_postgresql_is_looked_at_too(registry, file_of, postgres_url):
    registry("append", file_of([registered("one")]), "--database", postgres_url)
    checked = found(registry("doctor", "--database", postgres_url, "--json"))
    assert {name for name, (state, _) in checked.items() if state != "ok"} == {"key", "checkpoint"}
    assert checked["skew"][1].endswith("s from that of the database server")
    assert checked["triggers"][1] == "event, log_tile, log_checkpoint, log_signature, access_log only grow"
    assert checked["log"][1].startswith("registry.test/log: 1 event, ")


@pytest.mark.postgres
def test_a_trigger_that_is_switched_off_is_missed(registry, postgres_url):
    from conftest import admin

    admin(postgres_url, "ALTER TABLE event DISABLE TRIGGER ALL")
    state, text = found(registry("doctor", "--database", postgres_url, "--json"))["triggers"]
    assert (state, text) == ("fail", "nothing refuses UPDATE on event, DELETE on event")


def test_a_database_that_is_not_there_fails_and_is_not_made(registry, tmp_path):
    ran = registry("doctor", "--database", f"sqlite:///{tmp_path}/deep/none.db", "--json")
    assert ran.code == REFUSED
    assert found(ran)["database"][0] == "fail"
    assert found(ran)["lock"] == ("ok", "nobody writes now")
    assert list(tmp_path.iterdir()) == []


def test_a_database_without_tables_fails(registry, tmp_path):
    (tmp_path / "empty.db").touch()
    checked = found(registry("doctor", "--database", f"sqlite:///{tmp_path}/empty.db", "--json"))
    assert checked["migrations"] == ("fail", "no tables yet; `registry migrate` makes them")
    assert checked["journal"] == ("warn", "delete, becomes wal when the service opens it")
    assert "triggers" not in checked


def test_a_database_of_another_version_fails(registry, told_url):
    execute(told_url, "UPDATE alembic_version SET version_num = '9999'")
    state, text = found(registry("doctor", "--database", told_url, "--json"))["migrations"]
    assert (state, text.startswith("at revision 9999, this version needs ")) == ("fail", True)


def test_a_missing_trigger_fails(registry, told_url):
    execute(told_url, "DROP TRIGGER event_no_delete")
    state, text = found(registry("doctor", "--database", told_url, "--json"))["triggers"]
    assert (state, text) == ("fail", "nothing refuses DELETE on event")


def test_the_holder_of_the_lock_is_named(registry, told_url):
    with write_lock(Settings(database=told_url), "http://127.0.0.1:1"):
        assert found(registry("doctor", "--database", told_url, "--json"))["lock"] == (
            "ok",
            "held by the server at http://127.0.0.1:1",
        )
    with write_lock(Settings(database=told_url)):
        assert (
            found(registry("doctor", "--database", told_url, "--json"))["lock"][1]
            == "held by another command"
        )


def test_a_clock_behind_the_log_is_a_warning(registry, told_url):
    execute(told_url, "UPDATE log_head SET recorded_at = 4102444800000000")
    state, text = found(registry("doctor", "--database", told_url, "--json"))["log"]
    assert state == "warn"
    assert "behind the last record time" in text


def test_a_clock_in_the_past_fails(monkeypatch):
    monkeypatch.setattr(checks, "BUILT_AFTER", datetime(9999, 1, 1, tzinfo=UTC))
    assert checks.clock().state == "fail"


@pytest.mark.parametrize(
    ("version", "state"),
    [((3, 6, 23), "ok"), ((3, 7, 0), "warn"), ((3, 40, 1), "warn"), ((3, 51, 2), "warn"), ((3, 51, 3), "ok")],
)
def test_a_sqlite_with_the_wal_reset_bug_is_for_one_process(version, state):
    check = checks.sqlite_version(version)
    assert check.state == state
    assert ("one process" in check.text) == (state == "warn")


def test_a_full_disk_is_a_warning(monkeypatch, tmp_path):
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1 << 20))
    assert checks.space(Settings(database=f"sqlite:///{tmp_path}/a/b/registry.db")).state == "warn"


def test_a_wrong_setting_is_the_one_finding(registry, monkeypatch):
    monkeypatch.setenv("REGISTRY_PORT", "tcp://10.0.0.1:8000")
    ran = registry("doctor", "--json")
    assert ran.code == REFUSED
    assert found(ran) == {"settings": ("fail", "REGISTRY_PORT: Expected `int`, got `str`")}


def test_a_wrong_database_is_the_one_finding(registry):
    assert found(registry("doctor", "--database", "mysql://x/y", "--json"))["database"][0] == "fail"


def test_a_database_that_cannot_be_reached_fails(registry):
    ran = registry("doctor", "--database", "postgresql://u:s3cret@127.0.0.1:9/none", "--json")
    assert found(ran)["database"] == ("fail", "the database cannot be reached")
    assert "s3cret" not in ran.out


def test_a_key_that_others_may_read_fails(registry, told_url, tmp_path, monkeypatch):
    make_key(tmp_path / "key")
    monkeypatch.setenv("REGISTRY_LOG_KEY_FILE", str(tmp_path / "key"))
    checked = found(registry("doctor", "--database", told_url, "--json"))
    assert checked["key"] == ("ok", f"{tmp_path}/key can be read by its owner alone")
    (tmp_path / "key").chmod(0o644)
    state, text = found(registry("doctor", "--database", told_url, "--json"))["key"]
    assert (state, "chmod 600" in text) == ("fail", True)


@pytest.mark.parametrize("name", ["log_key_file", "log_key_file_next", "witness_key_file"])
def test_a_key_that_is_not_there_fails(told_url, tmp_path, name):
    settings = Settings(database=told_url, **{name: str(tmp_path / "none")})
    assert [check.state for check in key_checks.key_files(settings)].count("fail") == 1


def test_a_log_that_is_behind_its_kept_checkpoint_fails(registry, told_url, tmp_path):
    key = make_key(tmp_path / "key")
    text = format_checkpoint(Checkpoint("registry.test/log", 72, bytes(32)))
    kept = tmp_path / "registry.db.checkpoint"
    kept.write_bytes(format_note(Note(text, (key.sign_note("registry.test/log", text),))))
    state, said = found(registry("doctor", "--database", told_url, "--json"))["checkpoint"]
    assert (state, "is of 72 events, and there are 71" in said) == ("fail", True)


def test_a_log_at_its_kept_checkpoint_is_in_order(registry, told_url, tmp_path):
    key = make_key(tmp_path / "key")
    engine = open_reader(told_url)
    head = Reader(engine).head()
    engine.dispose()
    text = format_checkpoint(Checkpoint(head.origin, head.size, head.root))
    kept = tmp_path / "registry.db.checkpoint"
    kept.write_bytes(format_note(Note(text, (key.sign_note(head.origin, text),))))
    checked = found(registry("doctor", "--database", told_url, "--json"))
    assert checked["checkpoint"] == ("ok", f"the log of 71 extends the one kept in {kept}")


def test_a_key_of_a_client_that_ends_soon_is_a_warning(registry, told_url):
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    registry(
        "keys",
        "create",
        "--label",
        "desk",
        "--scope",
        "admin",
        "--expires",
        str(tomorrow),
        "--database",
        told_url,
    )
    state, text = found(registry("doctor", "--database", told_url, "--json"))["api keys"]
    assert state == "warn"
    assert f"on {tomorrow}" in text


def test_a_clock_of_the_database_that_differs_is_a_warning():
    def says(seconds: float) -> SimpleNamespace:
        answer = SimpleNamespace(scalar=lambda: time.time() + seconds)
        return SimpleNamespace(exec_driver_sql=lambda _: answer)

    assert key_checks.skew(says(0)).state == "ok"
    assert key_checks.skew(says(30)) == Check("skew", "warn", "30.0 s from that of the database server")
