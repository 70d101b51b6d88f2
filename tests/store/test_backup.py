"""A copy of one moment, whatever is appended while it is made."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from registry.store import backup
from registry.store.backup import copy_database


@pytest.fixture
def filled(sqlite_url: str) -> Path:
    """A database of some hundred pages, with a connection to it that writes."""
    path = Path(sqlite_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path, isolation_level=None)) as writing:
        writing.execute(
            "CREATE TABLE filling AS WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n "
            "LIMIT 300) SELECT i, randomblob(4000) AS b FROM n"
        )
    return path


def count(path: Path) -> int:
    with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        return int(connection.execute("SELECT count(*) FROM filling").fetchone()[0])


def test_the_copy_is_of_the_moment_at_which_it_began(filled, tmp_path, monkeypatch):
    monkeypatch.setattr(backup, "PAGES", 50)
    seen: list[tuple[int, int]] = []
    with closing(sqlite3.connect(filled, isolation_level=None)) as writing:

        def append(done: int, total: int) -> None:
            seen.append((done, total))
            writing.execute("INSERT INTO filling VALUES (0, randomblob(4000))")

        copy_database(filled, tmp_path / "copy", append)
        assert writing.execute("SELECT count(*) FROM filling").fetchone()[0] == 300 + len(seen)
    assert count(tmp_path / "copy") == 300
    assert len(seen) > 3
    assert [done for done, _ in seen] == sorted(done for done, _ in seen), "it did not begin anew"
    assert seen[-1][0] == seen[-1][1]


def test_the_copy_is_one_file_that_only_its_owner_reads(filled, tmp_path):
    (tmp_path / "to").mkdir()
    copy_database(filled, tmp_path / "to" / "copy")
    (found,) = (tmp_path / "to").iterdir()
    assert found.stat().st_mode & 0o777 == 0o600
    with closing(sqlite3.connect(found)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("delete",)


def test_the_source_is_never_written(filled, tmp_path):
    before = filled.read_bytes()
    copy_database(filled, tmp_path / "copy")
    assert filled.read_bytes() == before


def test_nothing_is_ever_overwritten(filled, tmp_path):
    (tmp_path / "copy").write_text("here before")
    with pytest.raises(FileExistsError):
        copy_database(filled, tmp_path / "copy")
    assert (tmp_path / "copy").read_text() == "here before"


def test_a_source_that_is_not_there_is_not_made(tmp_path):
    with pytest.raises(sqlite3.OperationalError):
        copy_database(tmp_path / "none.db", tmp_path / "copy")
    assert not (tmp_path / "none.db").exists()
