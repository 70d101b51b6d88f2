"""Backing up while it is served, and putting it back."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from cli.conftest import Registry
from cli.posts import entered, registered
from cli.servers import serving
from registry.audit.keys import make_key
from registry.cli.exits import DONE, LOCKED, REFUSED, UNREACHABLE, USAGE
from registry.merkle.note import COSIGNATURE

JSON = {"Content-Type": "application/cloudevents+json"}


def post(url: str, *events: dict[str, object]) -> None:
    for event in events:
        httpx.post(f"{url}/events", json=event, headers=JSON).raise_for_status()


def count_of(url: str) -> int:
    with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
        return int(connection.execute("SELECT size FROM log_head").fetchone()[0])


def remove(url: str) -> Path:
    """Lose the database; what lies beside it stays."""
    path = Path(url.removeprefix("sqlite:///"))
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)
    return path


def test_a_server_is_backed_up_while_it_serves(registry: Registry, sqlite_url: str, tmp_path: Path):
    with serving("serve", "--port", "0", database=sqlite_url, auth="off") as server:
        post(server.url, registered("aaa-bbb-one"), entered("aaa-bbb-one", "2020-01-01"))
        ran = registry("backup", tmp_path / "backup", "--database", sqlite_url)
        assert (ran.code, ran.err) == (DONE, "")
        assert ran.out.startswith(f"{tmp_path}/backup holds registry.test/log: events 1 to 2, ")
        post(server.url, registered("aaa-bbb-two"))
        assert "SQLite format 3" in (tmp_path / "backup/registry.db").read_bytes()[:16].decode()
    assert json.loads((tmp_path / "backup/backup.json").read_text())["size"] == 2
    assert count_of(sqlite_url) == 3


def test_a_backup_that_has_everything_goes_on(registry: Registry, sqlite_url: str, tmp_path: Path):
    with serving("serve", "--port", "0", database=sqlite_url, auth="off") as server:
        post(server.url, registered("aaa-bbb-one"))
    assert registry("backup", tmp_path / "backup", "--database", sqlite_url).code == DONE
    remove(sqlite_url)
    ran = registry("restore", tmp_path / "backup", "--database", sqlite_url)
    assert (ran.code, ran.err) == (DONE, "")
    assert "events 1 to 1, all verified" in ran.out
    assert registry("verify", "--database", sqlite_url).out.splitlines()[1] == ran.out.splitlines()[1]
    with serving("serve", "--port", "0", database=sqlite_url, auth="off") as server:
        answer = httpx.post(f"{server.url}/events", json=registered("aaa-bbb-two"), headers=JSON)
        assert (answer.status_code, answer.json()["position"]) == (201, 2)


def test_a_backup_behind_the_kept_checkpoint_is_read_only_and_stays_so(
    registry: Registry, sqlite_url: str, tmp_path: Path
):
    with serving("serve", "--port", "0", database=sqlite_url, auth="off") as server:
        post(server.url, registered("aaa-bbb-one"))
        assert registry("backup", tmp_path / "backup", "--database", sqlite_url).code == DONE
        post(server.url, registered("aaa-bbb-two"))
    path = remove(sqlite_url)
    kept = Path(f"{path}.checkpoint").read_bytes()
    assert kept.split(b"\n")[1] == b"2"
    ran = registry("restore", tmp_path / "backup", "--database", sqlite_url)
    assert ran.code == REFUSED
    assert ran.err.startswith("READ-ONLY: the kept checkpoint is of 2 events, and there are 1; ")
    for _ in range(2):
        with serving("serve", "--port", "0", database=sqlite_url, auth="off") as server:
            answer = httpx.post(f"{server.url}/events", json=registered("aaa-bbb-two"), headers=JSON)
            assert answer.status_code == 503
            assert httpx.get(f"{server.url}/events/1").status_code == 200
    assert Path(f"{path}.checkpoint").read_bytes() == kept


def test_where_nothing_is_known_of_the_log_this_is_said(registry: Registry, told_url: str, tmp_path: Path):
    assert registry("backup", tmp_path / "backup", "--database", told_url).code == DONE
    ran = registry("restore", tmp_path / "backup", "--database", f"sqlite:///{tmp_path}/new/registry.db")
    assert ran.code == DONE
    assert "nothing outside the database says whether the log went on after this backup" in ran.err


def test_a_witness_that_is_not_there_is_named(
    registry: Registry, sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with serving("serve", "--port", "0", database=sqlite_url, auth="off"):
        pass
    key = make_key(tmp_path / "witness").verifier_key("witness.example/w1", COSIGNATURE)
    (tmp_path / "witnesses").write_text(f"{key} http://127.0.0.1:9\n")
    monkeypatch.setenv("REGISTRY_WITNESSES_FILE", str(tmp_path / "witnesses"))
    assert registry("backup", tmp_path / "backup", "--database", sqlite_url).code == DONE
    remove(sqlite_url)
    ran = registry("restore", tmp_path / "backup", "--database", sqlite_url)
    assert ran.code == DONE
    assert ran.err.startswith("a witness has not confirmed it: witness.example/w1: ")


def test_nothing_is_overwritten(registry: Registry, told_url: str, tmp_path: Path):
    assert registry("backup", tmp_path / "backup", "--database", told_url).code == DONE
    ran = registry("backup", tmp_path / "backup", "--database", told_url)
    assert (ran.code, ran.err) == (
        REFUSED,
        f"registry: {tmp_path}/backup is there already, and no backup is ever overwritten\n",
    )
    ran = registry("restore", tmp_path / "backup", "--database", told_url)
    assert ran.code == REFUSED
    assert "no database is ever overwritten" in ran.err


def test_a_database_that_is_served_is_not_replaced(registry: Registry, sqlite_url: str, tmp_path: Path):
    assert registry("backup", tmp_path / "backup", "--database", sqlite_url).code == DONE
    with serving("serve", "--port", "0", database=sqlite_url, auth="off"):
        assert registry("restore", tmp_path / "backup", "--database", sqlite_url).code == LOCKED


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_postgresql_has_tools_of_its_own(registry: Registry, tmp_path: Path, command: str):
    ran = registry(command, tmp_path / "backup", "--database", "postgresql://nobody@127.0.0.1:9/none")
    assert ran.code == USAGE
    assert "pg_basebackup" in ran.err
    assert "docs/operations.md" in ran.err


def test_what_is_not_there_is_not_backed_up(registry: Registry, tmp_path: Path):
    ran = registry("backup", tmp_path / "backup", "--database", f"sqlite:///{tmp_path}/none.db")
    assert ran.code == UNREACHABLE
    assert list(tmp_path.iterdir()) == []
