"""The server process around the application: its socket, its signals, its end."""

import asyncio
import errno
import logging
import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from types import FrameType
from typing import Any

import uvicorn

from registry.cli.connection import Connection, Connections
from registry.cli.exits import PORT_TAKEN, UNREACHABLE, USAGE, Stop
from registry.config import Settings

GRACE = 5
"""Seconds that requests under way have to end after SIGTERM."""
STALLED = 1.0
"""Seconds after which a client that takes nothing of what is sent to it is let go of, once the service stops."""


class Server(uvicorn.Server):
    """uvicorn, which says when it listens, and returns from a signal instead of dying of it.

    As it stands uvicorn raises the signal again once it has stopped, and the process ends without having
    released what it holds.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        connections: Connections,
        *,
        ready: Callable[[], None],
        draining: Callable[[], None],
        drain: float,
        stopping: Callable[[], None],
    ) -> None:
        super().__init__(config)
        self._connections = connections
        self._ready = ready
        self._draining = draining
        self._drain = drain
        self._stopping = stopping
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = False

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, and say so."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        if self.started:
            self._ready()

    async def on_tick(self, counter: int) -> bool:
        """Look after the connections once a second, of ten times that this is called."""
        if counter % 10 == 0:
            self._connections.sweep(asyncio.get_running_loop().time())
        return await super().on_tick(counter)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Stop in good order, which takes seconds at most.

        First of all the service says that it is not ready any more, and goes on for the seconds that whoever sends
        requests needs to notice that. A second signal changes nothing: a supervisor may send one to the process and
        one to its group, and uvicorn would then leave without letting go of what the application holds.
        """
        if self._told:
            return
        self._told = True
        if self.started and self._loop is not None:
            self._draining()
            if self._drain:
                self._loop.call_soon_threadsafe(self._loop.call_later, self._drain, self._leave)
                return
        self._leave()

    def _leave(self) -> None:
        self.should_exit = True
        if self.started:
            self._stopping()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let requests under way end, but wait for no client that has stopped reading."""
        stalled = asyncio.get_running_loop().call_later(STALLED, self._let_go)
        await super().shutdown(sockets)
        stalled.cancel()

    def _let_go(self) -> None:
        for connection in tuple(self.server_state.connections):
            flow = getattr(connection, "flow", None)  # one that has only just been made has none
            if flow is not None and flow.write_paused:
                connection.transport.abort()


def bind(host: str, port: int) -> socket.socket:
    """Listen on an address; port 0 takes a free one. Raises Stop."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise Stop(
                PORT_TAKEN, f"port {port} of {host} is taken by another program; choose one with --port"
            ) from error
        raise Stop(USAGE, f"cannot listen on {host} port {port}: {error.strerror or error}") from error


def url_of(listener: socket.socket) -> str:
    """Return the URL at which this machine reaches the server behind a socket."""
    host, port = listener.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def allow_files() -> None:
    """Let the process have as many files open as the system permits: each connection is one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(OSError, ValueError):  # what is not permitted stays as it is
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def serve_forever(
    app: Any,
    listener: socket.socket,
    settings: Settings,
    *,
    ready: Callable[[], None],
    draining: Callable[[], None] = lambda: None,
    stopping: Callable[[], None],
) -> None:
    """Serve until SIGTERM or SIGINT: then ``draining`` is called, and ``stopping`` after the seconds that are set.

    Raises Stop when the application does not start.
    """
    logging.getLogger("alembic").setLevel(logging.WARNING)  # each look at the revision would be a line
    allow_files()
    try:
        server = server_of(app, settings, ready=ready, draining=draining, stopping=stopping)
        server.run(sockets=[listener])
    except SystemExit as error:
        raise Stop(UNREACHABLE, "the service did not start; the lines above say why") from error


def server_of(
    app: Any,
    settings: Settings,
    *,
    ready: Callable[[], None],
    draining: Callable[[], None] = lambda: None,
    stopping: Callable[[], None],
) -> Server:
    """Put the server together."""
    connections = Connections(settings)
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=partial(Connection, connections=connections),  # type: ignore[arg-type]  # makes one, as a class does
        ws="none",
        lifespan="on",
        access_log=False,
        log_level="warning",
        log_config=None,  # what it logs is written as all else is
        server_header=False,
        proxy_headers=False,  # uvicorn would believe whoever is on this machine
        timeout_graceful_shutdown=GRACE,
    )
    return Server(
        config,
        connections,
        ready=ready,
        draining=draining,
        drain=settings.drain_seconds,
        stopping=stopping,
    )
