"""What the registry is compared with: a recorder of ``eventsourcing`` behind a bare route.

Its own defaults throughout; on PostgreSQL a pool of 5 and 10 more, table lock, NOTIFY. Nothing is validated,
decided, split or hashed; the posted ``data`` is stored byte for byte as the state.
"""

import os
import uuid
from collections import defaultdict
from collections.abc import Mapping

import msgspec
from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresFactory
from eventsourcing.sqlite import SQLiteFactory
from litestar import Litestar, Request, Response, post

SOCKET = "BENCH_SOCKET"
DATABASE = "BENCH_DATABASE"
"""The name of a database behind the socket; without a socket a SQLite file."""


class Incoming(msgspec.Struct):
    """The three attributes that a stored event needs."""

    subject: str
    type: str
    data: msgspec.Raw


class Stored(msgspec.Struct):
    positions: list[int]


class Streams:
    """The next version of each stream, counted in memory: cheaper for the baseline than any read.

    Its dictionary is touched by the route's threads; a stream is posted to by one connection at a time.
    """

    def __init__(self) -> None:
        self._ids: defaultdict[str, uuid.UUID] = defaultdict(uuid.uuid4)
        self._versions: defaultdict[str, int] = defaultdict(int)

    def stored(self, event: Incoming) -> StoredEvent:
        version = self._versions[event.subject]
        self._versions[event.subject] = version + 1
        return StoredEvent(self._ids[event.subject], version, event.type, bytes(event.data))


def open_recorder(socket: str, database: str) -> PostgresApplicationRecorder:
    """Open the library's recorder with the library's defaults, and create its table."""
    environment = {
        "POSTGRES_DBNAME": database,
        "POSTGRES_HOST": socket,
        "POSTGRES_USER": "postgres",
        "POSTGRES_PASSWORD": "unused",
    }
    recorder = PostgresFactory(environment).application_recorder()
    assert isinstance(recorder, PostgresApplicationRecorder)
    return recorder


def open_sqlite(path: str) -> ApplicationRecorder:
    """Open the library's recorder of a SQLite file, with the library's defaults."""
    return SQLiteFactory({"SQLITE_DBNAME": path}).application_recorder()


def create_app(environ: Mapping[str, str] = os.environ) -> Litestar:
    """Build the baseline's application on the database that the environment names."""
    socket, database = environ.get(SOCKET, ""), environ[DATABASE]
    recorder = open_recorder(socket, database) if socket else open_sqlite(database)
    streams = Streams()
    one = msgspec.json.Decoder(Incoming)
    many = msgspec.json.Decoder(list[Incoming])
    encode = msgspec.json.Encoder().encode

    @post("/events", sync_to_thread=True)
    def post_events(request: Request, body: bytes) -> Response[bytes]:  # type: ignore[type-arg]
        batch = "batch" in request.headers["content-type"]
        events = many.decode(body) if batch else [one.decode(body)]
        positions = recorder.insert_events([streams.stored(event) for event in events])
        return Response(encode(Stored(list(positions or ()))), media_type="application/json")

    return Litestar([post_events], openapi_config=None)
