"""Rebuilding the read models of a full registry, in this process: events of the log a second."""

import gc
import os
import time
from collections.abc import Iterator, Sequence

from benchmarks.figures import Measurement
from benchmarks.loaded import Loaded
from registry.projections.agreements import AGREEMENTS
from registry.projections.catalogue import CATALOGUE
from registry.projections.generations import discard_retired
from registry.projections.makers import makers
from registry.projections.model import ReadModel
from registry.projections.rebuild import rebuild_all
from registry.store.database import open_reader, open_writer
from registry.store.reader import Reader

ALL = "all read models"
ALONE = "agreements, in one process"


def task(store: str) -> str:
    """Say what is done."""
    return f"rebuild a read model on {store}, nothing in memory"


def measurements(name: str, store: Loaded, repetitions: int) -> Iterator[Measurement]:
    """Rebuild each model by itself, then all of them in one pass over the log, and the list without processes."""
    for _ in range(repetitions):
        for model in CATALOGUE:
            yield _measure(store, model.name, task(name), [model])
        yield _measure(store, ALONE, task(name), [AGREEMENTS], processes=0)
        yield _measure(store, ALL, f"rebuild on {name}", CATALOGUE)


def _measure(
    store: Loaded, subject: str, what: str, models: Sequence[ReadModel], processes: int | None = None
) -> Measurement:
    gc.set_threshold(50_000, 20, 50)  # as in the command that rebuilds
    writing, reading = open_writer(store.url), open_reader(store.url)
    start, cpu = time.perf_counter(), _processor_time()
    with makers(models, processes) as making:
        rebuild_all(writing, Reader(reading), models, makers=making)
    seconds, cpu = time.perf_counter() - start, _processor_time() - cpu
    with writing.begin() as connection:
        for model in models:
            discard_retired(connection, model, kept=0)
    writing.dispose()
    reading.dispose()
    return Measurement(subject=subject, task=what, events=store.events, seconds=seconds, subject_cpu=cpu)


def _processor_time() -> float:
    """Give what this process has used, and those that it has begun and seen end."""
    used = os.times()
    return used.user + used.system + used.children_user + used.children_system
