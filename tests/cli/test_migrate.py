"""Migrating from the command line."""

import pytest

from registry.cli.database import write_lock
from registry.cli.exits import DONE, LOCKED, UNREACHABLE, USAGE
from registry.config import Settings
from registry.store.migrate import newest_revision


def test_a_new_database_is_made_and_a_second_run_changes_nothing(registry, tmp_path):
    url = f"sqlite:///{tmp_path}/new/registry.db"
    first = registry("migrate", "--database", url, "--origin", "log.example/1")
    assert (first.code, first.out) == (DONE, f"{url} is at revision {newest_revision()} (new)\n")
    again = registry("migrate", "--database", url, "--origin", "log.example/2")
    assert again.out == f"{url} is at revision {newest_revision()} (already)\n"
    assert registry("verify", "--database", url).out.startswith("log.example/1 holds")


@pytest.mark.postgres
def test_postgresql_is_migrated(registry, empty_postgres_url):
    ran = registry("migrate", "--database", empty_postgres_url)
    assert (ran.code, ran.out.endswith("(new)\n")) == (DONE, True)


def test_a_database_that_is_served_is_left_alone(registry, sqlite_url):
    with write_lock(Settings(database=sqlite_url), "http://127.0.0.1:1"):
        ran = registry("migrate", "--database", sqlite_url)
    assert ran.code == LOCKED
    assert "the server at http://127.0.0.1:1 writes" in ran.err


def test_a_database_that_cannot_be_reached(registry):
    ran = registry("migrate", "--database", "postgresql://nobody@127.0.0.1:9/none")
    assert (ran.code, ran.err) == (UNREACHABLE, "registry: the database cannot be reached\n")


def test_what_is_no_database(registry):
    assert registry("migrate", "--database", "nothing").code == USAGE


def test_a_file_that_is_no_database_is_left_as_it_is(registry, tmp_path):
    (tmp_path / "notes.txt").write_text("remember the milk, twice")
    ran = registry("migrate", "--database", f"sqlite:///{tmp_path}/notes.txt")
    assert (ran.code, ran.err) == (USAGE, f"registry: {tmp_path}/notes.txt is no SQLite database\n")
