"""Latency at an offered rate: requests are sent when they are due, whether or not the ones before are answered.

The clock of a request starts when it is due. So a pause of the server counts for everything that came meanwhile,
which clients that wait for their answers would not have sent.
"""

import asyncio
import gc
import itertools
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import cast

import uvloop

from benchmarks.events import requests
from benchmarks.figures import Measurement
from benchmarks.load import CREATED, BadAnswerError, Sample, content_length
from benchmarks.postgres import Server
from benchmarks.servers import Running, processor_seconds, serve, settle

RATE = 1_000
CONNECTIONS = 64
TASK = f"{RATE:,} events/s offered, one a request"
SUBJECTS = ("registry", "baseline")
_runs = itertools.count()


class _Connection(asyncio.Protocol):
    """A connection with agreements of its own, so that the events of each arrive in their order."""

    def __init__(self, run: "_Offer") -> None:
        self.run = run
        self.mine: deque[bytes] = deque()
        self.buffer = b""
        self.due = 0.0
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance

    def send(self, due: float) -> None:
        if not self.mine:
            self.mine.extend(self.run.work.popleft())
        self.due = due
        self.transport.write(self.mine.popleft())

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0 or len(self.buffer) < end + 4 + content_length(self.buffer[:end]):
            return
        answer, self.buffer = self.buffer, b""
        self.run.answered(self, answer)


class _Offer:
    """One measurement. Its event loop alone touches it."""

    def __init__(self, work: Sequence[list[bytes]], count: int) -> None:
        self.work = deque(work)
        self.count = count
        self.free: deque[_Connection] = deque()
        self.waiting: deque[float] = deque()
        """When the requests were due for which no connection was free."""
        self.latencies: list[float] = []
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def send(self, due: float) -> None:
        if self.free:
            self.free.popleft().send(due)
        else:
            self.waiting.append(due)

    def answered(self, connection: _Connection, answer: bytes) -> None:
        self.latencies.append(time.perf_counter() - connection.due)
        if self.finished.done():
            return
        if answer[9:12] != b"%d" % CREATED:
            self.finished.set_exception(BadAnswerError(answer[:2000].decode(errors="replace")))
        elif len(self.latencies) == self.count:
            self.finished.set_result(None)
        if self.waiting:
            connection.send(self.waiting.popleft())
        else:
            self.free.append(connection)


def offer(port: int, work: Sequence[list[bytes]], rate: int, seconds: float) -> Sample:
    """Offer requests at a rate for some seconds. Raises BadAnswerError on any answer but 201."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_offer(port, work, rate, int(rate * seconds)))


async def _offer(port: int, work: Sequence[list[bytes]], rate: int, count: int) -> Sample:
    loop, run = asyncio.get_running_loop(), _Offer(work, count)
    for _ in range(CONNECTIONS):
        _, connection = await loop.create_connection(lambda: _Connection(run), "127.0.0.1", port)
        run.free.append(connection)
    connections = tuple(run.free)
    gc.collect()
    gc.disable()
    try:
        start = time.perf_counter()
        for n in range(count):
            due = start + n / rate
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            run.send(due)
        await asyncio.wait_for(run.finished, 60)
        elapsed = time.perf_counter() - start
    finally:
        gc.enable()
        for connection in connections:
            connection.transport.close()
    return Sample(count, elapsed, sorted(run.latencies), exhausted=False)


def measurements(database: Server, seconds: float, repetitions: int) -> Iterator[Measurement]:
    """Offer the same to each server, in turns."""
    from benchmarks.suite import prepare

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="registry-bench-")))
        servers = {}
        for name in SUBJECTS:
            factory, environ = prepare(database, folder, name, f"{name} offered")
            servers[name] = stack.enter_context(serve(factory, environ))
            _measure(name, servers[name], database, 0.5)
        for _ in range(repetitions):
            for name, running in servers.items():
                yield _measure(name, running, database, seconds)


def _measure(name: str, running: Running, database: Server, seconds: float) -> Measurement:
    work = requests(f"offered-{next(_runs)}", int(RATE * seconds) + 10 * CONNECTIONS, 1)
    settle(running)
    database.checkpoint()
    before = running.cpu(), processor_seconds(database.pid)
    sample = offer(running.port, work, RATE, seconds)
    return Measurement(
        subject=name,
        task=TASK,
        events=sample.requests,
        seconds=sample.seconds,
        p50_ms=sample.quantile(0.5) * 1e3,
        p99_ms=sample.quantile(0.99) * 1e3,
        subject_cpu=running.cpu() - before[0],
        database_cpu=processor_seconds(database.pid) - before[1],
    )
