"""Appending to the database of this machine."""

import json
from pathlib import Path

import pytest

from cli.posts import entered, registered, terminated
from registry.cli import append as command
from registry.cli.database import write_lock
from registry.cli.exits import DONE, INTERRUPTED, LOCKED, REFUSED, UNREACHABLE, USAGE
from registry.cli.local import Local
from registry.config import Settings
from registry.errors import Unavailable


def test_a_file_goes_in_and_a_second_time_nothing_changes(registry, file_of, sqlite_url):
    path = file_of([registered("one"), entered("one", "2025-07-16")])
    first = registry("append", path, "--database", sqlite_url)
    assert (first.code, first.err) == (DONE, "")
    assert first.out.startswith("appended 2 events in ")
    assert first.out.endswith("; last position 2\n")
    again = registry("append", path, "--database", sqlite_url, "--json")
    assert again.code == DONE
    assert {name: again.json[name] for name in ("appended", "replayed", "refused", "position", "lines")} == {
        "appended": 0,
        "replayed": 2,
        "refused": 0,
        "position": 2,
        "lines": 2,
    }


def test_it_works_on_both_databases(registry, file_of, database_url):
    path = file_of([registered("one"), entered("one", "2025-07-16")])
    assert registry("append", path, "--database", database_url, "--json").json["appended"] == 2
    assert registry("verify", "--database", database_url, "--json").json["events"] == 2


def test_every_bad_line_is_reported_with_its_number_and_costs_only_itself(registry, file_of, sqlite_url):
    path = file_of(
        [
            registered("one"),
            "{",
            "",
            entered("none", "2025-07-16"),
            {"specversion": "1.0"},
            entered("one", "2025-07-16"),
            entered("one", "2025-07-17", "again"),
            entered("one", "2025-07-17"),
            "[]",
        ]
    )
    ran = registry("append", path, "--database", sqlite_url)
    assert ran.code == REFUSED
    assert ran.out.startswith("appended 2 events (6 refused) in ")
    reported = dict(line.removeprefix("line ").split(": ", 1) for line in ran.err.splitlines())
    assert list(reported) == ["2", "5", "9", "4", "7", "8"]
    assert reported["4"].startswith("unknown-agreement: ")
    assert "/id: is required" in reported["5"]
    assert reported["7"].startswith("already-claimed: ")
    assert reported["7"].endswith("[position 2]")
    assert reported["8"].startswith("identity-taken: ")


def test_lines_that_rest_on_earlier_lines_of_the_same_file_are_taken(registry, file_of, sqlite_url):
    path = file_of(
        [event for n in range(30) for event in (registered(f"number-{n}"), entered(f"number-{n}", "2025"))]
    )
    assert registry("append", path, "--database", sqlite_url, "--json").json["appended"] == 60


def test_batches_are_as_large_as_the_settings_allow(registry, file_of, sqlite_url, monkeypatch):
    sizes: list[int] = []
    append = Local.append

    def counted(self, events):
        sizes.append(len(events))
        return append(self, events)

    monkeypatch.setattr(Local, "append", counted)
    monkeypatch.setenv("REGISTRY_MAX_BATCH_EVENTS", "3")
    path = file_of([registered("one"), *(entered("one", "2025", str(n), f"/{n}") for n in range(6))])
    assert registry("append", path, "--database", sqlite_url, "--json").json["appended"] == 7
    assert sizes == [3, 3, 1]


def test_an_event_over_the_limit_is_refused(registry, file_of, sqlite_url, monkeypatch):
    monkeypatch.setenv("REGISTRY_MAX_EVENT_BYTES", "1024")
    large = registered("one") | {"note": "x" * 1000}
    ran = registry("append", file_of([large]), "--database", sqlite_url)
    assert ran.code == REFUSED
    assert ran.err.startswith("line 1: an event has at most 1,024 bytes")


def test_a_line_that_no_event_can_be_is_not_even_read(registry, file_of, sqlite_url, monkeypatch):
    monkeypatch.setenv("REGISTRY_MAX_EVENT_BYTES", "1024")
    ran = registry("append", file_of(["x" * 100_000, registered("one")]), "--database", sqlite_url)
    assert ran.err == "line 1: longer than an event may be\n"
    assert ran.out.startswith("appended 1 event (1 refused)")


def test_an_event_of_too_many_persons_is_refused(registry, file_of, sqlite_url):
    held = {
        "specversion": "1.0",
        "id": "held",
        "source": "/tests",
        "type": "agreement.engagement-held.v1",
        "subject": "one",
        "data": {
            "engagement_id": "congress",
            "kind": "meeting",
            "start": "2025",
            "participants": [
                {"person": {"person_id": f"{n:08x}-0000-4000-8000-000000000000", "name": "N"}}
                for n in range(1000)
            ],
        },
    }
    ran = registry("append", file_of([registered("one"), held]), "--database", sqlite_url)
    assert ran.err == "line 2: an event names at most 999 persons\n"


