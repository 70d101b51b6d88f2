"""A log over HTTP: one host, no redirects, limits, and what is read with a key and without."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from registry.verifier.main import Usage
from registry.verifier.outcome import HOLDS, MALFORMED, TAMPERED, UNREADABLE, Ended
from registry.verifier.remote import MOST_WAITS, fetching, parse_url
from verifier.test_mirror import static
from verifier.world import World, facts, last_note, leaf

KEY = "key-of-the-auditor"


class Served(BaseHTTPRequestHandler):
    """Gives out files; entries for a key alone."""

    folder: ClassVar[Path]
    answers: ClassVar[dict[str, tuple[int, bytes]]] = {}
    put_off: ClassVar[list[tuple[int, str | None]]] = []
    """The next answers: a status, and when to come back."""
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        status, content = self.answers.get(self.path) or self.read()
        again = None
        if self.put_off:
            status, again = self.put_off.pop(0)
        self.send_response(status)
        if again is not None:
            self.send_header("Retry-After", again)
        if status == 302:
            self.send_header("Location", "/checkpoint")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def read(self) -> tuple[int, bytes]:
        if "/entries/" in self.path and self.headers["Authorization"] != f"Bearer {KEY}":
            return 401, b"{}"
        file = self.folder / self.path.removeprefix("/log/")
        return (200, file.read_bytes()) if file.is_file() else (404, b"{}")

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(standing: World, tmp_path: Path) -> Iterator[str]:
    """The URL of a server with the static files of a registry."""
    entries = [fact.entry for fact in facts(standing.path)]
    note = last_note(standing.path, standing.origin)
    Served.folder = static(entries, [leaf(entry) for entry in entries], note, tmp_path / "log")
    Served.answers = {}
    Served.put_off = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Served)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/log"
    server.shutdown()
    thread.join()
    server.server_close()


def test_with_a_key_the_entries_are_read(check, served: str):
    report = check(served, api_key=KEY)
    assert (report.code, report.events, report.kind) == (HOLDS, 75, "log over HTTP")


def test_without_one_the_tree_alone_is_recomputed(check, served: str):
    report = check(served)
    assert (report.code, report.events, report.size) == (HOLDS, 0, 75)
    assert any("anything about the entries" in text for text in report.not_proven)


def test_a_changed_tile_is_found(check, served: str):
    Served.answers = {"/log/tile/0/000.p/75": (200, bytes(75 * 32))}
    assert check(served).code == TAMPERED
    Served.answers = {"/log/tile/0/000.p/75": (200, bytes(31))}
    assert check(served).code == MALFORMED


def test_a_redirect_is_not_followed(check, served: str):
    Served.answers = {"/log/checkpoint": (302, b"")}
    report = check(served)
    assert (report.code, "answers 302" in str(report.problems)) == (UNREADABLE, True)


def test_what_is_too_long_is_not_read(check, served: str):
    Served.answers = {"/log/checkpoint": (200, b"x" * 1_000_001)}
    assert check(served).code == MALFORMED


def test_a_server_that_says_when_to_come_back_is_asked_again_then(served: str):
    Served.put_off = [(429, "3"), (503, "60")]
    waited: list[float] = []
    with fetching(served, wait=waited.append) as fetch:
        assert fetch("checkpoint", 10_000).startswith(b"registry.test/")
    assert waited == [3, 60]


@pytest.mark.parametrize(
    ("status", "again"), [(429, None), (429, "61"), (503, "soon"), (503, "9" * 5000), (404, "1"), (500, "1")]
)
def test_one_that_does_not_or_wants_too_long_is_not_waited_for(served: str, status: int, again: str | None):
    Served.put_off = [(status, again)]
    waited: list[float] = []
    with fetching(served, wait=waited.append) as fetch, pytest.raises(Ended, match=f"answers {status}"):
        fetch("checkpoint", 10_000)
    assert waited == []


def test_one_that_puts_off_for_ever_is_given_up(served: str):
    Served.put_off = [(429, "1")] * 100
    waited: list[float] = []
    with fetching(served, wait=waited.append) as fetch, pytest.raises(Ended, match="answers 429"):
        fetch("checkpoint", 10_000)
    assert waited == [1] * MOST_WAITS


def test_a_server_that_is_gone_is_told(check):
    report = check("http://127.0.0.1:9/")
    assert (report.code, "does not answer" in str(report.problems)) == (UNREADABLE, True)


@pytest.mark.parametrize(
    "url",
    [
        "http://registry.example/",
        "http://10.0.0.1/",
        "ftp://registry.example/",
        "https://user@registry.example/",
        "https://registry.example/?a=b",
        "https://registry.example/#a",
        "https:///x",
    ],
)
def test_any_other_url_is_refused(check, url: str):
    with pytest.raises(Usage):
        check(url)


def test_a_url_names_a_host_and_what_stands_before_every_path():
    assert parse_url("https://registry.example/log/") == (True, "registry.example", None, "/log")
    assert parse_url("http://localhost:8000") == (False, "localhost", 8000, "")
    assert parse_url("http://[::1]:8000/")[1] == "::1"


def test_an_https_server_that_is_gone_is_told():
    with fetching("https://127.0.0.1:9/", timeout=1) as fetch, pytest.raises(Ended, match="does not answer"):
        fetch("checkpoint", 10)
