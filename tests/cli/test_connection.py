"""What bounds a connection, tried with sockets on a server that answers itself."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from threading import Event, Thread
from typing import Any

import pytest

from registry.cli import connection
from registry.cli.connection import LEFT_OVER, PIPELINED
from registry.cli.listen import Server, bind, server_of
from registry.config import Settings
from registry.http.parameters import MAX_HEADERS, MAX_TARGET
from registry.http.told import told_of

OK = b"HTTP/1.1 200 OK\r\n"
HEAD = b"POST / HTTP/1.1\r\nHost: registry.test\r\n"
GET = b"GET / HTTP/1.1\r\nHost: registry.test\r\n\r\n"
SOON = {"head_seconds": 1, "body_seconds": 1, "stall_seconds": 1}


class App:
    """Reads a body and says how long it was; refuses at ``/refused`` and ``/malformed``, waits at ``/wait``, and pours at ``/pour``."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.waits = Event()
        self.poured = Event()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            while (await receive())["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["path"] == "/pour":
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(64):
                await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
            self.poured.set()
            return
        size = 0
        while scope["path"] != "/refused":
            message = await receive()
            if message["type"] == "http.disconnect":
                self.heard.append("gone")
                return
            size += len(message["body"])
            if not message["more_body"]:
                break
        self.heard.append(f"{scope['client'][0]} {size}")
        if scope["path"] == "/malformed":
            told_of(scope).problem = "too-large"
        status = 413 if scope["path"] in ("/refused", "/malformed") else 200
        body = b"%d" % size
        length = [(b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": length})
        await send({"type": "http.response.body", "body": body})


class Running:
    def __init__(self, app: App, server: Server, port: int) -> None:
        self.app = app
        self.server = server
        self.port = port
        self.sockets = ExitStack()

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port), timeout=20)
        return self.sockets.enter_context(client)

    def ask(self, *pieces: bytes) -> bytes:
        """Send pieces, and read until the connection is closed."""
        client = self.connect()
        for piece in pieces:
            client.sendall(piece)
        return everything(client)

    @property
    def open(self) -> int:
        return len(self.server._connections.open)


def everything(client: socket.socket) -> bytes:
    said = b""
    try:
        while piece := client.recv(1 << 16):
            said += piece
    except ConnectionResetError:
        pass
    return said


def problem(said: bytes, status: int, kind: str) -> dict[str, Any]:
    head, _, body = said.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 %d " % status), said
    assert b"content-type: application/problem+json" in head
    assert b"connection: close" in head
    read: dict[str, Any] = json.loads(body)
    assert read["type"] == f"/problems/{kind}"
    assert f"x-request-id: {read['request_id']}".encode() in head
    return read


@pytest.fixture
def serve() -> Iterator[Callable[..., Running]]:
    """Run servers with settings, each in a thread, until the end of the test."""
    with ExitStack() as stack:

        def start(**settings: Any) -> Running:
            app, ready = App(), Event()
            server = server_of(app, Settings(**settings), ready=ready.set, stopping=lambda: None)
            listener = stack.enter_context(bind("127.0.0.1", 0))
            thread = Thread(target=server.run, args=([listener],))
            running = Running(app, server, listener.getsockname()[1])
            thread.start()
            stack.callback(thread.join, 30)
            stack.callback(server.handle_exit, 0, None)
            stack.enter_context(running.sockets)
            assert ready.wait(20)
            return running

        yield start


def test_a_request_after_the_other_is_answered_on_one_connection(serve: Callable[..., Running]) -> None:
    client = serve().connect()
    for _ in range(3):
        client.sendall(HEAD + b"Content-Length: 3\r\n\r\nabc")
        assert client.recv(1 << 16).endswith(b"\r\n\r\n3")


@pytest.mark.parametrize(
    "bytes_sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET  /  HTTP/9.9\r\n\r\n",
        HEAD + b"Content-Length: x\r\n\r\n",
        HEAD + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
        HEAD + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "GET /ü HTTP/1.1\r\n\r\n".encode(),
    ],
)
def test_what_is_no_request_is_a_problem(serve: Callable[..., Running], bytes_sent: bytes) -> None:
    running = serve()
    problem(running.ask(bytes_sent), 400, "malformed")
    assert running.ask(HEAD + b"Connection: close\r\n\r\n").startswith(OK)