def test_warnings_are_counted_and_printed_when_asked_for(registry, file_of, sqlite_url):
    path = file_of([registered("one"), terminated("one", "2025-07-16")])
    ran = registry("append", path, "--database", sqlite_url, "--warnings")
    assert ran.code == DONE
    assert "(1 warning)" in ran.out
    assert ran.err.startswith("line 2: warning: termination-without-entry-into-force: ")


def test_a_database_that_is_not_there_is_not_made(registry, file_of, tmp_path):
    ran = registry("append", file_of([]), "--database", f"sqlite:///{tmp_path}/none.db")
    assert ran.code == UNREACHABLE
    assert "`registry migrate`" in ran.err
    assert not (tmp_path / "none.db").exists()


def test_a_database_without_tables_says_what_to_do(registry, file_of, tmp_path):
    (tmp_path / "empty.db").touch()
    ran = registry("append", file_of([]), "--database", f"sqlite:///{tmp_path}/empty.db")
    assert ran.code == UNREACHABLE
    assert "without tables" in ran.err


def test_a_database_that_is_gone_says_so(registry, file_of):
    ran = registry("append", file_of([]), "--database", "postgresql://nobody@127.0.0.1:9/none")
    assert (ran.code, ran.err) == (UNREACHABLE, "registry: the database cannot be reached\n")


@pytest.mark.parametrize(
    "url", ["registry.db", "mysql://x/y", "sqlite://", "sqlite:///:memory:", "postgresql://x:y/z"]
)
def test_what_is_no_database_is_a_wrong_setting(registry, file_of, url):
    ran = registry("append", file_of([]), "--database", url)
    assert ran.code == USAGE
    assert ran.err.startswith("registry: REGISTRY_DATABASE is ")


def test_another_command_that_writes_is_waited_for_by_nobody(registry, file_of, sqlite_url):
    with write_lock(Settings(database=sqlite_url)):
        ran = registry("append", file_of([]), "--database", sqlite_url)
    assert ran.code == LOCKED
    assert "another command writes" in ran.err


def test_a_database_that_goes_away_is_tried_again_and_then_said(registry, file_of, sqlite_url, monkeypatch):
    tries = 0

    def append(_self, _events):
        nonlocal tries
        tries += 1
        raise Unavailable("the database cannot be reached", retry_after=0)

    monkeypatch.setattr(Local, "append", append)
    ran = registry("append", file_of([registered("one")]), "--database", sqlite_url)
    assert (ran.code, tries) == (UNREACHABLE, command.TRIES)
    assert "stopped after line 0; run it again: nothing is recorded twice" in ran.err


def test_an_interruption_keeps_what_is_in_and_a_second_run_adds_the_rest(
    registry, file_of, sqlite_url, monkeypatch
):
    monkeypatch.setenv("REGISTRY_MAX_BATCH_EVENTS", "2")
    path = file_of([registered(f"number-{n}") for n in range(6)])
    append = Local.append
    batches = 0

    def interrupted(self, events):
        nonlocal batches
        batches += 1
        if batches == 3:
            raise KeyboardInterrupt
        return append(self, events)

    with monkeypatch.context() as patched:
        patched.setattr(Local, "append", interrupted)
        ran = registry("append", path, "--database", sqlite_url)
    assert ran.code == INTERRUPTED
    assert ran.err == "stopped after line 4; run it again: nothing is recorded twice\n"
    assert ran.out.startswith("appended 4 events")
    again = registry("append", path, "--database", sqlite_url, "--json").json
    assert (again["appended"], again["replayed"], again["position"]) == (2, 4, 6)


def test_a_fault_of_ours_is_not_taken_for_a_refusal(registry, file_of, sqlite_url, monkeypatch):
    monkeypatch.setattr("registry.store.writer.Writer.commit", lambda *_: [ZeroDivisionError("ours")])
    with pytest.raises(ZeroDivisionError):
        registry("append", file_of([registered("one")]), "--database", sqlite_url)


def test_a_file_that_is_not_there(registry, sqlite_url):
    ran = registry("append", Path("none.ndjson"), "--database", sqlite_url)
    assert (ran.code, ran.err) == (USAGE, "registry: cannot read none.ndjson: No such file or directory\n")


def test_events_from_standard_input(registry, sqlite_url, monkeypatch):
    import io

    text = json.dumps(registered("one")).encode()
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert registry("append", "-", "--database", sqlite_url).out.startswith("appended 1 event in")
