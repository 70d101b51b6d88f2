"""The parts that need a full registry: it is loaded once for all of them, into PostgreSQL and into SQLite."""

import tempfile
from collections.abc import Collection, Iterator
from pathlib import Path

from benchmarks import copying, pages, reads, rebuild
from benchmarks.figures import Measurement
from benchmarks.loaded import load
from benchmarks.postgres import Server

PARTS = frozenset({"reads", "pages", "rebuild"})


def measurements(
    database: Server, parts: Collection[str], seconds: float, repetitions: int
) -> Iterator[Measurement]:
    """Load the registries, then rebuild their read models and read from them."""
    database.create_database("full")
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder:
        stores = {
            "PostgreSQL": load(database.url("full")),
            "SQLite": load(f"sqlite:///{Path(folder) / 'registry.db'}"),
        }
        if "rebuild" in parts:
            database.checkpoint()
            for name, store in stores.items():
                yield from rebuild.measurements(name, store, max(repetitions, 3))
            yield from copying.measurements(stores["PostgreSQL"], min(repetitions, 2))
        if "reads" in parts:
            yield from reads.measurements(stores, seconds, repetitions)
        if "pages" in parts:
            yield from pages.measurements(stores, seconds, repetitions)