def test_a_head_that_never_ends_is_cut_off_where_it_is_too_long(serve: Callable[..., Running]) -> None:
    running = serve(max_head_bytes=4096)
    pieces = [HEAD, *[b"X-%d: %s\r\n" % (number, b"x" * 500) for number in range(20)]]
    problem(running.ask(b"".join(pieces)[:4000], b"".join(pieces)[4000:]), 431, "head-too-large")
    problem(running.ask(b"GET /", *[b"x" * 4000] * 3), 414, "line-too-long")


def test_a_head_that_is_too_long_or_has_too_many_headers_is_refused(serve: Callable[..., Running]) -> None:
    running = serve(max_head_bytes=16_384)
    problem(running.ask(HEAD + b"X: %s\r\n\r\n" % (b"x" * 16_384)), 431, "head-too-large")
    problem(running.ask(HEAD + b"X: 1\r\n" * MAX_HEADERS + b"\r\n"), 431, "head-too-large")
    problem(running.ask(b"GET /%s HTTP/1.1\r\n\r\n" % (b"x" * MAX_TARGET)), 414, "line-too-long")
    most = b"X: 1\r\n" * (MAX_HEADERS - 3) + b"Connection: close\r\nContent-Length: 20000\r\n\r\n"
    assert running.ask(HEAD + most + bytes(20_000)).startswith(OK), "a body is no head"


def test_heads_that_come_with_the_bodies_before_them_are_counted_by_themselves(
    serve: Callable[..., Running],
) -> None:
    whole = HEAD + b"Content-Length: 5000\r\n\r\n" + bytes(5000)
    last = HEAD + b"Connection: close\r\n\r\n"
    said = serve(max_head_bytes=1024).ask(whole + whole[:60], whole[60:] + last)
    assert said.count(OK) == 3


def test_too_many_requests_at_once_are_not_taken_and_those_before_them_answered(
    serve: Callable[..., Running],
) -> None:
    said = serve().ask(GET * 1000)
    assert said.count(OK) == PIPELINED + 1
    assert said.count(b"HTTP/1.1") == PIPELINED + 1


def test_a_request_that_came_whole_is_answered_though_garbage_follows(serve: Callable[..., Running]) -> None:
    running = serve()
    said = running.ask(HEAD + b"Content-Length: 3\r\n\r\nabc" + b"\x00garbage\r\n\r\n")
    assert said.startswith(OK)
    assert said.endswith(b"\r\n\r\n3")
    assert running.app.heard == ["127.0.0.1 3"]


def test_whoever_sends_nothing_is_let_go_of(serve: Callable[..., Running]) -> None:
    running = serve(**SOON)
    assert running.ask() == b""
    assert running.ask(b"\r\n\r\n") == b"", "empty lines begin no request"
    assert running.open == 0


def test_a_head_that_does_not_come_in_time_is_a_problem(serve: Callable[..., Running]) -> None:
    problem(serve(**SOON).ask(HEAD + b"X-Sl"), 408, "too-slow")


def test_a_head_that_does_not_come_in_time_after_another_request_is_a_problem(
    serve: Callable[..., Running],
) -> None:
    running = serve(**SOON)
    running.server.config.timeout_keep_alive = 0.5
    client = running.connect()
    client.sendall(HEAD + b"Content-Length: 3\r\n\r\nabc")
    assert client.recv(1 << 16).endswith(b"3")
    client.sendall(HEAD)
    problem(everything(client), 408, "too-slow")


