"""Following the log through a server: one played by a function, and real ones."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.posts import registered
from cli.servers import COMMAND, environment, serving
from registry.cli import live
from registry.cli.exits import DONE, INTERRUPTED, Stop
from registry.cli.feed import RemoteFeed, Wanted
from registry.cli.live import dispatched, server_of
from registry.errors import RegistryError
from registry.store.database import open_reader
from registry.store.reader import Reader

Handler = Callable[[httpx.Request], httpx.Response]
STREAM = {"Content-Type": "text/event-stream"}


def frame(position: int, text: str = "x") -> bytes:
    data = json.dumps({"sequence": f"{position:019}", "text": text}, ensure_ascii=False)
    return f"id: {position}\nevent: agreement.signed.v1\ndata: {data}\n\n".encode()


def client(handler: Handler) -> httpx.Client:
    return httpx.Client(base_url="http://registry.example", transport=httpx.MockTransport(handler))


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "RECONNECT", 0.0)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_an_event_stream_is_read_wherever_it_is_cut(size):
    whole = b": live\n\n" + frame(1, "a\u2028b\u0085c") + b": heartbeat\n\n" + frame(2) + b"id: 3\ndata: {"
    pieces = [whole[i : i + size] for i in range(0, len(whole), size)]
    assert [json.loads(data)["text"] for data in dispatched(pieces)] == ["a\u2028b\u0085c", "x"]


def test_lines_of_one_event_belong_together():
    assert list(dispatched([b"data:a\ndata: b\n\ndata: c\n\n"])) == ["a\nb", "c"]


def test_a_connection_that_ends_is_made_again_without_a_gap(capsys):
    asked: list[httpx.Request] = []

    def handler(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        match len(asked):
            case 1:
                return httpx.Response(200, headers=STREAM, content=frame(4) + frame(5))
            case 2:
                raise httpx.ConnectError("connection refused", request=request)
            case 3:
                return httpx.Response(503, headers={"Retry-After": "1"})
            case _:
                return httpx.Response(200, headers=STREAM, content=frame(6))

    wanted = Wanted("pak-slv", ("agreement.signed.v1", "agreement.ratified.v1"))
    news = RemoteFeed(client(handler)).news(3, wanted)
    assert [int(next(news)[0]["sequence"]) for _ in range(3)] == [4, 5, 6]
    assert [request.headers["Last-Event-ID"] for request in asked] == ["3", "5", "5", "5"]
    assert asked[0].url.params["agreement"] == "pak-slv"
    assert asked[0].url.params["type"] == "agreement.signed.v1,agreement.ratified.v1"
    assert asked[0].headers["Accept"] == "text/event-stream"
    said = capsys.readouterr().err.splitlines()
    assert said[0] == "the server has ended the stream; connecting again"
    assert "connection refused; connecting again" in said[1]
    assert len(said) == 3


def problem(status: int) -> httpx.Response:
    kind = {"Content-Type": "application/problem+json"}
    return httpx.Response(status, headers=kind, json={"title": "No", "detail": "not here"})


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (httpx.Response(401), Stop),
        (httpx.Response(200, text="<html>"), Stop),
        (problem(400), RegistryError),
        (problem(406), RegistryError),
    ],
)
def test_a_server_that_does_not_give_them_is_not_asked_again(response, error):
    with pytest.raises(error):
        next(RemoteFeed(client(lambda _: response)).news(0, Wanted()))


def read_lines(process: subprocess.Popen[str], many: int) -> Iterator[dict[str, Any]]:
    assert process.stdout is not None
    for _ in range(many):
        yield json.loads(process.stdout.readline())


def follow(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*COMMAND, "tail", "-f", *arguments],
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def end(process: subprocess.Popen[str]) -> str:
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)
    assert process.returncode == INTERRUPTED
    return said


@pytest.mark.parametrize("through", ["url", "the database that the server holds"])
def test_following_a_server_survives_its_restart(told_url, registry, file_of, through):
    with serving("serve", "--port", "0", "--database", told_url, auth="off") as first:
        port = first.url.rpartition(":")[2]
        where = ("--url", first.url) if through == "url" else ("--database", told_url)
        following = follow("-n", "1", *where)
        assert [int(event["sequence"]) for event in read_lines(following, 1)] == [71]
        assert registry("append", file_of([registered("one")]), "--url", first.url).code == DONE
        assert [event["subject"] for event in read_lines(following, 1)] == ["one"]
    with serving("serve", "--port", port, "--database", told_url, auth="off") as second:
        assert registry("append", file_of([registered("two")]), "--url", second.url).code == DONE
        assert [event["subject"] for event in read_lines(following, 1)] == ["two"]
        assert "the server has ended the stream; connecting again" in end(following)


class Settings:
    def __init__(self, database: str) -> None:
        self.database = database


def served(url: str) -> str | None:
    engine = open_reader(url)
    try:
        return server_of(Settings(url), Reader(engine))  # type: ignore[arg-type]
    finally:
        engine.dispose()


def write_lock_file(url: str, text: str | bytes) -> None:
    path = Path(url.removeprefix("sqlite:///") + ".lock")
    path.write_bytes(text if isinstance(text, bytes) else text.encode())


def test_the_server_that_holds_a_database_is_found(sqlite_url):
    assert served(sqlite_url) is None
    with serving("serve", "--port", "0", "--database", sqlite_url, auth="off") as server:
        assert served(sqlite_url) == server.url
    write_lock_file(sqlite_url, server.url)  # as one that was killed leaves it
    assert served(sqlite_url) is None


def test_a_server_that_does_not_let_this_command_in_is_not_gone_through(sqlite_url):
    with serving("serve", "--port", "0", "--database", sqlite_url, auth="on"):
        assert served(sqlite_url) is None


@pytest.mark.parametrize("answered", [{"origin": "another.example/log"}, {}, []])
def test_another_registry_at_an_old_address_is_not_taken_for_it(sqlite_url, monkeypatch, answered):
    write_lock_file(sqlite_url, "http://127.0.0.1:9")
    monkeypatch.setattr(live, "get", lambda url, path: answered)
    assert served(sqlite_url) is None


@pytest.mark.parametrize("text", ["", "\n", b"\xff\xfe"])
def test_a_lock_file_without_a_url_says_nothing(sqlite_url, text):
    write_lock_file(sqlite_url, text)
    assert served(sqlite_url) is None


@pytest.mark.postgres
def test_postgresql_is_followed_directly(postgres_url):
    assert served(postgres_url) is None
