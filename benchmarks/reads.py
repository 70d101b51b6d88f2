"""Reading over HTTP: every list, one agreement against a constant answer, and the whole log as lines."""

import socket
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack

import psycopg
from sqlalchemy.engine import make_url

from benchmarks.figures import Measurement
from benchmarks.load import drive
from benchmarks.loaded import Loaded
from benchmarks.servers import Running, serve, settle

LISTS = (
    "/agreements",
    "/agreements?sort=-signed",
    "/agreements?status=in-force&valid_as_of=1914-08-04",
    "/agreements?q=commerce",
    "/agreements?party=usa",
    "/parties",
    "/parties/usa",
    "/pairs",
    "/pairs/gbr/usa",
    "/agreements/pak-slv-2025-digital-assets/timeline",
    "/engagements",
    "/follow-ups",
    "/institutions",
    "/people",
    "/facts",
    "/publications",
    "/sources",
    "/stats",
)
"""Everything that a read model answers."""

FACTORY = "benchmarks.ours:create"
CLIENTS = 16
MANY = "GET one agreement"
FIRST = "GET one agreement for the first time"
UNCHANGED = "GET one agreement that is known, 304"
REPLAY = "the whole log in order"
CHUNK_END = b"0\r\n\r\n"
PAGE = 1000


def list_task(path: str) -> str:
    """Say which list is read."""
    return f"GET {path}"


def request(path: str, headers: Mapping[str, str] | None = None) -> bytes:
    """Write a GET request."""
    lines = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
    return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n{lines}\r\n".encode()


def measurements(stores: Mapping[str, Loaded], seconds: float, repetitions: int) -> Iterator[Measurement]:
    """Measure the lists on each store, and the rest on the first of them."""
    with ExitStack() as stack:
        servers = {name: stack.enter_context(serve(FACTORY, store.environ)) for name, store in stores.items()}
        for running in servers.values():
            settle(running)
        for _ in range(repetitions):
            for path in LISTS:
                for name, running in servers.items():
                    yield _measure(name, list_task(path), running, [request(path)], seconds / 4, clients=1)
        name, store = next(iter(stores.items()))
        yield from _one_agreement(name, store, servers[name], seconds, repetitions)
        yield from _replays(store, servers[name], repetitions)


def _one_agreement(
    name: str, store: Loaded, running: Running, seconds: float, repetitions: int
) -> Iterator[Measurement]:
    """Read agreements all over the registry, and take the constant answer as often."""
    paths = [f"/agreements/{id_}" for id_ in store.agreements]
    requests = [request(path) for path in paths]
    yield _measure(name, FIRST, running, requests, seconds)
    drive(running.port, [requests], 1, 120, status=200)  # from now on all are in memory
    known = [request(path, {"if-none-match": _etag(running.port, path)}) for path in paths]
    with serve("benchmarks.constant:create_app", {}) as constant:
        for _ in range(repetitions):
            yield _measure(name, MANY, running, requests, seconds)
            yield _measure("constant", MANY, constant, requests, seconds)
            yield _measure(name, UNCHANGED, running, known, seconds, status=304)


def _replays(store: Loaded, running: Running, repetitions: int) -> Iterator[Measurement]:
    for _ in range(repetitions):
        for name, taken in (
            ("PostgreSQL", replay(running.port)),
            ("psycopg", _rows(store.url, store.events)),
        ):
            yield Measurement(subject=name, task=REPLAY, events=store.events, seconds=taken)


def _measure(
    name: str, task: str, running: Running, requests: Sequence[bytes], seconds: float, **load: int
) -> Measurement:
    clients, status = load.get("clients", CLIENTS), load.get("status", 200)
    most = int(8_000 * seconds / clients) + len(requests)
    each = [[requests[(i * 31 + c * 997) % len(requests)] for i in range(most)] for c in range(clients)]
    before = running.cpu()
    sample = drive(running.port, each, clients, seconds, status=status)
    return Measurement(
        subject=name,
        task=task,
        events=sample.requests,
        seconds=sample.seconds,
        p50_ms=sample.quantile(0.5) * 1e3,
        p99_ms=sample.quantile(0.99) * 1e3,
        subject_cpu=running.cpu() - before,
    )


def _etag(port: int, path: str) -> str:
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request(path, {"connection": "close"}))
        answer = _until_closed(connection)
    head = answer.partition(b"\r\n\r\n")[0].decode("latin-1")
    return next(line.partition(":")[2].strip() for line in head.split("\r\n") if line.startswith("etag:"))


def _until_closed(connection: socket.socket) -> bytes:
    pieces = []
    while piece := connection.recv(1 << 20):
        pieces.append(piece)
    return b"".join(pieces)


def replay(port: int) -> float:
    """Read the whole log as NDJSON; give the seconds. It is not parsed, as what psycopg reads is not either."""
    asked = request("/events", {"accept": "application/x-ndjson"})
    start = time.perf_counter()
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(asked)
        end = b""
        while not end.endswith(CHUNK_END):
            piece = connection.recv(1 << 20)
            if not piece:
                raise ConnectionError("the replay ended early")
            end = (end + piece)[-len(CHUNK_END) :]
    return time.perf_counter() - start


def _rows(url: str, size: int) -> float:
    """Read the same columns of the same rows with psycopg alone, page by page, as text; give the seconds."""
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    events = (
        "SELECT position, source, event_id, stream_id, version, type, recorded_at, entry, leaf_hash "
        "FROM event WHERE position > %s ORDER BY position LIMIT %s"
    )
    parts = "SELECT position, part_no, data FROM event_part WHERE position BETWEEN %s AND %s"
    read = 0
    start = time.perf_counter()
    with psycopg.connect(conninfo, autocommit=True) as connection:
        while read < size:
            rows = connection.execute(events, [read, PAGE]).fetchall()
            connection.execute(parts, [rows[0][0], rows[-1][0]]).fetchall()
            read = rows[-1][0]
    return time.perf_counter() - start
