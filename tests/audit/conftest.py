"""A log with everything verification looks at: several streams, personal parts, erasures, a full tile, checkpoints."""

import copy
import json
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from typing import NamedTuple

import pytest
from eventsourcing.persistence import StoredEvent
from sqlalchemy import Engine, create_engine, delete, insert, select, text, update
from sqlalchemy.engine import make_url

from registry.merkle.entry import encode_entry, parse_entry
from registry.merkle.tree import append, leaf_hash, pack, root
from registry.store.database import open_reader, open_writer, parse_url
from registry.store.head import Head, read_head
from registry.store.recorder import SQLAlchemyRecorder
from registry.store.tables import event, event_part, log_checkpoint, log_head, metadata

SOURCE = "https://report.example/"
WRITTEN = ("event", "event_part", "log_tile", "log_head", "log_checkpoint")


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


class Attacker:
    """Somebody who can do with the database whatever its files allow."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        with engine.begin() as connection:
            for table in metadata.sorted_tables:
                if engine.dialect.name == "postgresql":
                    connection.execute(text(f"ALTER TABLE {table.name} DISABLE TRIGGER USER"))
            if engine.dialect.name == "sqlite":
                triggers = text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
                for (name,) in connection.execute(triggers).all():
                    connection.execute(text(f"DROP TRIGGER {name}"))

    def run(self, *statements: str, **values) -> None:
        """Run statements in one transaction."""
        with self.engine.begin() as connection:
            for statement in statements:
                wanted = {name: value for name, value in values.items() if f":{name}" in statement}
                connection.execute(text(statement), wanted)

    def keep(self) -> None:
        """Put a copy of every table aside."""
        self.run(*[f"CREATE TABLE kept_{table} AS SELECT * FROM {table}" for table in WRITTEN])

    def restore(self) -> None:
        """Undo everything."""
        empty = "TRUNCATE" if self.engine.dialect.name == "postgresql" else "DELETE FROM"
        self.run(*[f"{empty} {table}" for table in WRITTEN])
        self.run(*[f"INSERT INTO {table} SELECT * FROM kept_{table}" for table in WRITTEN])

    def rebuild(self, table: str) -> None:
        """Make a table of SQLite anew, without keys and other constraints."""
        self.run(
            f"CREATE TABLE rebuilt AS SELECT * FROM {table}",
            f"DROP TABLE {table}",
            f"ALTER TABLE rebuilt RENAME TO {table}",
        )

    def forge(self, position: int, *, head: bool = False, **fields) -> None:
        """Rewrite an event so that it holds by itself: entry, columns, leaf; on demand the head as well."""
        with self.engine.begin() as connection:
            stored = connection.scalar(select(event.c.entry).where(event.c.position == position))
            entry = parse_entry(stored)._replace(**fields)
            written = encode_entry(**entry._asdict())
            connection.execute(
                update(event)
                .where(event.c.position == position)
                .values(
                    position=entry.position,
                    source=entry.source,
                    event_id=entry.id,
                    stream_id=entry.stream,
                    version=entry.version,
                    type=entry.type,
                    recorded_at=entry.recorded_at,
                    entry=written,
                    leaf_hash=leaf_hash(written),
                )
            )
            if head:
                leaves = connection.execute(select(event.c.leaf_hash).order_by(event.c.position)).scalars()
                connection.execute(update(log_head).values(frontier=pack(append(0, (), leaves).frontier)))


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


def write(log: Log) -> Log:
    """Write 300 events: a full tile and a partial one, erasures in both, and four checkpoints."""
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


@pytest.fixture(scope="session", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def standing_log(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Log, Attacker]]:
    """The log of 300 events, written once on each kind of database, with a copy of every table beside it."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("standing") / "registry.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        url = f"sqlite:///{path}"
    else:
        server = make_url(request.getfixturevalue("postgres_server"))
        template = request.getfixturevalue("postgres_template")
        name = f"standing_{secrets.token_hex(4)}"
        maker = create_engine(parse_url(str(server)), isolation_level="AUTOCOMMIT")
        with maker.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {template}"))
        maker.dispose()
        url = server.set(database=name).render_as_string(hide_password=False)
    engine = open_writer(url)
    log = write(Log(engine))
    attacker = Attacker(engine)
    attacker.keep()
    yield log, attacker
    engine.dispose()


@pytest.fixture
def written_log(standing_log: tuple[Log, Attacker]) -> Log:
    """The log of 300 events as it was written, on each kind of database."""
    log, attacker = standing_log
    attacker.restore()
    return copy.deepcopy(log, {id(log.engine): log.engine})


@pytest.fixture
def attacker(standing_log: tuple[Log, Attacker], written_log: Log) -> Attacker:
    """Somebody at the database of the log of 300 events."""
    return standing_log[1]


@pytest.fixture
def auditor(written_log: Log) -> Iterator[Engine]:
    """The engine with which the log of 300 events is verified."""
    engine = open_reader(written_log.engine.url.render_as_string(hide_password=False))
    yield engine
    engine.dispose()


@pytest.fixture
def sqlite_attacker(sqlite_log: Log) -> Attacker:
    """Somebody at a SQLite file with the log of 300 events, who may do anything to its tables."""
    return Attacker(write(sqlite_log).engine)


@pytest.fixture
def attacking() -> Callable[[Log], Attacker]:
    """What lets somebody at the database of a log."""
    return lambda log: Attacker(log.engine)
