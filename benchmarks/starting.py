"""From the command to the first answer, and the memory that the service takes: idle, after load, and at rest again.

It is started as it is installed, with the byte code of what it loads: a start before the first measurement writes that.
"""

import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from benchmarks.events import requests
from benchmarks.figures import Measurement
from benchmarks.load import drive
from benchmarks.postgres import Server
from benchmarks.reads import request
from benchmarks.servers import Running, launched, memory, settle

STARTING = "registry serve, from the command to the first answer"
MEMORY = "memory of the service"
IDLE, LOADED = "idle", "after load"
LOAD_SECONDS = 4.0
CLIENTS = 32


def measurements(database: Server, repetitions: int) -> Iterator[Measurement]:
    """Start it on each store, as often as asked; then let it idle, load it and let it rest."""
    from benchmarks.suite import prepare

    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="registry-bench-")))
        stores = {"PostgreSQL": "registry starting", "SQLite": "registry SQLite"}
        environs = {name: prepare(database, folder, "registry", kind)[1] for name, kind in stores.items()}
        compiled = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": str(folder / "bytecode")}
        environs = {name: environ | compiled for name, environ in environs.items()}
        for environ in environs.values():
            start(environ)
        for _ in range(repetitions):
            for name, environ in environs.items():
                seconds, cpu = start(environ)
                yield Measurement(subject=name, task=STARTING, events=1, seconds=seconds, subject_cpu=cpu)
        for name, environ in environs.items():
            with launched(environ) as running:
                _first_answer(running.port)
                yield _memory(name, IDLE, running)
                work = requests(f"memory-{name.lower()}", int(LOAD_SECONDS * 6_000), 1)
                drive(running.port, work, CLIENTS, LOAD_SECONDS)
                yield _memory(name, LOADED, running)


def start(environ: dict[str, str]) -> tuple[float, float]:
    """Give the seconds and processor seconds from starting the command to its first whole answer."""
    begun = time.perf_counter()
    with launched(environ, wait=False) as running:
        _first_answer(running.port)
        return time.perf_counter() - begun, running.cpu()


def _first_answer(port: int) -> None:
    asked = request("/agreements", {"connection": "close"})
    end = time.perf_counter() + 30
    while time.perf_counter() < end:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                connection.sendall(asked)
                if connection.recv(1 << 16).startswith(b"HTTP/1.1 200"):
                    return
        except OSError:
            pass
        time.sleep(0.005)
    raise TimeoutError("the service did not answer")


def _memory(name: str, when: str, running: Running) -> Measurement:
    settle(running)
    return Measurement(
        subject=f"{name}, {when}", task=MEMORY, events=1, seconds=1.0, kilobytes=memory(running)
    )
