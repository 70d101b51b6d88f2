"""Rebuilding the read models of a full registry, in this process: events of the log a second."""

import time
from collections.abc import Iterator

from benchmarks.figures import Measurement
from benchmarks.loaded import STATES, Loaded
from registry.projections.catalogue import CATALOGUE
from registry.projections.rebuild import rebuild
from registry.store.database import open_reader, open_writer
from registry.store.reader import Reader
from registry.store.states import States

ALL = "all read models"


def task(store: str) -> str:
    """Say what is done."""
    return f"rebuild a read model on {store}, nothing in memory"


def measurements(name: str, store: Loaded, repetitions: int) -> Iterator[Measurement]:
    """Rebuild each model with nothing in memory, then all of them with one memory of the agreements."""
    for _ in range(repetitions):
        for model in CATALOGUE:
            yield _measure(store, model.name, task(name), [model.name])
        yield _measure(store, ALL, f"rebuild on {name}", [model.name for model in CATALOGUE])


def _measure(store: Loaded, subject: str, what: str, models: list[str]) -> Measurement:
    writing, reading = open_writer(store.url), open_reader(store.url)
    reader = Reader(reading, States(STATES))
    start, cpu = time.perf_counter(), time.process_time()
    for model in CATALOGUE:
        if model.name in models:
            rebuild(writing, reader, model)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    writing.dispose()
    reading.dispose()
    return Measurement(subject=subject, task=what, events=store.events, seconds=seconds, subject_cpu=cpu)
