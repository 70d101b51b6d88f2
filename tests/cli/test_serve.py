"""The service as a process: how it starts, why it does not, how it ends."""

import json
import signal
import socket
import time
import urllib.request

import httpx
import pytest

from cli.servers import refused, serving
from registry.__main__ import main
from registry.cli import console
from registry.cli.exits import DONE, LOCKED, PORT_TAKEN, UNREACHABLE, USAGE
from registry.cli.listen import GRACE
from registry.store.lock import holder


def get(url: str) -> dict[str, object]:
    """Ask a server that has just started; its read models may still have to be built."""
    for _ in range(200):
        try:
            with urllib.request.urlopen(url) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                if error.code != 503:
                    raise
        time.sleep(0.05)
    raise TimeoutError(url)


def test_a_new_sqlite_database_is_made_and_served(tmp_path):
    database = f"sqlite:///{tmp_path}/new/registry.db"
    with serving(
        "serve", "--port", "0", "--database", database, auth="off", origin="log.example/1"
    ) as server:
        assert get(f"{server.url}/log")["origin"] == "log.example/1"
        assert holder(database) == server.url
        assert server.said.endswith("(REGISTRY_AUTH=off: every program on this machine may do everything)\n")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_good_order(sqlite_url, how):
    with serving("serve", "--port", "0", "--database", sqlite_url) as server:
        get(f"{server.url}/readyz")
        assert server.end(how) == "stopping\nstopped\n"
        assert server.process.returncode == DONE
    assert holder(sqlite_url) is None


def test_a_server_that_was_killed_is_followed_by_the_next(sqlite_url):
    with serving("serve", "--port", "0", "--database", sqlite_url) as first:
        first.end(signal.SIGKILL)
    with serving("serve", "--port", "0", "--database", sqlite_url) as second:
        assert get(f"{second.url}/readyz")["status"] == "ready"


def test_a_port_that_is_taken_is_said_and_nothing_is_made(registry, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = registry("serve", "--port", port, "--database", f"sqlite:///{tmp_path}/registry.db")
    assert ran.code == PORT_TAKEN
    assert (
        ran.err == f"registry: port {port} of 127.0.0.1 is taken by another program; choose one with --port\n"
    )
    assert list(tmp_path.iterdir()) == []


def test_a_database_that_another_server_holds_is_said_with_its_url(sqlite_url):
    with serving("serve", "--port", "0", "--database", sqlite_url) as server:
        code, said = refused("serve", "--port", "0", "--database", sqlite_url)
        assert code == LOCKED
        assert said.startswith(f"registry: the server at {server.url} writes ")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"port": "ninety"}, "REGISTRY_PORT"),
        ({"auth": "off", "host": "0.0.0.0"}, "REGISTRY_AUTH=off binds loopback addresses only"),
        ({"database": "mysql://x/y", "port": "0"}, "REGISTRY_DATABASE"),
        ({"host": "192.0.2.1"}, "cannot listen on 192.0.2.1"),
        ({"colour": "red"}, "REGISTRY_COLOUR"),
    ],
)
def test_a_wrong_setting_is_named(registry, monkeypatch, settings, said):
    for name, value in settings.items():
        monkeypatch.setenv(f"REGISTRY_{name.upper()}", value)
    ran = registry("serve")
    assert ran.code == USAGE
    assert said in ran.err
    assert len(ran.err.splitlines()) == 1


def test_a_database_that_cannot_be_reached_is_said(registry):
    ran = registry("serve", "--port", "0", "--database", "postgresql://nobody@127.0.0.1:9/none")
    assert (ran.code, ran.err) == (UNREACHABLE, "registry: the database cannot be reached\n")


@pytest.mark.postgres
def test_postgresql_is_not_migrated_by_the_service(registry, empty_postgres_url):
    ran = registry("serve", "--port", "0", "--database", empty_postgres_url)
    assert ran.code == UNREACHABLE
    assert "run `registry migrate`" in ran.err


@pytest.mark.postgres
def test_two_servers_share_a_postgresql_database(registry, postgres_url, tmp_path):
    ran = registry("serve", "--port", "0", "--database", postgres_url)
    assert ran.code == USAGE
    assert "REGISTRY_LOG_KEY_FILE" in ran.err
    assert registry("log", "key", "--new", tmp_path / "key").code == 0
    given = {"log_key_file": str(tmp_path / "key")}
    with (
        serving("serve", "--port", "0", "--database", postgres_url, **given) as one,
        serving("serve", "--port", "0", "--database", postgres_url, **given) as other,
    ):
        assert get(f"{one.url}/readyz") == get(f"{other.url}/readyz")


def test_it_serves_in_this_process(sqlite_url, monkeypatch):
    said: list[str] = []

    def note(text: str) -> None:
        said.append(text)
        if text.startswith("serving http://127.0.0.1:"):
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(console, "note", note)
    assert main(["serve", "--port", "0", "--database", sqlite_url]) == DONE
    assert said[1:] == ["stopping", "stopped"]


def test_a_client_that_listens_does_not_hold_up_the_end(tmp_path):
    with serving("demo", "--port", "0", "--data-dir", str(tmp_path)) as demo:
        asked = urllib.request.Request(f"{demo.url}/events", headers={"Accept": "text/event-stream"})
        with urllib.request.urlopen(asked) as stream:
            assert stream.readline()
            began = time.monotonic()
            assert demo.end().endswith("stopping\nstopped\n")
            assert time.monotonic() - began < GRACE
            assert demo.process.returncode == DONE
            stream.read()


def test_everything_that_a_server_says_is_json_unless_a_person_looks(sqlite_url: str):
    settings = {"auth": "off", "log_format": "json", "access_lines": "true"}
    with serving("serve", "--port", "0", "--database", sqlite_url, **settings) as server:
        httpx.get(f"{server.url}/agreements/none?secret=1", headers={"X-Request-ID": "asked-for-nothing"})
        said = (server.said + server.end()).splitlines()
    told = [json.loads(line) for line in said]
    assert [line["message"].partition(" http")[0] for line in told if "message" in line][-3:] == [
        "serving",
        "stopping",
        "stopped",
    ]
    (asked,) = [line for line in told if line.get("request_id") == "asked-for-nothing"]
    assert (asked["route"], asked["status"], asked["problem"]) == ("/agreements/{id}", 400, "malformed")
