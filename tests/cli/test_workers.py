"""Several processes on one socket: how they start, what becomes of one that ends, how all of them end."""

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from cli import workers_that
from cli.posts import registered
from cli.servers import Server, refused, serving
from registry.audit.keys import make_key
from registry.cli import workers
from registry.cli.exits import DONE, UNREACHABLE, USAGE, Stop
from registry.cli.listen import bind
from registry.cli.serve import serve_one
from registry.cli.workers import Workers
from registry.config import Settings
from registry.store.database import open_reader
from registry.store.reader import Reader

JSON = {"Content-Type": "application/cloudevents+json"}


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_key(tmp_path / "key")
    return tmp_path / "key"


@pytest.fixture
def served(postgres_url: str, key: Path) -> Iterator[Server]:
    """Two workers on a PostgreSQL database."""
    with serving(
        "serve", "--port", "0", "--workers", "2", database=postgres_url, auth="off", log_key_file=str(key)
    ) as server:
        yield server


def workers_of(server: Server) -> set[int]:
    """The processes that serve, by what the system says; the parent has one more, which tracks its resources."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            if parent == server.process.pid and b"spawn_main" in (process / "cmdline").read_bytes():
                found.add(int(process.name))
        except OSError:  # it has just ended
            continue
    return found


def until(holds, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def post(server: Server, agreement: str) -> httpx.Response:
    return httpx.post(f"{server.url}/events", json=registered(agreement), headers=JSON)


@pytest.mark.postgres
def test_all_serve_and_end_in_good_order(served: Server, postgres_url: str):
    assert len(workers_of(served)) == 2
    positions = [post(served, f"aaa-bbb-{i}").json()["position"] for i in range(20)]
    assert positions == list(range(1, 21))
    began = time.monotonic()
    assert served.end() == "stopping\nstopped\n"
    assert time.monotonic() - began < 10
    assert served.process.returncode == DONE
    engine = open_reader(postgres_url)
    assert Reader(engine).head().size == 20
    engine.dispose()


@pytest.mark.postgres
def test_a_worker_that_ends_is_followed_by_another(served: Server):
    before = workers_of(served)
    os.kill(lost := min(before), signal.SIGKILL)
    until(lambda: len(workers_of(served)) == 2 and lost not in workers_of(served))
    assert post(served, "aaa-bbb-one").status_code == 201
    said = served.end()
    assert f"worker {lost} has ended; starting another\n" in said
    assert said.endswith("stopping\nstopped\n")


@pytest.mark.postgres
def test_workers_end_with_a_parent_that_is_killed(served: Server):
    before = workers_of(served)
    served.end(signal.SIGKILL)
    until(lambda: not any(Path(f"/proc/{worker}").exists() for worker in before))


def test_a_worker_that_does_not_start_ends_all(key: Path):
    nowhere = Settings(database="postgresql://nobody@127.0.0.1:9/none", log_key_file=str(key))
    with bind("127.0.0.1", 0) as listener, pytest.raises(Stop, match="a worker did not start") as stopped:
        Workers(nowhere, listener, serve_one, 2).run(lambda: pytest.fail("it is not ready"))
    assert stopped.value.code == UNREACHABLE


def test_a_worker_that_does_not_end_is_killed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(workers, "PATIENCE", 0.2)
    with bind("127.0.0.1", 0) as listener:
        Workers(Settings(), listener, workers_that.serve_and_do_not_end, 2).run(
            lambda: os.kill(os.getpid(), signal.SIGTERM)
        )
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "stopping"
    assert [line.partition(" does ")[2] for line in said[1:]] == ["not end and is killed"] * 2


def test_told_to_stop_before_all_answer_it_does(capsys: pytest.CaptureFixture[str]):
    with bind("127.0.0.1", 0) as listener:
        Workers(Settings(), listener, workers_that.never_answer, 2).run(
            lambda: pytest.fail("it is not ready")
        )
    assert capsys.readouterr().err == "stopping\n"


def test_sqlite_has_one_process(registry, sqlite_url: str):
    ran = registry("serve", "--workers", "2", "--port", "0", "--database", sqlite_url)
    assert (ran.code, ran.err) == (
        USAGE,
        "registry: SQLite has one process that writes; --workers is for PostgreSQL\n",
    )


@pytest.mark.parametrize("number", ["0", "-1", "many", "65"])
def test_what_is_no_number_of_processes_is_said(registry, number: str):
    ran = registry("serve", f"--workers={number}")
    assert ran.code == USAGE
    assert "a number of processes is 1 to 64" in ran.err


def test_what_cannot_be_reached_is_said_before_any_worker_starts(key: Path):
    code, said = refused(
        "serve",
        "--workers",
        "2",
        "--port",
        "0",
        database="postgresql://nobody@127.0.0.1:9/none",
        log_key_file=str(key),
    )
    assert (code, said) == (UNREACHABLE, "registry: the database cannot be reached\n")


@pytest.mark.postgres
def test_each_is_unready_before_it_ends_and_tells_the_figures_of_all(postgres_url: str, key: Path):
    settings = {"auth": "off", "log_key_file": str(key), "drain_seconds": "2"}
    arguments = ("serve", "--port", "0", "--workers", "2")
    with serving(*arguments, database=postgres_url, **settings) as server:
        until(lambda: httpx.get(f"{server.url}/readyz").status_code == 200)
        for i in range(8):
            assert post(server, f"aaa-bbb-{i}").status_code == 201
        told = httpx.get(f"{server.url}/metrics").text
        counted = re.findall(
            r'^registry_events_appended_total\{worker="([0-9]+)"\} ([0-9]+)$', told, re.MULTILINE
        )
        assert {int(worker) for worker, _ in counted} == workers_of(server)
        assert sum(int(count) for _, count in counted) == 8
        began = time.monotonic()
        server.process.send_signal(signal.SIGTERM)
        until(lambda: httpx.get(f"{server.url}/readyz").status_code == 503, seconds=2)
        assert httpx.get(f"{server.url}/healthz").status_code == 200
        assert post(server, "aaa-bbb-last").status_code == 201
        server.end()
        assert 2 <= time.monotonic() - began < 10
        assert server.process.returncode == DONE
