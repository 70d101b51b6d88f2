"""The commands through a live server: append, show, tail."""

import json
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.posts import entered, registered, terminated
from cli.servers import COMMAND, Server, environment, serving
from registry.cli.demo import AGREEMENT, STORY
from registry.cli.exits import DONE, INTERRUPTED, REFUSED, UNREACHABLE


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("served")


@pytest.fixture(scope="module")
def server(directory: Path) -> Iterator[Server]:
    """A registry that holds the story, served for all tests of this module."""
    with serving("demo", "--port", "0", "--data-dir", str(directory)) as demo:
        yield demo


@pytest.fixture(autouse=True)
def key(registry, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the commands show the key of the server."""
    monkeypatch.setenv("REGISTRY_API_KEY", server.key)


@pytest.fixture
def database(server: Server, directory: Path) -> str:
    """The database that the server holds."""
    return f"sqlite:///{directory}/registry.db"


def size(registry, server: Server) -> int:
    (last,) = registry("tail", "-n", "1", "--url", server.url).lines
    return int(last["sequence"])


def test_what_is_known_is_recognised(registry, server):
    ran = registry("append", STORY[1], "--url", server.url, "--json")
    assert (ran.code, ran.err) == (DONE, "")
    assert (ran.json["appended"], ran.json["replayed"], ran.json["position"]) == (0, 42, 71)


def test_every_bad_line_costs_only_itself_over_http_too(registry, file_of, server):
    path = file_of(
        [
            registered("http-one"),
            "{",
            entered("http-none", "2025"),
            terminated("http-one", "2025-07-16"),
            {"specversion": "1.0"},
            *(registered(f"http-{n}") for n in range(10, 40)),
            registered("http-one", "/other") | {"type": "agreement.unknown.v1"},
        ]
    )
    before = size(registry, server)
    ran = registry("append", path, "--url", server.url, "--warnings")
    assert ran.code == REFUSED
    assert ran.out.startswith("appended 32 events (4 refused, 1 warning) in ")
    assert size(registry, server) == before + 32
    reported = dict(line.removeprefix("line ").split(": ", 1) for line in ran.err.splitlines())
    assert sorted(reported, key=int) == ["2", "3", "4", "5", "36"]
    assert "unknown-agreement" in reported["3"]
    assert reported["4"].startswith("warning: termination-without-entry-into-force: ")
    assert "is required" in reported["5"]
    assert "/type" in reported["36"]


def test_a_file_larger_than_a_batch_of_the_server_goes_in(registry, file_of, server, monkeypatch):
    monkeypatch.setenv("REGISTRY_MAX_BATCH_EVENTS", "10000")
    path = file_of(registered(f"many-{n}") for n in range(1500))
    assert registry("append", path, "--url", server.url, "--json").json["appended"] == 1500


def test_a_database_that_is_served_is_appended_to_through_its_server(registry, file_of, server, database):
    ran = registry("append", file_of([registered("through-the-lock")]), "--database", database)
    assert (ran.code, ran.err) == (
        DONE,
        f"the server at {server.url} writes the database; going through it\n",
    )
    assert ran.out.startswith("appended 1 event in ")


def test_an_agreement_is_shown_alike_from_both_places(registry, server, database):
    for options in (
        (),
        ("--valid-as-of", "2025-07-15"),
        ("--known-as-of", "29"),
        ("--json", "--known-as-of", "71"),
        ("--explain", "--valid-as-of", "2025-07-16"),
        ("--explain", "--json", "--known-as-of", "29"),
    ):
        here = registry("show", AGREEMENT, "--database", database, *options)
        there = registry("show", AGREEMENT, "--url", server.url, *options)
        assert (here.code, here.out) == (there.code, there.out)
        assert here.code == DONE


def test_an_agreement_that_is_not_there(registry, server):
    ran = registry("show", "nowhere", "--url", server.url)
    assert (ran.code, ran.out) == (REFUSED, "")
    assert "nowhere" in ran.err


@pytest.mark.parametrize("name", ["..", "a/b", "x?y=z", "Ä"])
def test_a_name_that_is_no_id_asks_for_nothing_else(registry, server, name):
    ran = registry("show", name, "--url", server.url)
    assert ran.code == REFUSED
    assert len(ran.err.splitlines()) == 1


def test_the_log_is_read_alike_from_both_places(registry, server, database):
    for options in (
        ("--after", "60", "-n", "3")[:2],
        ("-n", "3"),
        ("--type", "signed", "--type", "registered", "-n", "600"),
        ("--agreement", AGREEMENT, "-n", "2"),
    ):
        here = registry("tail", "--database", database, *options)
        there = registry("tail", "--url", server.url, *options)
        assert here.lines == there.lines
        assert here.lines


def test_a_type_that_the_server_does_not_know_is_said(registry, server):
    ran = registry("tail", "--url", server.url, "--type", "dance")
    assert ran.code == REFUSED
    assert "type" in ran.err


@pytest.mark.parametrize("place", ["--url", "--database"])
def test_following_shows_what_is_recorded_and_ends_with_ctrl_c(registry, file_of, server, database, place):
    where = server.url if place == "--url" else database
    follow = subprocess.Popen(
        [*COMMAND, "tail", "-f", "-n", "1", place, where],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert follow.stdout is not None
    first = int(json.loads(follow.stdout.readline())["sequence"])
    registry("append", file_of([registered(f"followed-by{place}")]), "--url", server.url)
    assert int(json.loads(follow.stdout.readline())["sequence"]) == first + 1
    follow.send_signal(signal.SIGINT)
    _, said = follow.communicate(timeout=30)
    assert (follow.returncode, said) == (INTERRUPTED, "")


@pytest.mark.parametrize("command", [("append", STORY[0]), ("show", AGREEMENT), ("tail",), ("tail", "-f")])
def test_a_server_that_is_not_there_is_said(registry, command):
    ran = registry(*command, "--url", "http://127.0.0.1:9")
    assert ran.code == UNREACHABLE
    assert ran.err.startswith("registry: cannot reach http://127.0.0.1:9")


def test_a_server_that_lets_nobody_in_is_said(registry, sqlite_url):
    with serving("serve", "--port", "0", "--database", sqlite_url) as closed:
        for command in (("append", STORY[0]), ("show", AGREEMENT), ("tail",)):
            ran = registry(*command, "--url", closed.url)
            assert ran.code == UNREACHABLE
            assert "does not let this command in" in ran.err
