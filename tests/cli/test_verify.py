"""Verification from the command line."""

import sqlite3
from contextlib import closing

import pytest

from registry.cli.exits import DONE, REFUSED, UNREACHABLE


def tamper(url: str, *statements: str) -> None:
    """Change a database behind its back, as somebody with the file could."""
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            connection.execute(statement)
        connection.commit()


def test_an_untouched_log_holds(registry, told_url):
    ran = registry("verify", "--database", told_url)
    assert (ran.code, ran.err) == (DONE, "")
    first, root = ran.out.splitlines()
    assert first == "registry.test/log holds: 71 events, 82 parts open, 0 erased, 0 full tiles, 0 checkpoints"
    assert len(root.removeprefix("root ")) == 64


def test_the_outcome_as_json(registry, told_url):
    shown = registry("verify", "--database", told_url, "--json").json
    assert (shown["ok"], shown["events"], shown["origin"], shown["finding"]) == (
        True,
        71,
        "registry.test/log",
        None,
    )


@pytest.mark.parametrize("as_json", [False, True])
def test_the_first_position_that_does_not_hold_is_named(registry, told_url, as_json):
    tamper(
        told_url,
        "UPDATE event_part SET data = 'x' WHERE position = 33 AND part_no = 0",
        "DELETE FROM event WHERE position = 60",
    )
    ran = registry("verify", "--database", told_url, *(["--json"] if as_json else []))
    assert ran.code == REFUSED
    if as_json:
        assert (ran.json["ok"], ran.json["finding"]["kind"], ran.json["finding"]["at"]) == (
            False,
            "position",
            "33",
        )
    else:
        assert ran.out.startswith("DOES NOT HOLD: position 33: part 0 does not fit its commitment\n")


def test_an_empty_log_holds(registry, sqlite_url):
    assert registry("verify", "--database", sqlite_url).out.startswith("registry.test/log holds: 0 events, ")


def test_a_log_that_cannot_be_opened_is_not_judged(registry, tmp_path):
    assert registry("verify", "--database", f"sqlite:///{tmp_path}/none.db").code == UNREACHABLE
