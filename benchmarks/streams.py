"""What listening costs those who post: the rate of posting with and without clients of live streams."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

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

    def __init__(self, port: int, idle: int = IDLE, active: int = ACTIVE) -> None:
        self.heard = 0
        self._paths = ["/events?party=nobody-at-all"] * idle + ["/events"] * active
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
        tasks = []
        for path in self._paths:
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(request(path, {"accept": "text/event-stream"}))
            await reader.readuntil(b": live\n\n")
            tasks.append(asyncio.create_task(self._take(reader, writer)))
        self._ready.set()
        await self._stop.wait()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer):  # held, as one that nobody holds closes its connection
            while piece := await reader.read(1 << 20):
                self.heard += len(piece)


@contextmanager
def listening(port: int, idle: int = IDLE, active: int = ACTIVE) -> Iterator[Listeners]:
    """Listen while the block runs."""
    listeners = Listeners(port, idle, active)
    listeners.start()
    try:
        yield listeners
    finally:
        listeners.stop()


def measurements(database: Server, seconds: float, repetitions: int) -> Iterator[Measurement]:
    """Post with nobody listening and with listeners, in turns."""
    from benchmarks.ours import environment

    database.create_database("streams")
    environ = environment(database.url("streams"))
    grown = [memory_of_a_client(environ) for _ in range(repetitions)]
    with serve(FACTORY, environ) as running:
        _post("warm", running, min(0.5, seconds), ALONE)
        for n in range(repetitions):
            settle(running)
            yield _post(f"alone-{n}", running, seconds, ALONE)
            with listening(running.port) as listeners:
                settle(running)
                measured = _post(f"with-{n}", running, seconds, LISTENED, kilobytes=grown[n])
                if not listeners.heard:
                    raise RuntimeError("no listener heard anything")
            yield measured


def memory_of_a_client(environ: Mapping[str, str]) -> float:
    """Give the kilobytes that a server grows by for each client that listens and hears nothing.

    The server is fresh and has had a few such clients before, so that what it takes once is not counted.
    """
    with serve(FACTORY, environ) as running:
        with listening(running.port, idle=20, active=0):
            settle(running)
        before = settled_memory(running)
        with listening(running.port, idle=IDLE, active=0):
            return (settled_memory(running) - before) / IDLE


def settled_memory(running: Running) -> float:
    """Give the kilobytes of an idle server that are its own (PSS: what it shares counts in part)."""
    settle(running)
    return float(psutil.Process(running.pid).memory_full_info().pss) / 1024


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
