"""A tree of a million leaves against one of a thousand: proofs from it, and appending to it.

The leaves are inserted in bulk, with entries of their own and without parts; what is measured then is the real thing.
"""

import itertools
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random
from statistics import median, quantiles

import msgspec
from sqlalchemy import Connection, Engine, insert, text, update

from benchmarks.events import Envelope, groups
from benchmarks.figures import Measurement
from benchmarks.loaded import PRINCIPAL
from benchmarks.ours import environment
from benchmarks.postgres import Server
from registry.domain import cloudevents
from registry.domain.codec import split
from registry.merkle.entry import encode_entry
from registry.merkle.proof import inclusion_nodes, prove_inclusion, verify_inclusion
from registry.merkle.tiles import tile_of
from registry.merkle.tree import Appended, append, leaf_hash, pack
from registry.store.database import open_reader, open_writer
from registry.store.group import Request
from registry.store.reader import Reader
from registry.store.states import States
from registry.store.tables import event, log_head
from registry.store.tiles import fill_tiles
from registry.store.writer import Writer

SIZES = (1_000, 1_000_000)
PROOFS = 2_000
MOST_TILES = 5
"""What a proof in a million leaves may read."""
BATCH = 100
AT_ONCE = 50_000
"""Leaves that are inserted in one transaction."""
APPENDS = 60
"""Batches appended to each tree in one measurement."""

Leaf = tuple[int, bytes, bytes]
"""Position, entry and leaf hash."""


class Grown(msgspec.Struct, frozen=True):
    """A database with a tree of some size."""

    size: int
    writing: Engine
    reading: Engine


def proving(store: str) -> str:
    """Say what is proved."""
    return f"inclusion proof on {store}, one after the other in this process"


def appending(store: str) -> str:
    """Say what is appended."""
    return f"append {BATCH} events a transaction on {store}, without HTTP"


def subject(size: int) -> str:
    """Name a tree."""
    return f"{size:,} leaves"


def measurements(store: str, urls: list[str], repetitions: int) -> Iterator[Measurement]:
    """Grow a tree in each database, then prove from them and append to them in turns."""
    trees = [grow(url, size) for url, size in zip(urls, SIZES, strict=True)]
    for _ in range(repetitions):
        for tree in trees:
            yield prove(store, tree)
    batches = groups(f"tree-{store.lower()}", BATCH)
    _append(trees, batches, 5)
    for _ in range(repetitions):
        for tree, seconds, cpu in _append(trees, batches, APPENDS):
            yield Measurement(
                subject=subject(tree.size),
                task=appending(store),
                events=BATCH * APPENDS,
                seconds=seconds,
                subject_cpu=cpu,
            )
    for tree in trees:
        tree.writing.dispose()
        tree.reading.dispose()


def on_each_store(database: Server, repetitions: int) -> Iterator[Measurement]:
    """Take the measurements on PostgreSQL and on SQLite."""
    names = [f"tree_{size}" for size in SIZES]
    for name in names:
        database.create_database(name)
    yield from measurements("PostgreSQL", [database.url(name) for name in names], repetitions)
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder:
        yield from measurements("SQLite", urls_in(Path(folder)), repetitions)


def urls_in(folder: Path) -> list[str]:
    """Name a SQLite file for each tree."""
    return [f"sqlite:///{folder / f'tree-{size}.db'}" for size in SIZES]


def grow(url: str, size: int) -> Grown:
    """Migrate an empty database and fill it with leaves in bulk."""
    environment(url)
    tree = Grown(size, open_writer(url), open_reader(url))
    grown = Appended((), ())
    for start in range(0, size, AT_ONCE):
        leaves = [_leaf(position) for position in range(start + 1, min(start + AT_ONCE, size) + 1)]
        grown = append(start, grown.frontier, [leaf for _, _, leaf in leaves])
        with tree.writing.begin() as connection:
            _insert(connection, [_row(*leaf) for leaf in leaves])
            connection.execute(
                update(log_head).values(
                    size=start + len(leaves), frontier=pack(grown.frontier), recorded_at=start + len(leaves)
                )
            )
            fill_tiles(connection, grown.subtrees)
    written_out(tree.writing)
    return tree


