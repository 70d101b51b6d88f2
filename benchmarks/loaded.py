"""A registry that is full: 5,001 treaties where their data is, generated agreements where it is not, and the story."""

import asyncio
import itertools
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import msgspec

from benchmarks.events import stories
from benchmarks.ours import environment
from benchmarks.servers import CHECKOUT
from registry.cli.demo import STORY
from registry.domain import cloudevents, strict_json
from registry.domain.envelope import Posted
from registry.projections.catalogue import CATALOGUE
from registry.projections.rebuild import rebuild
from registry.store.database import open_reader, open_writer
from registry.store.reader import Reader
from registry.store.sequencer import Sequencer
from registry.store.states import States
from registry.store.writer import Writer

AGREEMENTS = 5_001
STATES = 400_000
PRINCIPAL = "5a4d0c55-6c1b-4c0e-8b8e-0d4a3a5c9f10"
SHARED = CHECKOUT.parent / "shared"
TESTS = CHECKOUT / "tests"
"""Where the treaties are turned into events, for the tests and for this."""


class Loaded(msgspec.Struct, frozen=True):
    """A store with everything in it, its read models built."""

    url: str
    environ: dict[str, str]
    """Settings to serve it with."""
    events: int
    agreements: list[str]


def load(url: str) -> Loaded:
    """Fill an empty database and build the read models."""
    environ = environment(url)
    writing, reading = open_writer(url), open_reader(url)
    states = States(STATES)
    agreements: dict[str, None] = {}

    async def append() -> None:
        sequencer = Sequencer(Writer(writing, states), queue_events=10_000)
        sequencer.start()
        events = posted()
        while batch := list(itertools.islice(events, 500)):
            await sequencer.append(batch, PRINCIPAL)
            agreements.update(dict.fromkeys(event.subject for event in batch))
        await sequencer.close()

    asyncio.run(append())
    reader = Reader(reading, states)
    for model in CATALOGUE:
        rebuild(writing, reader, model)
    size = reader.head().size
    writing.dispose()
    reading.dispose()
    return Loaded(url, environ, size, list(agreements))


def posted() -> Iterator[Posted]:
    """Yield the events of the story and of all agreements."""
    for report in STORY:
        yield from (cloudevents.posted(strict_json.decode(line)) for line in report.read_bytes().splitlines())
    if (SHARED / "data").is_dir():
        yield from _treaties(SHARED)
        return
    for story in itertools.islice(stories("full"), AGREEMENTS):
        yield from map(cloudevents.posted, story)


def _treaties(shared: Path) -> Iterator[Posted]:
    if str(TESTS) not in sys.path:
        sys.path.append(str(TESTS))
    uk_data = import_module("uk_data")
    events: Iterator[Posted] = uk_data.posted(uk_data.read_rows(shared))
    return events
