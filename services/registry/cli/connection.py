"""One connection and what bounds it: how long a head or a body may take, and how slowly an answer may be taken.

uvicorn waits for ever for the rest of a head, for the rest of a body and for a client that takes nothing, holds any
number of connections and takes headers of any length. What is refused here is a problem, as everywhere else.

Refusing takes time as well. So an address of which much is refused is listened to the later: its connections rest.
"""

import asyncio
import logging
from collections import Counter
from http import HTTPStatus
from typing import Any
from uuid import uuid4

import msgspec
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from registry.config import Settings, is_loopback
from registry.http import kinds
from registry.http.clients import Clients, as_site
from registry.http.kinds import Kind
from registry.http.parameters import MAX_HEADERS, MAX_TARGET
from registry.http.problems import PROBLEM, Problem
from registry.http.rates import Rate
from registry.http.told import TOLD, Told

SLOWEST = 4096
"""Bytes a second of a body, beside the seconds that any body has, and of an answer that is waited for."""
LINGER = 5.0
"""Seconds in which what is left of a body is passed over once its request has been answered."""
LEFT_OVER = 1 << 20
"""Bytes of it."""
PIPELINED = 16
"""Requests that may wait behind the one that is being answered."""
REFUSED_A_SECOND = 20
"""Refusals of one address that make nobody wait, in the long run. One of a large body counts as several."""
REFUSED_AT_ONCE = 50
"""The same, in one moment."""
LARGE = 8_192
"""Bytes of a body for which its refusal counts once more."""
LOOKING = 0.002
"""Seconds in which the event loop notices that a client has left while its connection rested."""
LONGEST_REST = 15.0
"""Seconds that a connection rests at most."""
COUNTED = frozenset(
    kind.name
    for kind in (
        kinds.MALFORMED,
        kinds.TOO_LARGE,
        kinds.UNSUPPORTED_MEDIA_TYPE,
        kinds.LINE_TOO_LONG,
        kinds.HEAD_TOO_LARGE,
        kinds.TOO_SLOW,
        kinds.TOO_OFTEN,
    )
)
"""Problems of whoever sends what cannot be taken, or more of it than was agreed, and that cost more than asking."""
UNTOLD = Told("")
"""Stands for what is told of a request that no application has taken up yet."""
RETRY_AFTER = 5
"""Seconds after which somebody for whom there is no connection may try again."""

# Whatever a client sends would be a line in the log: what is wrong with it stands in the answer.
_log = logging.getLogger("uvicorn.error.connection")
_log.setLevel(logging.ERROR)


class Refused(Exception):
    """The head of a request is not taken; raised into the parser, which stops at it."""