def _insert(connection: Connection, rows: list[dict[str, object]]) -> None:
    if connection.dialect.name != "postgresql":
        connection.execute(insert(event), rows)
        return
    copy = f"COPY event ({', '.join(rows[0])}) FROM STDIN"
    with connection.connection.cursor() as cursor, cursor.copy(copy) as copying:
        for row in rows:
            copying.write_row(tuple(row.values()))


def written_out(writing: Engine) -> None:
    """Leave the database as one that has grown slowly: written out, and with statistics."""
    if writing.dialect.name == "postgresql":
        with writing.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text("VACUUM ANALYZE"))
            connection.execute(text("CHECKPOINT"))
        return
    with closing(sqlite3.connect(str(writing.url.database))) as alone:
        alone.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def prove(store: str, tree: Grown) -> Measurement:
    """Make proofs of random leaves, and verify each. Raises ValueError when one does not hold."""
    reader, chance = Reader(tree.reading), Random(tree.size)
    head = reader.head()
    times, cpu = [], 0.0
    for _ in range(PROOFS):
        index = chance.randrange(tree.size)
        begun, before = time.perf_counter(), time.process_time()
        nodes = inclusion_nodes(index, head.size)
        proof = prove_inclusion(index, head.size, reader.hashes(nodes, head.size))
        times.append(time.perf_counter() - begun)
        cpu += time.process_time() - before
        if len({tile_of(node, head.size) for node in nodes}) > MOST_TILES:
            raise ValueError(f"a proof in {head.size} leaves reads more than {MOST_TILES} tiles")
        if not verify_inclusion(index, head.size, _leaf(index + 1)[2], proof, head.root):
            raise ValueError(f"the proof of leaf {index} does not hold")
    return Measurement(
        subject=subject(tree.size),
        task=proving(store),
        events=PROOFS,
        seconds=sum(times),
        p50_ms=quantiles(times, n=100)[49] * 1000,
        p99_ms=quantiles(times, n=100)[98] * 1000,
        subject_cpu=cpu,
    )


def _append(
    trees: list[Grown], batches: Iterator[list[Envelope]], count: int
) -> list[tuple[Grown, float, float]]:
    """Append as many batches to each tree, in turns; give the seconds and processor seconds of each.

    They are those of the median batch, times their number: what else the machine does hits single batches.
    """
    spent: list[list[tuple[float, float]]] = [[] for _ in trees]
    writers = [Writer(tree.writing, States(10_000)) for tree in trees]
    for number, batch in enumerate(itertools.islice(batches, count)):
        request = request_of(batch)
        for which in (0, 1) if number % 2 else (1, 0):
            wall, cpu = time.perf_counter(), time.process_time()
            (outcome,) = writers[which].commit([request])
            spent[which].append((time.perf_counter() - wall, time.process_time() - cpu))
            if isinstance(outcome, Exception):
                raise outcome
    return [
        (tree, median(wall for wall, _ in one) * count, median(cpu for _, cpu in one) * count)
        for tree, one in zip(trees, spent, strict=True)
    ]


def request_of(batch: list[Envelope]) -> Request:
    events = [cloudevents.posted(one) for one in batch]
    return Request(events, [split(one.type, one.body, one.attrs, PRINCIPAL) for one in events])


def _leaf(position: int) -> Leaf:
    entry = encode_entry(
        id=str(position),
        parts=[bytes(32)],
        recorded_at=position,
        position=position,
        source="/bulk",
        stream=f"bulk-{position}",
        type="agreement.registered.v1",
        version=1,
    )
    return position, entry, leaf_hash(entry)


def _row(position: int, entry: bytes, leaf: bytes) -> dict[str, object]:
    return {
        "position": position,
        "source": "/bulk",
        "event_id": str(position),
        "stream_id": f"bulk-{position}",
        "version": 1,
        "type": "agreement.registered.v1",
        "recorded_at": position,
        "entry": entry,
        "leaf_hash": leaf,
    }
