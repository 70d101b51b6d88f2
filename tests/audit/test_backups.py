"""Backups: nothing has its name before it was verified, and nothing that is there is overwritten."""

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from audit.conftest import Attacker, Log, write
from registry.audit import backups
from registry.audit.backups import DATABASE, MANIFEST, BackupFault, make_backup, put_back, read_manifest
from registry.audit.verify import verify
from registry.store.database import open_reader


def silent(_done: int, _total: int) -> None:
    """Nobody looks."""


@pytest.fixture
def database(sqlite_url: str) -> Path:
    return Path(sqlite_url.removeprefix("sqlite:///"))


@pytest.fixture
def back_up(database: Path, tmp_path: Path) -> Callable[[], Path]:
    """Back up the database under test into ``backup``."""

    def make() -> Path:
        make_backup(database, tmp_path / "backup", copying=silent, verifying=silent)
        return tmp_path / "backup"

    return make


@pytest.fixture
def made(sqlite_log: Log, back_up: Callable[[], Path]) -> Path:
    """A backup of a log with everything in it."""
    write(sqlite_log)
    return back_up()


def tell(made: Path, /, **otherwise: Any) -> None:
    """Change what a backup says of itself."""
    manifest = made / MANIFEST
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | otherwise))


def names(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir()}


def test_a_backup_says_what_is_in_it(sqlite_log: Log, made: Path):
    manifest = read_manifest(made)
    head = sqlite_log.head()
    assert (manifest.origin, manifest.size, manifest.root) == (head.origin, head.size, head.root.hex())
    assert manifest.bytes == (made / DATABASE).stat().st_size
    assert manifest.checkpoint is None, "nobody has signed the checkpoints of this log"
    assert names(made) == {DATABASE, MANIFEST}
    assert made.stat().st_mode & 0o777 == 0o700


def test_what_was_backed_up_is_put_back(sqlite_log: Log, made: Path, tmp_path: Path):
    sqlite_log.append(20)  # after the backup
    target = tmp_path / "again" / "registry.db"
    target.parent.mkdir()
    assert put_back(made, target, verifying=silent) == read_manifest(made)
    assert names(target.parent) == {"registry.db"}
    engine = open_reader(f"sqlite:///{target}")
    report = verify(engine)
    engine.dispose()
    assert report.ok
    assert report.root.hex() == read_manifest(made).root
    assert (report.events, report.erased) == (read_manifest(made).size, 6)


def test_a_backup_never_takes_the_place_of_another(made: Path, back_up: Callable[[], Path]):
    before = (made / MANIFEST).read_bytes()
    with pytest.raises(BackupFault, match="is there already"):
        back_up()
    assert (made / MANIFEST).read_bytes() == before


def test_a_log_that_does_not_hold_is_not_backed_up(sqlite_log: Log, back_up: Callable[[], Path], tmp_path):
    write(sqlite_log)
    Attacker(sqlite_log.engine).run("UPDATE event_part SET data = 'x' WHERE position = 33")
    with pytest.raises(BackupFault, match="position 33"):
        back_up()
    assert not [name for name in names(tmp_path) if "backup" in name]


def test_what_cannot_be_written_is_said_and_nothing_is_left(database: Path, tmp_path: Path, monkeypatch):
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupFault, match="cannot write"):
        make_backup(database, tmp_path / "file" / "backup", copying=silent, verifying=silent)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backups, "copy_database", full)
    with pytest.raises(BackupFault, match="No space left"):
        make_backup(database, tmp_path / "backup", copying=silent, verifying=silent)
    assert not [name for name in names(tmp_path) if "backup" in name]


@pytest.mark.parametrize("suffix", ["", "-wal", "-shm", "-journal"])
def test_whatever_is_there_is_never_overwritten(made: Path, tmp_path: Path, suffix: str):
    target = tmp_path / "again" / "registry.db"
    target.parent.mkdir()
    (there := Path(f"{target}{suffix}")).write_text("here before")
    with pytest.raises(BackupFault, match="no database is ever overwritten"):
        put_back(made, target, verifying=silent)
    assert names(target.parent) == {there.name}
    assert there.read_text() == "here before"


@pytest.mark.parametrize(
    ("otherwise", "said"),
    [
        ({"sha256": "0" * 64}, "not the file that was backed up"),
        ({"bytes": 1}, "not the file that was backed up"),
        ({"root": "0" * 64}, "not the one that its manifest tells of"),
        ({"size": 1}, "not the one that its manifest tells of"),
        ({"origin": "other.example"}, "not the one that its manifest tells of"),
        ({"backup": 2}, "is no backup"),
        ({"further": 1}, "is no backup"),
        ({"revision": "9999"}, "at revision 9999"),
    ],
)
def test_a_backup_that_is_not_what_it_says_is_not_put_back(made: Path, tmp_path: Path, otherwise, said):
    tell(made, **otherwise)
    (tmp_path / "again").mkdir()
    with pytest.raises(BackupFault, match=said):
        put_back(made, tmp_path / "again" / "registry.db", verifying=silent)
    assert names(tmp_path / "again") == set()


def test_a_backup_whose_log_does_not_hold_is_not_put_back(made: Path, tmp_path: Path):
    # The file is changed, and the manifest with it, as somebody with both could.
    with closing(sqlite3.connect(made / DATABASE, isolation_level=None)) as connection:
        connection.execute("DROP TRIGGER event_part_no_update")
        connection.execute("UPDATE event_part SET data = x'00' WHERE position = 7")
    content = (made / DATABASE).read_bytes()
    tell(made, sha256=sha256(content).hexdigest(), bytes=len(content))
    (tmp_path / "again").mkdir()
    with pytest.raises(BackupFault, match="position 7"):
        put_back(made, tmp_path / "again" / "registry.db", verifying=silent)
    assert names(tmp_path / "again") == set()


def test_what_is_no_backup_is_said(tmp_path: Path):
    with pytest.raises(BackupFault, match="is no backup"):
        read_manifest(tmp_path)