class Connections:
    """What bounds all connections of this process. Belongs to the event loop."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._clients = Clients(settings.proxies)
        self._by_site: Counter[str] = Counter()
        self._refusals = Rate("refusals", REFUSED_A_SECOND, REFUSED_AT_ONCE)
        self.open: set[Connection] = set()

    def enter(self, connection: "Connection", address: str) -> str:
        """Count a connection; returns why it is refused, or nothing."""
        self.open.add(connection)
        site = connection.site = as_site(address)
        self._by_site[site] += 1
        settings = self.settings
        if len(self.open) > settings.max_connections:
            return f"this process holds {settings.max_connections} connections, as many as it may"
        connection.alone = not (is_loopback(address) or self._clients.trusts(address))
        if connection.alone and self._by_site[site] > settings.max_connections_each:
            return f"this address holds {settings.max_connections_each} connections, as many as it may"
        return ""

    def refused(self, connection: "Connection") -> None:
        """Count a refusal; one of an address behind which many may stand is not counted."""
        if connection.alone:
            self._refusals.owe(connection.site, 1 + connection.body // LARGE, LONGEST_REST)

    def rest(self, connection: "Connection") -> float:
        """Tell for how many seconds a connection is to rest, by what was refused of its address."""
        return 0.0 if self._refusals.empty else self._refusals.left_after(connection.site)

    def leave(self, connection: "Connection") -> None:
        """Count a connection no more."""
        self.open.discard(connection)
        self._by_site[connection.site] -= 1
        if not self._by_site[connection.site]:
            del self._by_site[connection.site]

    def sweep(self, now: float) -> None:
        """Close what has taken too long; to be called every second. ``now`` is the clock of the event loop."""
        for connection in tuple(self.open):
            connection.check(now)


class Connection(HttpToolsProtocol):
    """One connection, as uvicorn has it, with bounds. Belongs to the event loop."""

    def __init__(self, *args: Any, connections: Connections, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.logger = _log
        self.site = ""
        self.alone = False
        """Whether no others are behind the address, such as the clients of a proxy."""
        self._resting: asyncio.TimerHandle | None = None
        self._early = b""
        """What came of a new one that rests: it is read from once before it can be paused."""
        self._connections = connections
        self._settings = connections.settings
        self._since = 0.0
        """When what is waited for began: a head, a body, or the rest of one that nobody wants."""
        self._head = -1
        """Bytes of a head that has begun and not ended, as far as they are counted; -1 when there is none."""
        self._piece = 0
        """Bytes of the piece that is being parsed."""
        self._mixed = False
        """Whether a head or a body has ended in it: then not all of it is of the head that follows."""
        self._reading = False
        """Whether the body of the last head has not ended."""
        self.body = 0
        """Bytes of it that came."""
        self._kind: Kind = kinds.MALFORMED
        """What a head is refused as."""
        self._refused = False
        self._mark: tuple[float, int] | None = None
        """When how much waited for the client to take it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take up a connection, if there is room for one more."""
        super().connection_made(transport)  # type: ignore[arg-type]  # a transport of a stream
        self._since = self.loop.time()
        refused = self._connections.enter(self, self.client[0] if self.client else "")
        if refused:
            self._close(kinds.UNAVAILABLE, refused)
        else:
            self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let go of it; whoever leaves before the end of an answer has had it made in vain."""
        unfinished = self.cycle is not None and not self.cycle.response_complete
        if unfinished and not self._refused and not self._told().lasting:
            self._connections.refused(self)
        self._connections.leave(self)
        if self._resting is not None:
            self._resting.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse a piece of what the client sends; nothing more once it was refused."""
        if self._refused:
            return
        if self._resting is not None:
            self._early += data
            self.flow.pause_reading()
            return
        self._mixed = False
        self._piece = len(data)
        super().data_received(data)
        if self._head >= 0 and not self._mixed:
            self._head += len(data)
            if self._head > self._settings.max_head_bytes and not self._refused:
                too_long = len(self.url) > MAX_TARGET or not self.headers
                self._refuse(kinds.LINE_TOO_LONG if too_long else kinds.HEAD_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Begin a head."""
        self._head = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, unless there are too many. Raises Refused into the parser."""
        if len(self.headers) == MAX_HEADERS:
            self._kind = kinds.HEAD_TOO_LARGE
            raise Refused
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Take a request, unless its head is too large or too many wait. Raises Refused into the parser."""
        size, self._head, self._mixed = self._head + self._piece, -1, True
        most = self._settings.max_head_bytes
        if len(self.url) > MAX_TARGET:
            self._kind = kinds.LINE_TOO_LONG
            raise Refused
        if size > most and sum(len(name) + len(value) + 4 for name, value in self.headers) > most:
            self._kind = kinds.HEAD_TOO_LARGE
            raise Refused
        if len(self.pipeline) >= PIPELINED:
            self._kind = kinds.TOO_OFTEN
            raise Refused
        super().on_headers_complete()
        self._since, self._reading, self.body = self.loop.time(), True, 0

    def on_body(self, body: bytes) -> None:
        """Take a piece of a body; pass over what is left of one that was answered, up to a bound."""
        self.body += len(body)
        if self.cycle.response_complete and self.body > LEFT_OVER:
            self._connections.refused(self)
            self.transport.close()
            return
        super().on_body(body)

    def on_message_complete(self) -> None:
        """End a body."""
        self._reading, self._mixed = False, True
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next head, or for what is left of a body."""
        self._since = self.loop.time() + (0.0 if self._reading else self.timeout_keep_alive)
        super().on_response_complete()
        if self._told().problem in COUNTED:
            self._connections.refused(self)
            if self._rest():
                self.flow.pause_reading()
        self.body = 0

    def resume_writing(self) -> None:
        """Go on: the client has taken what waited."""
        self._mark = None
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words
        """Refuse what cannot be parsed, in the place of uvicorn's own answer."""
        self._refuse(self._kind)

    def check(self, now: float) -> None:
        """Close the connection when what is waited for has taken too long."""
        if self._takes_nothing(now):
            self.transport.abort()
            return
        if self.transport.is_closing():
            return
        waited, answered = now - self._since, self.cycle is None or self.cycle.response_complete
        if self._reading and answered:
            if waited > LINGER:
                self.transport.abort()
        elif self._reading:
            if not self.flow.read_paused and waited > self._settings.body_seconds + self.body / SLOWEST:
                self._refuse(kinds.TOO_SLOW)
        elif answered and not self.pipeline and waited > self._settings.head_seconds:
            if self._head >= 0:
                self._refuse(kinds.TOO_SLOW)
            else:
                self.transport.close()

    def _told(self) -> Told:
        """Give what is told of the last request."""
        told: Told = self.cycle.scope.get(TOLD, UNTOLD)  # type: ignore[assignment]  # a room of ours
        return told

    def _rest(self) -> bool:
        """Listen to nothing for as long as the address has to wait; tells whether that is so."""
        seconds = self._connections.rest(self)
        if not seconds or self._resting is not None or self.transport.is_closing():
            return False
        self._since = max(self._since, self.loop.time() + seconds)
        self._resting = self.loop.call_later(seconds, self._go_on)
        return True

    def _go_on(self) -> None:
        """Look whether the client is still there: what one that has left wants need not be done."""
        if not self.transport.is_closing():
            self.flow.resume_reading()
            self._resting = self.loop.call_later(LOOKING, self._listen)

    def _listen(self) -> None:
        """Listen again, first to what came before."""
        self._resting = None
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        early, self._early = self._early, b""
        if early:
            self.data_received(early)

    def _takes_nothing(self, now: float) -> bool:
        """Tell whether the client has taken too little of what waits for it, while nothing more is written."""
        size = self.transport.get_write_buffer_size()
        answered = self.cycle is None or self.cycle.response_complete
        if not size or not (self.flow.write_paused or answered or self.transport.is_closing()):
            self._mark = None
            return False
        if self._mark is None:
            self._mark = now, size
            return False
        since, before = self._mark
        if now - since < self._settings.stall_seconds:
            return False
        self._mark = now, size
        return before - size < SLOWEST * (now - since)

    def _refuse(self, kind: Kind) -> None:
        """Answer with a problem and close; a request that has come whole before is answered first."""
        self._refused = True
        self._connections.refused(self)
        cycle = self.cycle
        answered = cycle is None or cycle.response_complete
        if not self._reading and not answered:
            cycle.keep_alive = False
            self.flow.pause_reading()
        elif self._reading and (answered or cycle.response_started):
            self.transport.close()  # an answer has been sent to it, or a part of one
        else:
            if self._reading:  # whoever waits for the body waits for nothing
                cycle.disconnected = True
                cycle.message_event.set()
            self._close(kind, kind.says)

    def _close(self, kind: Kind, detail: str) -> None:
        self._refused = True
        if not self.transport.is_closing():
            self.transport.write(problem_bytes(kind, detail, self.server_state.default_headers))
            self.transport.close()


def problem_bytes(kind: Kind, detail: str, more: list[tuple[bytes, bytes]]) -> bytes:
    """Write a problem as a whole answer, after which the connection is closed."""
    id = uuid4().hex
    problem = Problem(type=kind.type, title=kind.title, status=kind.status, detail=detail, request_id=id)
    body = msgspec.json.encode(problem)
    headers = [
        *more,
        (b"content-type", PROBLEM.encode()),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
        (b"x-request-id", id.encode()),
        (b"content-length", b"%d" % len(body)),
        (b"connection", b"close"),
    ]
    if kind in (kinds.UNAVAILABLE, kinds.TOO_OFTEN):
        headers.append((b"retry-after", b"%d" % RETRY_AFTER))
    line = f"HTTP/1.1 {kind.status} {HTTPStatus(kind.status).phrase}\r\n".encode()
    return line + b"".join(b"%b: %b\r\n" % header for header in headers) + b"\r\n" + body
