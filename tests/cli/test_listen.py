"""The server process around the application."""

import signal
import socket
import time
import urllib.request
from collections.abc import Callable
from threading import Thread

import pytest

from registry.cli.exits import PORT_TAKEN, UNREACHABLE, USAGE, Stop
from registry.cli.listen import GRACE, bind, serve_forever, url_of
from registry.config import Settings


class App:
    """Answers every request with 204 and remembers its lifespan."""

    def __init__(self, *, starts: bool = True, starting: Callable[[], None] = lambda: None) -> None:
        self.starts = starts
        self.starting = starting
        self.past: list[str] = []

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            while (message := await receive())["type"] == "lifespan.startup":
                self.past.append("startup")
                self.starting()
                await send({"type": f"lifespan.startup.{'complete' if self.starts else 'failed'}"})
                if not self.starts:
                    return
            self.past.append(message["type"].removeprefix("lifespan."))
            await send({"type": "lifespan.shutdown.complete"})
        else:
            self.past.append("request")
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})


class Pouring(App):
    """Answers with more than anybody takes who does not read."""

    async def __call__(self, scope, receive, send) -> None:
        if scope["type"] == "lifespan":
            await super().__call__(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(64):
            await send({"type": "http.response.body", "body": bytes(1 << 20), "more_body": True})
        self.past.append("let go")


@pytest.fixture
def listener():
    with bind("127.0.0.1", 0) as bound:
        yield bound


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_server_in_good_order(listener, how):
    app = App()
    serve_forever(
        app,
        listener,
        Settings(),
        ready=lambda: signal.raise_signal(how),
        stopping=lambda: app.past.append("stopping"),
    )
    assert app.past == ["startup", "stopping", "shutdown"]


def test_a_signal_before_it_serves_ends_it_as_soon_as_it_does(listener):
    app = App(starting=lambda: signal.raise_signal(signal.SIGTERM))
    serve_forever(app, listener, Settings(), ready=lambda: None, stopping=lambda: app.past.append("stopping"))
    assert app.past == ["startup", "shutdown"]


def test_a_second_signal_changes_nothing(listener):
    app = App()

    def ready() -> None:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)

    serve_forever(app, listener, Settings(), ready=ready, stopping=lambda: app.past.append("stopping"))
    assert app.past == ["startup", "stopping", "shutdown"]


def test_a_server_that_says_it_is_ready_answers(listener):
    app = App()

    def ask() -> None:
        with urllib.request.urlopen(url_of(listener)) as response:
            assert "server" not in response.headers
        signal.raise_signal(signal.SIGTERM)

    asking = Thread(target=ask)
    serve_forever(app, listener, Settings(), ready=asking.start, stopping=lambda: None)
    asking.join()
    assert app.past == ["startup", "request", "shutdown"]


def test_an_application_that_does_not_start_ends_the_command(listener):
    with pytest.raises(Stop, match="did not start") as stopped:
        serve_forever(App(starts=False), listener, Settings(), ready=lambda: None, stopping=lambda: None)
    assert stopped.value.code == UNREACHABLE


def test_a_port_that_is_taken_is_named(listener):
    port = listener.getsockname()[1]
    with pytest.raises(Stop, match=f"port {port} .* is taken") as stopped:
        bind("127.0.0.1", port)
    assert stopped.value.code == PORT_TAKEN


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_an_address_that_is_not_here_is_a_wrong_setting(host):
    with pytest.raises(Stop, match="cannot listen on") as stopped:
        bind(host, 0)
    assert stopped.value.code == USAGE


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:"),
        ("localhost", "http://127.0.0.1:"),
        ("0.0.0.0", "http://127.0.0.1:"),
        pytest.param("::1", "http://[::1]:", marks=pytest.mark.skipif(not socket.has_ipv6, reason="no IPv6")),
    ],
)
def test_the_url_is_one_that_this_machine_reaches(host, url):
    with bind(host, 0) as bound:
        assert url_of(bound).startswith(url)


def test_a_client_that_takes_nothing_does_not_hold_up_the_end(listener):
    app = Pouring()
    client = socket.socket()

    def ask() -> None:
        client.connect(listener.getsockname()[:2])
        client.sendall(b"GET / HTTP/1.1\r\nHost: here\r\n\r\n")
        client.recv(1)  # it has begun to answer
        signal.raise_signal(signal.SIGTERM)

    began = time.monotonic()
    with client:
        serve_forever(
            app, listener, Settings(), ready=lambda: Thread(target=ask).start(), stopping=lambda: None
        )
    assert time.monotonic() - began < GRACE
    assert app.past == ["startup", "let go", "shutdown"]


def test_before_it_stops_it_goes_on_for_the_seconds_that_are_set(listener):
    app = App()
    began = time.monotonic()

    def drain() -> None:
        app.past.append("draining")
        asking.start()

    def ask() -> None:
        with urllib.request.urlopen(url_of(listener)) as response:
            assert response.status == 204

    asking = Thread(target=ask)
    serve_forever(
        app,
        listener,
        Settings(drain_seconds=1),
        ready=lambda: signal.raise_signal(signal.SIGTERM),
        draining=drain,
        stopping=lambda: app.past.append("stopping"),
    )
    asking.join()
    assert app.past == ["startup", "draining", "request", "stopping", "shutdown"]
    assert time.monotonic() - began >= 1
