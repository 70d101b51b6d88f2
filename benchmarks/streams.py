"""What listening costs those who post: the rate of posting with and without clients of live streams."""

import os
from collections.abc import Iterator, Mapping

import msgspec
import psutil  # type: ignore[import-untyped]  # ships none

from benchmarks.events import requests
from benchmarks.figures import Measurement
from benchmarks.listening import Listeners, listening
from benchmarks.load import drive
from benchmarks.postgres import Server
from benchmarks.reads import FACTORY
from benchmarks.servers import Running, processor_seconds, serve, settle

IDLE = 500
ACTIVE = 20
CLIENTS = 32
TASK = f"{CLIENTS} clients post one event a request"
ALONE = "nobody"
LISTENED = "listeners"
"""Listeners: so many that hear nothing, and some that hear everything."""

RATE = 6_000


def measurements(database: Server, seconds: float, repetitions: int) -> Iterator[Measurement]:
    """Post with nobody listening and with listeners, in turns."""
    from benchmarks.ours import environment

    database.create_database("streams")
    environ = environment(database.url("streams"))
    grown = [memory_of_a_client(environ) for _ in range(repetitions)]
    with serve(FACTORY, environ) as running:
        _post("warm", database, running, min(0.5, seconds))
        for n in range(repetitions):
            settle(running)
            yield _post(f"alone-{n}", database, running, seconds)
            with listening(running.port, IDLE, ACTIVE) as listeners:
                settle(running)
                measured = _post(f"with-{n}", database, running, seconds, listeners)
                settle(running)
                heard = listeners.stop()
                if not heard.delays:
                    raise RuntimeError("no listener heard anything")
            yield msgspec.structs.replace(measured, kilobytes=grown[n], heard_ms=heard.delay(0.99) * 1e3)


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
    name: str, database: Server, running: Running, seconds: float, listeners: Listeners | None = None
) -> Measurement:
    work = requests(name, int(RATE * seconds), 1)
    before = _cpu(database, running, listeners)
    sample = drive(running.port, work, CLIENTS, seconds)
    after = _cpu(database, running, listeners)
    service, stored, load, heard = (end - begin for begin, end in zip(before, after, strict=True))
    return Measurement(
        subject=ALONE if listeners is None else LISTENED,
        task=TASK,
        events=sample.requests,
        seconds=sample.seconds,
        p50_ms=sample.quantile(0.5) * 1e3,
        p99_ms=sample.quantile(0.99) * 1e3,
        subject_cpu=service,
        database_cpu=stored,
        load_cpu=load,
        listeners_cpu=None if listeners is None else heard,
    )


def _cpu(database: Server, running: Running, listeners: Listeners | None) -> tuple[float, ...]:
    own = os.times()
    listened = 0.0 if listeners is None else listeners.cpu()
    return running.cpu(), processor_seconds(database.pid), own.user + own.system, listened
