"""Opening the database of this machine, and what is said when that cannot be."""

import pytest

from registry.cli.database import Held, file_of, reader, require_file, write_lock
from registry.cli.exits import UNREACHABLE, USAGE, Stop
from registry.config import Settings


def test_the_lock_is_let_go_of_whatever_happens(sqlite_url):
    settings = Settings(database=sqlite_url)
    with pytest.raises(ZeroDivisionError), write_lock(settings):
        raise ZeroDivisionError
    with write_lock(settings):
        pass


def test_who_holds_the_lock_is_told(sqlite_url):
    settings = Settings(database=sqlite_url)
    with write_lock(settings, "http://127.0.0.1:1"), pytest.raises(Held) as held, write_lock(settings):
        pass
    assert held.value.url == "http://127.0.0.1:1"


def test_an_error_of_the_work_is_not_taken_for_one_of_the_lock(sqlite_url):
    with pytest.raises(PermissionError), write_lock(Settings(database=sqlite_url)):
        raise PermissionError("of the work")


def test_a_place_where_nothing_can_be_made(tmp_path):
    (tmp_path / "file").touch()
    with (
        pytest.raises(Stop, match=r"cannot write beside .*registry\.db") as stopped,
        write_lock(Settings(database=f"sqlite:///{tmp_path}/file/registry.db")),
    ):
        pass
    assert stopped.value.code == USAGE


def test_postgresql_needs_no_lock():
    settings = Settings(database="postgresql://db/registry")
    with write_lock(settings), write_lock(settings):
        assert file_of(settings) is None


def test_a_file_that_is_no_database(tmp_path):
    (tmp_path / "notes.txt").write_text("remember the milk, twice")
    with pytest.raises(Stop, match=r"notes\.txt is no SQLite database") as stopped:
        require_file(Settings(database=f"sqlite:///{tmp_path}/notes.txt"))
    assert stopped.value.code == USAGE


def test_a_directory_is_no_database(tmp_path):
    with (
        pytest.raises(Stop, match="cannot read") as stopped,
        reader(Settings(database=f"sqlite:///{tmp_path}")),
    ):
        pass
    assert stopped.value.code == UNREACHABLE


def test_a_relative_path_is_one_from_here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    assert file_of(Settings(database="sqlite:///registry.db")) == tmp_path / "registry.db"