def test_a_body_that_does_not_come_in_time_is_a_problem_and_who_waits_for_it_is_told(
    serve: Callable[..., Running],
) -> None:
    running = serve(**SOON)
    problem(running.ask(HEAD + b"Content-Length: 30\r\n\r\nabc"), 408, "too-slow")
    problem(running.ask(HEAD + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"), 408, "too-slow")
    assert running.app.heard == ["gone", "gone"]


def test_a_body_that_comes_steadily_may_take_longer(serve: Callable[..., Running]) -> None:
    client = serve(**SOON).connect()
    client.sendall(HEAD + b"Content-Length: 40000\r\nConnection: close\r\n\r\n")
    until = time.monotonic() + 2.5
    while time.monotonic() < until:
        client.sendall(bytes(1000))
        time.sleep(0.1)
    client.sendall(bytes(40_000))
    assert everything(client).startswith(OK)


def test_what_is_left_of_a_body_that_was_refused_is_passed_over_up_to_a_bound(
    serve: Callable[..., Running],
) -> None:
    running = serve()
    client = running.connect()
    client.sendall(b"POST /refused HTTP/1.1\r\nContent-Length: 300000\r\n\r\n" + bytes(300_000) + GET)
    said = b""
    while said.count(b"HTTP/1.1") < 2:
        said += client.recv(1 << 16)
    assert b" 413 " in said
    assert OK in said
    client = running.connect()
    client.sendall(b"POST /refused HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n")
    with pytest.raises(OSError, match=r"reset|[Pp]ipe"):
        client.sendall((b"10000\r\n" + bytes(1 << 16) + b"\r\n") * (100 * LEFT_OVER >> 16))


def test_whoever_takes_nothing_of_an_answer_is_dropped(serve: Callable[..., Running]) -> None:
    running = serve(**SOON)
    running.connect().sendall(b"GET /pour HTTP/1.1\r\n\r\n")
    assert running.app.poured.wait(20), "the server writes on once the client is gone"
    assert running.open == 0


def test_whoever_takes_an_answer_slowly_is_not(serve: Callable[..., Running]) -> None:
    running = serve(**SOON)
    client = running.connect()
    client.sendall(b"GET /pour HTTP/1.1\r\nConnection: close\r\n\r\n")
    size, until = 0, time.monotonic() + 3.5
    while time.monotonic() < until:
        size += len(client.recv(1 << 17))
        time.sleep(0.05)
    assert not running.app.poured.is_set()
    while piece := client.recv(1 << 20):
        size += len(piece)
    assert size > 64 << 20


def test_there_are_so_many_connections_and_no_more(serve: Callable[..., Running]) -> None:
    running = serve(max_connections=3)
    first, *_ = (running.connect() for _ in range(3))
    first.sendall(GET)
    assert first.recv(1 << 16).startswith(OK)
    refused = problem(running.ask(), 503, "unavailable")
    assert refused["detail"] == "this process holds 3 connections, as many as it may"
    first.close()
    while running.open == 3:
        time.sleep(0.01)
    assert running.ask(HEAD + b"Connection: close\r\n\r\n").startswith(OK)


def test_one_address_holds_so_many_connections_unless_it_is_of_this_machine_or_a_proxy(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    running = serve(max_connections_each=2)
    clients = [running.connect() for _ in range(3)]
    clients[-1].sendall(GET)
    assert clients[-1].recv(1 << 16).startswith(OK), "many may stand behind an address of this machine"
    monkeypatch.setattr("registry.cli.connection.is_loopback", lambda address: False)
    assert "this address holds 2" in problem(running.ask(), 503, "unavailable")["detail"]
    trusting = serve(max_connections_each=2, trusted_proxies="127.0.0.0/8")
    clients = [trusting.connect() for _ in range(3)]
    clients[-1].sendall(GET)
    assert clients[-1].recv(1 << 16).startswith(OK)


def test_an_address_of_which_much_is_refused_is_listened_to_later(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.cli.connection.is_loopback", lambda address: False)
    monkeypatch.setattr(connection, "REFUSED_AT_ONCE", 3)
    monkeypatch.setattr(connection, "REFUSED_A_SECOND", 0.5)
    running = serve()
    kept = running.connect()
    for _ in range(3):
        problem(running.ask(b"nonsense\r\n\r\n"), 400, "malformed")
    late = running.connect()
    late.sendall(HEAD + b"Content-Length: 3\r\n")
    leaving = running.connect()
    leaving.sendall(HEAD + b"Content-Length: 5\r\n\r\nabcde")
    leaving.close()
    kept.sendall(GET)
    assert kept.recv(1 << 16).startswith(OK), "who has not been refused goes on"
    late.sendall(b"Connection: close\r\n\r\nabc")
    assert running.app.heard == ["127.0.0.1 0"]
    assert everything(late).endswith(b"\r\n\r\n3"), "whatever came before it was listened to is there"
    while running.open > 1:
        time.sleep(0.01)
    assert running.app.heard == ["127.0.0.1 0", "127.0.0.1 3"], "who has left wants nothing any more"


def test_a_connection_on_which_much_is_refused_rests(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.cli.connection.is_loopback", lambda address: False)
    monkeypatch.setattr(connection, "REFUSED_AT_ONCE", 3)
    monkeypatch.setattr(connection, "REFUSED_A_SECOND", 2)
    running = serve()
    client, other = running.connect(), running.connect()
    for _ in range(3):
        client.sendall(b"GET /malformed HTTP/1.1\r\n\r\n")
        assert b" 413 " in client.recv(1 << 16)
    client.sendall(GET)
    other.sendall(HEAD + b"Content-Length: 3\r\n\r\nabc")
    assert other.recv(1 << 16).startswith(OK)
    assert running.app.heard == ["127.0.0.1 0"] * 3 + ["127.0.0.1 3"], (
        "the other one is still to be listened to"
    )
    assert client.recv(1 << 16).startswith(OK)
    client.sendall(b"GET /malformed HTTP/1.1\r\n\r\n" + GET)
    said = b""
    while OK not in said:
        said += client.recv(1 << 16)


@pytest.mark.parametrize("path", [b"/wait", b"/pour"])
def test_whoever_leaves_before_the_end_of_an_answer_is_counted(
    serve: Callable[..., Running], monkeypatch: pytest.MonkeyPatch, path: bytes
) -> None:
    monkeypatch.setattr("registry.cli.connection.is_loopback", lambda address: False)
    running = serve()
    refusals = running.server._connections._refusals
    running.ask(HEAD + b"Connection: close\r\n\r\n")
    assert refusals.empty
    client = running.connect()
    client.sendall(b"GET %b HTTP/1.1\r\nContent-Length: 3\r\n\r\n" % path)
    client.close()
    while refusals.empty:
        time.sleep(0.01)


@pytest.mark.parametrize("trusted", ["127.0.0.0/8", ""])
def test_addresses_behind_which_many_may_stand_are_not_made_to_wait(
    serve: Callable[..., Running], trusted: str
) -> None:
    running = serve(trusted_proxies=trusted)
    for _ in range(3):
        problem(running.ask(b"nonsense\r\n\r\n"), 400, "malformed")
    assert running.server._connections._refusals.empty


def test_nobody_is_believed_about_another_address(serve: Callable[..., Running]) -> None:
    running = serve()
    running.ask(HEAD + b"X-Forwarded-For: 192.0.2.1\r\nConnection: close\r\n\r\n")
    assert running.app.heard == ["127.0.0.1 0"]


def test_an_upgrade_is_answered_as_if_it_had_not_been_asked_for(serve: Callable[..., Running]) -> None:
    asked = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: upgrade\r\nUpgrade: %s\r\nSec-WebSocket-Version: 13\r\n\r\n"
    running = serve(**SOON)
    for protocol in (b"websocket", b"h2c"):
        client = running.connect()
        client.sendall(asked % protocol)
        assert client.recv(1 << 16).startswith(OK)
        client.sendall(b"\x81\x05hello" * 100)
        assert OK not in everything(client)
