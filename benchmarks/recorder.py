"""Rows a second of the compared recorder alone: no HTTP, no JSON, the events made before the clock starts."""

import itertools
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import msgspec
from eventsourcing.persistence import ApplicationRecorder, StoredEvent

from benchmarks.baseline import open_recorder, open_sqlite
from benchmarks.events import STORY, stories
from benchmarks.figures import Measurement
from benchmarks.postgres import Server

DATABASE = "recorder"
POSTGRESQL, SQLITE = "recorder", "recorder SQLite"
SHAPES = ((1, 1), (4, 1), (1, 100), (4, 100))
"""Threads, and rows a transaction."""
Kind = tuple[str, ApplicationRecorder, tuple[int, int]]
"""The name of a recorder, the recorder, and a shape."""


def task(threads: int, rows: int) -> str:
    """Say what the recorder does."""
    return f"no HTTP, {threads} thread{'s' * (threads > 1)}, {rows} row{'s' * (rows > 1)} a transaction"


def measurements(server: Server, seconds: float, repetitions: int) -> Iterator[Measurement]:
    """Measure every shape once for warm-up, then as often as asked, in turns."""
    server.create_database(DATABASE)
    recorder = open_recorder(server.socket, DATABASE)
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder:
        sqlite = open_sqlite(f"{folder}/recorder.db")
        kinds: list[tuple[str, ApplicationRecorder, tuple[int, int]]] = [
            (POSTGRESQL, recorder, shape) for shape in SHAPES
        ]
        kinds += [(SQLITE, sqlite, shape) for shape in SHAPES if shape[0] == 1]
        try:
            for name, each, shape in kinds:
                _measure(name, each, *shape, min(0.3, seconds))
            for _ in range(repetitions):
                for name, each, shape in kinds:
                    server.checkpoint()
                    yield _measure(name, each, *shape, seconds)
        finally:
            recorder.datastore.close()


def _measure(
    name: str, recorder: ApplicationRecorder, threads: int, rows: int, seconds: float
) -> Measurement:
    rate = 4_000 if rows == 1 else 60_000
    work = [_transactions(rows, int(rate * seconds / threads)) for _ in range(threads)]
    start = time.perf_counter()
    deadline = start + seconds
    with ThreadPoolExecutor(threads) as pool:
        counts = list(pool.map(lambda mine: _insert(recorder, mine, deadline), work))
    elapsed = time.perf_counter() - start
    return Measurement(subject=name, task=task(threads, rows), events=sum(counts), seconds=elapsed)


def _insert(recorder: ApplicationRecorder, work: Sequence[Sequence[StoredEvent]], deadline: float) -> int:
    count = 0
    for transaction in work:
        recorder.insert_events(transaction)
        count += len(transaction)
        if time.perf_counter() >= deadline:
            break
    return count


def _transactions(rows: int, events: int) -> list[list[StoredEvent]]:
    """Make transactions of the same states, spread over as many streams as over HTTP."""
    states = itertools.cycle(
        (event["type"], msgspec.json.encode(event["data"]))
        for story in itertools.islice(stories("r"), 100)
        for event in story
    )
    made: list[list[StoredEvent]] = []
    while len(made) * rows < events:
        streams = [uuid.uuid4() for _ in range(max(1, 2 * rows // STORY))]
        group = [StoredEvent(stream, n, *next(states)) for n in range(STORY) for stream in streams]
        made += [group[i : i + rows] for i in range(0, len(group), rows)]
    return made
