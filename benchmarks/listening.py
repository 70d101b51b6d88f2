"""Clients of live streams in a process of their own, which throw away what they hear.

``python -m benchmarks.listening PORT IDLE ACTIVE`` opens them, says ``open`` once each has heard the beginning, listens
until its input ends, and says what was heard, as JSON.
"""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from time import time
from typing import cast

import msgspec
import uvloop

from benchmarks.reads import request
from benchmarks.servers import CHECKOUT, processor_seconds

NOTHING = "/events?party=nobody-at-all"
EVERYTHING = "/events"
BUFFER = 1 << 20
OPEN = b"open\n"
BEGINNING = b": live\n\n"
RECORDED = b'"recordedtime":"'
TIME = len("2026-01-02T03:04:05.000006Z")


class Heard(msgspec.Struct):
    """What came to all clients of one process."""

    size: int = 0
    """Bytes."""
    delays: list[float] = []
    """Seconds from when an event was recorded until it was heard, of the first event in each piece that came to one
    client."""

    def delay(self, q: float) -> float:
        """Give the delay, in seconds, that a share ``q`` of the pieces kept below."""
        return sorted(self.delays)[min(len(self.delays) - 1, int(q * len(self.delays)))]


class Listeners:
    """The process of the clients, from outside."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def cpu(self) -> float:
        """Give the processor seconds it has used."""
        return processor_seconds(self._process.pid)

    def stop(self) -> Heard:
        """End it; give what it has heard."""
        said, _ = self._process.communicate()
        return msgspec.json.decode(said, type=Heard)


@contextmanager
def listening(port: int, idle: int, active: int) -> Iterator[Listeners]:
    """Listen while the block runs, or until it says stop: so many that hear nothing, so many that hear everything."""
    command = [sys.executable, "-m", "benchmarks.listening", *map(str, (port, idle, active))]
    process = subprocess.Popen(command, cwd=CHECKOUT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        if process.stdout.readline() != OPEN:
            raise RuntimeError("the streams did not open")
        yield Listeners(process)
    finally:
        process.kill()
        process.wait()


class _Client(asyncio.BufferedProtocol):
    """One stream. All of them read into one buffer, as nothing is kept."""

    def __init__(self, path: str, heard: Heard, buffer: bytearray, *, timed: bool) -> None:
        self.opened = asyncio.get_running_loop().create_future()
        self._path = path
        self._heard = heard
        self._buffer = buffer
        self._timed = timed

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        writes = cast("asyncio.Transport", transport)  # uvloop's is none by inheritance
        writes.write(request(self._path, {"accept": "text/event-stream"}))

    def get_buffer(self, sizehint: int) -> bytearray:  # noqa: ARG002 - as the loop calls it
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        if not self.opened.done():
            if BEGINNING in self._buffer[:nbytes]:
                self.opened.set_result(None)
            return
        self._heard.size += nbytes
        if self._timed:
            at = self._buffer.find(RECORDED, 0, nbytes) + len(RECORDED)
            if len(RECORDED) <= at <= nbytes - TIME:
                recorded = datetime.fromisoformat(self._buffer[at : at + TIME].decode()).timestamp()
                self._heard.delays.append(time() - recorded)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("a stream ended before it began"))


async def _listen(port: int, idle: int, active: int) -> Heard:
    loop, heard, buffer = asyncio.get_running_loop(), Heard(), bytearray(BUFFER)
    for n, path in enumerate([EVERYTHING] * active + [NOTHING] * idle):
        client = _Client(path, heard, buffer, timed=n == 0)
        await loop.create_connection(lambda it=client: it, "127.0.0.1", port)  # type: ignore[misc]
        await client.opened
    sys.stdout.buffer.write(OPEN)
    sys.stdout.buffer.flush()
    await loop.run_in_executor(None, sys.stdin.buffer.read)
    return heard


def main() -> None:
    """Listen as the command line says."""
    port, idle, active = map(int, sys.argv[1:])
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        sys.stdout.buffer.write(msgspec.json.encode(runner.run(_listen(port, idle, active))))


if __name__ == "__main__":
    main()
