"""The load: keep-alive connections that each send, wait for the answer, check it and send the next.

One process, no HTTP library: a request costs this side some 20 µs, so that two cores are left to the server.
"""

import asyncio
import gc
import time
from collections import deque
from collections.abc import Sequence
from typing import cast

import msgspec
import uvloop

CREATED = 201
NOT_MODIFIED = b"304"
"""Has no body, and no length of one."""


class Sample(msgspec.Struct, frozen=True):
    """One measurement of one server."""

    requests: int
    seconds: float
    latencies: list[float]
    """Seconds, one a request, in ascending order."""
    exhausted: bool
    """True when the requests ran out before the time did."""

    def quantile(self, q: float) -> float:
        """Give the latency, in seconds, that a share ``q`` of the requests kept below."""
        return self.latencies[min(len(self.latencies) - 1, int(q * len(self.latencies)))]


class BadAnswerError(Exception):
    """The server answered something else than it should; the text has the beginning of it."""


class _Run:
    """What the connections of one measurement share; its event loop alone touches it."""

    def __init__(self, work: Sequence[list[bytes]], status: int) -> None:
        self.status = b"%d" % status
        self.work = deque(work)
        self.deadline = 0.0
        self.open = 0
        self.latencies: list[float] = []
        self.exhausted = False
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def close_one(self) -> None:
        self.open -= 1
        if not self.open and not self.finished.done():
            self.finished.set_result(None)

    def fail(self, error: Exception) -> None:
        if not self.finished.done():
            self.finished.set_exception(error)


class _Connection(asyncio.Protocol):
    def __init__(self, run: _Run) -> None:
        self.run = run
        self.mine: deque[bytes] = deque()
        self.buffer = b""
        self.sent = 0.0
        self.done = False
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done:
            self.run.fail(BadAnswerError(f"the server closed a connection: {exc}"))

    def send(self) -> None:
        if not self.mine:
            if not self.run.work:
                self.run.exhausted = True
                self.stop()
                return
            self.mine.extend(self.run.work.popleft())
        request = self.mine.popleft()
        self.sent = time.perf_counter()
        self.transport.write(request)

    def stop(self) -> None:
        self.done = True
        self.run.close_one()

    def data_received(self, data: bytes) -> None:
        self.buffer = data = self.buffer + data if self.buffer else data
        end = data.find(b"\r\n\r\n")
        if end < 0 or len(data) < end + 4 + content_length(data[:end]):
            return
        now = time.perf_counter()
        if data[9:12] != self.run.status:
            self.run.fail(BadAnswerError(data[:2000].decode(errors="replace")))
            return
        self.buffer = b""
        self.run.latencies.append(now - self.sent)
        if now < self.run.deadline:
            self.send()
        else:
            self.stop()


def content_length(head: bytes) -> int:
    """Read from the head of an answer how long its body is. Raises BadAnswerError when it does not say."""
    if head[9:12] == NOT_MODIFIED:
        return 0
    head = head.lower()
    at = head.find(b"content-length:")
    if at < 0:
        raise BadAnswerError(f"an answer without Content-Length: {head[:500]!r}")
    return int(head[at + 15 :].split(b"\r\n", 1)[0])


async def _drive(port: int, work: Sequence[list[bytes]], clients: int, seconds: float, status: int) -> Sample:
    loop = asyncio.get_running_loop()
    run = _Run(work, status)
    connections = [_Connection(run) for _ in range(clients)]
    for connection in connections:
        await loop.create_connection(lambda it=connection: it, "127.0.0.1", port)  # type: ignore[misc]
    run.open = clients
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        run.deadline = start + seconds
        for connection in connections:
            connection.send()
        await asyncio.wait_for(run.finished, seconds + 60)
        elapsed = time.perf_counter() - start
    finally:
        gc.enable()
        for connection in connections:
            connection.done = True
            connection.transport.close()
    return Sample(len(run.latencies), elapsed, sorted(run.latencies), run.exhausted)


def drive(
    port: int, work: Sequence[list[bytes]], clients: int, seconds: float, *, status: int = CREATED
) -> Sample:
    """Send requests over ``clients`` connections for ``seconds``.

    Raises BadAnswerError on any answer of another status.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_drive(port, work, clients, seconds, status))
