"""A log with everything verification looks at: several streams, personal parts, erasures, a full tile, checkpoints."""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import NamedTuple

import pytest
from eventsourcing.persistence import StoredEvent
from sqlalchemy import Engine, delete, insert, select

from registry.merkle.tree import root
from registry.store.database import open_reader, open_writer
from registry.store.head import Head, read_head
from registry.store.recorder import SQLAlchemyRecorder
from registry.store.tables import event_part, log_checkpoint

SOURCE = "https://report.example/"


class Posted(NamedTuple):
    stream: str
    version: int
    id: str
    parts: tuple[bytes, ...]
    type: str = "agreement.title-given.v1"


class Log:
    """A log under test: grows like the real one, by the one path of insertion."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.erased: dict[int, list[int]] = {}
        """The positions of events with erased parts, each with those of its tombstones."""
        self._streams: list[str] = []
        self._versions: dict[str, int] = {}

    def append(self, count: int, *, streams: int = 7, persons: int = 2) -> None:
        """Append events round robin to some streams, with 0, 1, 2 ... persons in turn."""
        first = len(self._streams) + 1
        self._record(
            [
                self._posted(
                    f"agreement-{position % streams}",
                    f"event-{position}",
                    tuple(
                        f'{{"part":{k},"position":{position}}}'.encode()
                        for k in range(position % (persons + 1) + 1)
                    ),
                )
                for position in range(first, first + count)
            ]
        )

    def erase(self, position: int, *parts: int) -> int:
        """Erase parts of an event as the registry does: with a tombstone, in one transaction."""
        target = {"source": SOURCE, "id": f"event-{position}"}
        tombstone = {
            "attrs": {},
            "data": {"legal_basis": "x", "parts": parts, "target": target},
            "principal": "p",
        }
        at = len(self._streams) + 1
        posted = self._posted(
            self._streams[position - 1],
            f"event-{at}",
            (json.dumps(tombstone, separators=(",", ":"), sort_keys=True).encode(),),
            "agreement.personal-data-erased.v1",
        )
        gone = (event_part.c.position == position, event_part.c.part_no.in_(parts))
        self._record([posted], delete(event_part).where(*gone))
        self.erased.setdefault(position, []).append(at)
        return at

    def sign(self) -> int:
        """Write a checkpoint of the log as it is; return its size."""
        head = self.head()
        with self.engine.begin() as connection:
            connection.execute(insert(log_checkpoint).values(size=head.size, root=head.root))
        return head.size

    def head(self) -> Head:
        with self.engine.connect() as connection:
            return read_head(connection)

    def root(self) -> bytes:
        return root(self.head().frontier)

    def parts(self, position: int) -> list[tuple[int, bytes, bytes]]:
        c = event_part.c
        statement = select(c.part_no, c.salt, c.data).where(c.position == position).order_by(c.part_no)
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(statement)]

    def _posted(self, stream: str, id: str, parts: tuple[bytes, ...], *type: str) -> Posted:
        self._versions[stream] = self._versions.get(stream, 0) + 1
        self._streams.append(stream)
        return Posted(stream, self._versions[stream], id, parts, *type)

    def _record(self, posted: Sequence[Posted], *further) -> None:
        with self.engine.begin() as connection:
            here = lambda: nullcontext(connection)  # noqa: E731
            SQLAlchemyRecorder(begin=here, connect=here).insert_events(
                [StoredEvent(each.stream, each.version, each.type, each.parts[0]) for each in posted],
                identities=[(SOURCE, each.id) for each in posted],
                parts=[each.parts[1:] for each in posted],
            )
            for statement in further:
                connection.execute(statement)


@pytest.fixture
def log(writing: Engine) -> Log:
    """An empty log on each kind of database."""
    return Log(writing)


@pytest.fixture
def sqlite_log(sqlite_url: str) -> Iterator[Log]:
    """An empty log on SQLite."""
    engine = open_writer(sqlite_url)
    yield Log(engine)
    engine.dispose()


@pytest.fixture
def sqlite_reading(sqlite_url: str) -> Iterator[Engine]:
    engine = open_reader(sqlite_url)
    yield engine
    engine.dispose()


@pytest.fixture
def written() -> Callable[[Log], Log]:
    """What makes a log of 300 events: a full tile and a partial one, erasures in both, four checkpoints."""

    def write(log: Log) -> Log:
        log.sign()
        log.append(100)
        log.sign()
        log.append(30)
        log.erase(5, 1, 2)
        log.append(100)
        log.erase(101, 1, 2)
        log.append(43)
        log.sign()
        log.erase(260, 1)
        log.erase(260, 2)
        log.append(23)
        log.sign()
        return log

    return write


@pytest.fixture
def written_log(log: Log, written: Callable[[Log], Log]) -> Log:
    return written(log)
