"""``registry-verify`` on a log of 100,000 events: as the SQLite file, and as a bundle of the whole log."""

import asyncio
import itertools
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from resource import RUSAGE_CHILDREN, getrusage

from benchmarks.events import stories
from benchmarks.figures import Measurement
from benchmarks.loaded import PRINCIPAL
from benchmarks.ours import environment
from registry.audit.checkpoints import store
from registry.audit.keys import SigningKey, make_key
from registry.audit.whole_log import write_whole_log
from registry.domain import cloudevents
from registry.merkle.checkpoint import Checkpoint, format_checkpoint
from registry.store.database import open_reader, open_writer
from registry.store.head import read_head
from registry.store.reader import Reader
from registry.store.sequencer import Sequencer
from registry.store.states import States
from registry.store.writer import Writer

EVENTS = 100_000
TASK = "registry-verify, the whole program"
FILE = "SQLite file"
BUNDLE = "whole bundle"
PROOFS = "proofs only"


def measurements(repetitions: int, events: int = EVENTS) -> Iterator[Measurement]:
    """Fill a database and a bundle, and verify each of them with the command, in turns."""
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder:
        database, bundle, key = _prepare(Path(folder), events)
        for _ in range(repetitions):
            yield _measure(FILE, [str(database), "--key", key], events)
            yield _measure(BUNDLE, [str(bundle), "--key", key], events)
            yield _measure(PROOFS, [str(database), "--key", key, "--proofs-only"], events)


def fill(path: Path, events: int) -> None:
    """Append generated events to a new SQLite database."""
    url = f"sqlite:///{path}"
    environment(url)
    writing = open_writer(url)

    async def append() -> None:
        sequencer = Sequencer(Writer(writing, States(0)), queue_events=10_000)
        sequencer.start()
        made = itertools.islice(itertools.chain.from_iterable(stories("verify")), events)
        posted = map(cloudevents.posted, made)
        while batch := list(itertools.islice(posted, 500)):
            await sequencer.append(batch, PRINCIPAL)
        await sequencer.close()

    asyncio.run(append())
    writing.dispose()


def _prepare(folder: Path, events: int) -> tuple[Path, Path, str]:
    path = folder / "registry.db"
    fill(path, events)
    key = make_key(folder / "key")
    origin = _sign(path, key)
    reading = open_reader(f"sqlite:///{path}")
    write_whole_log(Reader(reading), folder / "bundle", keys=[key.verifier_key(origin)])
    reading.dispose()
    return path, folder / "bundle", str(key.verifier_key(origin))


def _sign(path: Path, key: SigningKey) -> str:
    """Publish a checkpoint of a log, and give its origin."""
    writing = open_writer(f"sqlite:///{path}")
    with writing.begin() as connection:
        head = read_head(connection)
        checkpoint = Checkpoint(head.origin, head.size, head.root)
        store(connection, checkpoint, [key.sign_note(head.origin, format_checkpoint(checkpoint))])
    writing.dispose()
    return head.origin


def _measure(subject: str, arguments: list[str], events: int) -> Measurement:
    start, before = time.perf_counter(), getrusage(RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "registry.verifier.main", *arguments, "--no-state"]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    seconds, after = time.perf_counter() - start, getrusage(RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Measurement(subject=subject, task=TASK, events=events, seconds=seconds, subject_cpu=cpu)
