"""What listening costs those who post: the rate of posting with and without clients of live streams."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psutil  # type: ignore[import-untyped]  # ships none

from benchmarks.events import requests
from benchmarks.figures import Measurement
from benchmarks.load import drive
from benchmarks.postgres import Server
from benchmarks.reads import FACTORY, request
from benchmarks.servers import Running, serve, settle

IDLE = 500
ACTIVE = 20
CLIENTS = 32
TASK = f"{CLIENTS} clients post one event a request"
ALONE = "nobody"
LISTENED = "listeners"
"""Listeners: so many that hear nothing, and some that hear everything."""

RATE = 6_000


class Listeners:
    """Clients of live streams that throw away what they hear, in a thread of their own."""

    def __init__(self, port: int) -> None:
        self.heard = 0
        self._port = port
        self._ready = threading.Event()
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        """Open them all, and wait until each has heard the beginning."""
        self._thread.start()
        if not self._ready.wait(60):
            raise TimeoutError("the streams did not open")

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    def _run(self) -> None:
        self._loop.run_until_complete(self._listen())

    async def _listen(self) -> None:
        paths = ["/events?party=nobody-at-all"] * IDLE + ["/events"] * ACTIVE
        tasks = []
        for path in paths:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(request(path, {"accept": "text/event-stream"}))
            await reader.readuntil(b": live\n\n")
            tasks.append(asyncio.create_task(self._take(reader)))
        self._ready.set()
        await self._stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader) -> None:
        while piece := await reader.read(1 << 20):
            self.heard += len(piece)


@contextmanager
def listening(port: int) -> Iterator[Listeners]:
    """Listen while the block runs."""
    listeners = Listeners(port)
    listeners.start()
    try:
        yield listeners
    finally:
        listeners.stop()


def measurements(database: Server, seconds: float, repetitions: int) -> Iterator[Measurement]:
    """Post with nobody listening and with listeners, in turns."""
    from benchmarks.ours import environment

    database.create_database("streams")
    with serve(FACTORY, environment(database.url("streams"))) as running:
        _post("warm", running, min(0.5, seconds), ALONE)
        for n in range(repetitions):
            settle(running)
            yield _post(f"alone-{n}", running, seconds, ALONE)
            before = settled_memory(running)
            with listening(running.port) as listeners:
                grown = (settled_memory(running) - before) / (IDLE + ACTIVE)
                measured = _post(f"with-{n}", running, seconds, LISTENED, kilobytes=grown)
                if not listeners.heard:
                    raise RuntimeError("no listener heard anything")
            yield measured


def settled_memory(running: Running) -> float:
    """Give the resident kilobytes of an idle server."""
    settle(running)
    return float(psutil.Process(running.pid).memory_info().rss) / 1024


def _post(
    name: str, running: Running, seconds: float, subject: str, kilobytes: float | None = None
) -> Measurement:
    work = requests(name, int(RATE * seconds), 1)
    before = running.cpu()
    sample = drive(running.port, work, CLIENTS, seconds)
    return Measurement(
        subject=subject,
        task=TASK,
        events=sample.requests,
        seconds=sample.seconds,
        p50_ms=sample.quantile(0.5) * 1e3,
        p99_ms=sample.quantile(0.99) * 1e3,
        subject_cpu=running.cpu() - before,
        kilobytes=kilobytes,
    )
