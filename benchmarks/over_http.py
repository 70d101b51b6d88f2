"""Events a second over HTTP: every server under every load, in turns, so that a slow moment hits them all."""

import itertools
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from benchmarks.events import STORY, requests
from benchmarks.figures import Measurement
from benchmarks.load import Sample, drive
from benchmarks.postgres import Server
from benchmarks.servers import Running, processor_seconds, settle

MOST_EVENTS = 80_000
"""Events made ready for one measurement at most; a server that takes them sooner is measured less long."""


class Load(msgspec.Struct, frozen=True):
    clients: int
    batch: int

    @property
    def task(self) -> str:
        """Say what the clients do."""
        what = "one event a request" if self.batch == 1 else f"{self.batch} events a request"
        return f"HTTP, {self.clients} client{'s' * (self.clients > 1)}, {what}"


Prepare = Callable[[str, int, int], list[Any]]
"""Makes what is sent: the name of a run, how many events at least, how many a request."""
Send = Callable[[int, list[Any], int, float], Sample]
"""Sends it to a port, from so many clients, for so many seconds."""


class Target:
    """A server to measure. Owns the count of events it has acknowledged, and what rate to expect of it."""

    def __init__(
        self, name: str, running: Running, *, prepare: Prepare = requests, send: Send = drive
    ) -> None:
        self.name = name
        self.running = running
        self.prepare = prepare
        self.send = send
        self.acknowledged = 0
        self.rates: dict[Load, float] = {}

    def events(self, load: Load, seconds: float) -> int:
        """Say how many events to make ready, some half more than it will need."""
        rate = self.rates.get(load, 6_000 if load.batch == 1 else 40_000)
        least = load.clients * max(STORY, 2 * load.batch)
        return min(max(int(rate * seconds * 1.5), 2 * least), max(MOST_EVENTS, least))


_runs = itertools.count()


def measure(target: Target, load: Load, seconds: float, database: Server) -> Measurement:
    """Post distinct events for some seconds, then wait until the server is idle."""
    work = target.prepare(f"{next(_runs):x}", target.events(load, seconds), load.batch)
    database.checkpoint()
    before = _cpu(target, database)
    sample = target.send(target.running.port, work, load.clients, seconds)
    after = _cpu(target, database)
    return _measurement(target, load, sample, [b - a for a, b in zip(before, after, strict=True)])


def _measurement(target: Target, load: Load, sample: Sample, cpu: Sequence[float]) -> Measurement:
    events = sample.requests * load.batch
    target.acknowledged += events
    target.rates[load] = events / sample.seconds
    return Measurement(
        subject=target.name,
        task=load.task,
        events=events,
        seconds=sample.seconds,
        p50_ms=sample.quantile(0.5) * 1e3,
        p99_ms=sample.quantile(0.99) * 1e3,
        subject_cpu=cpu[0],
        database_cpu=cpu[1],
        load_cpu=cpu[2],
        settled=settle(target.running),
    )


def in_turns(  # noqa: PLR0917 - what a measurement is made of
    targets: Sequence[Target],
    loads: Sequence[Load],
    seconds: float,
    repetitions: int,
    database: Server,
    met: Mapping[str, Collection[Load]] | None = None,
) -> Iterator[Measurement]:
    """Warm every target up under every load, then measure A B C A B C, as often as asked.

    ``met`` names the loads of each target; without it each meets all of them.
    """
    kinds = [
        (load, target)
        for load, target in itertools.product(loads, targets)
        if met is None or load in met[target.name]
    ]
    for load, target in kinds:
        measure(target, load, min(0.5, seconds), database)
    for _ in range(repetitions):
        for load, target in kinds:
            yield measure(target, load, seconds, database)


def _cpu(target: Target, database: Server) -> tuple[float, float, float]:
    own = os.times()
    return target.running.cpu(), processor_seconds(database.pid), own.user + own.system
