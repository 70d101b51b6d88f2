"""What an append, a proof, a status and a page of a list cost as the log grows, and the memory of the service.

A real log of 10,000 events is multiplied inside the database: the same events under other ids, in agreements of other
names. Only their entries are not made anew. The read model of the list grows with it; the others are left as they
were. What is measured then is the real thing, on each store.

PostgreSQL is given the cache that an operator of such a log would give it (docs/operations.md); what it costs
to read from a disk is a question of the disk, and not of what is read.
"""

import asyncio
import itertools
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from random import Random
from statistics import median

import msgspec
import psutil  # type: ignore[import-untyped]  # ships none
from sqlalchemy import Connection, Engine, select, text, update

from benchmarks.events import STORY, groups, stories
from benchmarks.figures import Measurement
from benchmarks.load import drive
from benchmarks.loaded import PRINCIPAL
from benchmarks.ours import environment
from benchmarks.postgres import Server
from benchmarks.reads import FACTORY, replay, request
from benchmarks.servers import Running, memory, serve, settle
from benchmarks.tree import BATCH, request_of, written_out
from registry.api.log import inclusion
from registry.domain import cloudevents
from registry.merkle.proof import verify_inclusion
from registry.merkle.tree import append, pack
from registry.projections.agreements import AGREEMENTS
from registry.projections.catalogue import CATALOGUE
from registry.projections.generations import live
from registry.projections.rebuild import rebuild
from registry.store.database import open_reader, open_writer
from registry.store.head import read_head
from registry.store.reader import Reader
from registry.store.sequencer import Sequencer
from registry.store.states import States
from registry.store.tables import event, log_head, tracking
from registry.store.tiles import fill_tiles
from registry.store.writer import Writer

FIRST = 10_000
SIZES = (FIRST, 1_000_000)
"""Multiples of the first one."""
APPEND, PROOF, STATUS, PAGE = (
    "append 100 events a transaction",
    "inclusion proof",
    "one agreement, cold",
    "first page",
)
KINDS = (APPEND, PROOF, STATUS, PAGE)
DISK = "disk an event, with tree and indexes"
IDLE, REPLAYING = "service, idle", "service, replaying the whole log"
APPENDS = 60
PROOFS = 1_000
READ_SECONDS = 1.0
AT_ONCE = 50_000

CACHE_KB = 2
"""Kilobytes of cache for an event: somewhat more than it takes with its indexes, its tree and its share of a list."""
MOST_CACHE = 0.4
"""Of the memory of the machine."""

COPIES = """
    WITH RECURSIVE copy (k) AS (SELECT CAST(:since AS int) UNION ALL SELECT k + 1 FROM copy WHERE k < :until)
"""
EVENTS = f"""{COPIES}
    INSERT INTO event (position, source, event_id, stream_id, version, type, recorded_at, entry, leaf_hash)
    SELECT position + k * :first, source, event_id || '-' || k, stream_id || '-' || k, version, type, recorded_at,
           entry, {{another}}
    FROM copy, event WHERE position <= :first ORDER BY k, position
"""
PARTS = f"""{COPIES}
    INSERT INTO event_part (position, part_no, salt, data)
    SELECT position + k * :first, part_no, salt, data
    FROM copy, event_part WHERE position <= :first ORDER BY k, position, part_no
"""


class Grown(msgspec.Struct, frozen=True):
    """A log of some size, and what is open on it."""

    store: str
    size: int
    url: str
    writing: Engine
    reading: Engine


def task(store: str, kind: str) -> str:
    """Say what is done as the log grows."""
    return f"growing log on {store}: {kind}"


def subject(size: int) -> str:
    """Name a log."""
    return f"{size:,} events"


def on_each_store(database: Server, sizes: Sequence[int], repetitions: int) -> Iterator[Measurement]:
    """Take the measurements on PostgreSQL, and on SQLite up to the second size."""
    memory_kb = psutil.virtual_memory().total / 1024
    database.set_cache(int(min(max(sum(sizes), 64_000) * CACHE_KB, memory_kb * MOST_CACHE) / 1024))

    def in_database(size: int) -> str:
        database.create_database(f"growth_{size}", template="growth")
        return database.url(f"growth_{size}")

    database.create_database("growth")
    _append_first(database.url("growth"))
    yield from measurements([grow("PostgreSQL", size, in_database(size)) for size in sizes], repetitions)
    with tempfile.TemporaryDirectory(prefix="registry-bench-") as folder:
        first = Path(folder) / "growth.db"
        _append_first(f"sqlite:///{first}")

        def in_file(size: int) -> str:
            shutil.copy(first, path := Path(folder) / f"growth-{size}.db")
            return f"sqlite:///{path}"

        yield from measurements([grow("SQLite", size, in_file(size)) for size in sizes[:2]], repetitions)


def measurements(logs: Sequence[Grown], repetitions: int) -> Iterator[Measurement]:
    """Measure some logs in turns: reading first, while nothing has been appended that read models are to take in."""
    for log in logs:
        yield _sized(log, DISK, _bytes(log) / log.size / 1024)
        log.writing.dispose()  # of a SQLite file only one process may write
    for n in range(repetitions):
        for log in logs:
            with serve(FACTORY, _environ(log)) as running:
                settle(running)
                if not n:
                    yield _sized(log, IDLE, memory(running))
                yield from _reads(log, running, n)
    for log in logs:
        with serve(FACTORY, _environ(log)) as running:
            yield _sized(log, REPLAYING, _while_replaying(running))
    batches = groups("growth", BATCH)
    list(_appends(logs, batches, 5))
    for _ in range(repetitions):
        yield from _appends(logs, batches, APPENDS)
        for log in logs:
            yield _proofs(log)
    for log in logs:
        log.writing.dispose()
        log.reading.dispose()


def grow(store: str, size: int, url: str) -> Grown:
    """Multiply a copy of the log of the first size."""
    log = Grown(store, size, url, open_writer(url), open_reader(url))
    _multiply(log.writing, size // FIRST)
    written_out(log.writing)
    return log


def _environ(log: Grown) -> dict[str, str]:
    return {"REGISTRY_DATABASE": log.url, "REGISTRY_AUTH": "off"}


def _append_first(url: str) -> None:
    environment(url)
    writing, reading, states = open_writer(url), open_reader(url), States(FIRST)

    async def run() -> None:
        sequencer = Sequencer(Writer(writing, states), queue_events=10_000)
        sequencer.start()
        made = itertools.chain.from_iterable(itertools.islice(stories("grow"), FIRST // STORY))
        posted = map(cloudevents.posted, made)
        while batch := list(itertools.islice(posted, 500)):
            await sequencer.append(batch, PRINCIPAL)
        await sequencer.close()

    asyncio.run(run())
    for model in CATALOGUE:
        rebuild(writing, Reader(reading, states), model)
    written_out(writing)
    writing.dispose()
    reading.dispose()


def _multiply(writing: Engine, times: int) -> None:
    """Let a log, and its list of agreements, be so many times as long."""
    step = AT_ONCE // FIRST
    for since in range(1, times, step):
        copies = {"first": FIRST, "since": since, "until": min(since + step, times) - 1}
        with writing.begin() as connection:
            events = EVENTS.format(another=_another_hash(connection))
            for statement in (events, PARTS, *_rows(connection)):
                connection.execute(text(statement), copies)
            _extend(connection, copies["until"] * FIRST + FIRST)
    with writing.begin() as connection:
        connection.execute(update(tracking).values(position=times * FIRST))


def _another_hash(connection: Connection) -> str:
    """Let a connection take many rows at once; write what makes the leaf hash of a copy."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL enable_seqscan = on"))
        connection.execute(text("SET LOCAL enable_hashjoin = on"))
        return "sha256(leaf_hash || int4send(k))"
    connection.execute(text("PRAGMA cache_size = -400000"))
    driver = connection.connection.driver_connection
    assert driver is not None
    driver.create_function("hash_of_copy", 2, lambda leaf, k: sha256(leaf + k.to_bytes(4)).digest())
    return "hash_of_copy(leaf_hash, k)"


def _rows(connection: Connection) -> Iterator[str]:
    """Give the statements that multiply the rows of the read model of agreements."""
    generation = live(connection, AGREEMENTS)
    if generation is None:
        raise RuntimeError("the list of agreements has not been built")
    of_copy = {
        "agreement": "m.agreement || '-' || k",
        **dict.fromkeys(("id", "position"), "m.{} + k * :first"),
    }
    for table in generation.tables(connection).values():
        names = [column.name for column in table.c]
        values = [of_copy.get(name, "m.{}").format(name) for name in names]
        yield (
            f"{COPIES} INSERT INTO {table.fullname} ({', '.join(names)}) "
            f"SELECT {', '.join(values)} FROM copy, {table.fullname} AS m "
            "WHERE m.agreement IN (SELECT stream_id FROM event WHERE position <= :first)"
        )


def _extend(connection: Connection, size: int) -> None:
    """Let the tree go as far as the events do."""
    head = read_head(connection)
    leaves = connection.scalars(
        select(event.c.leaf_hash).where(event.c.position > head.size).order_by(event.c.position)
    ).all()
    grown = append(head.size, head.frontier, leaves)
    connection.execute(update(log_head).values(size=size, frontier=pack(grown.frontier)))
    fill_tiles(connection, grown.subtrees)


def _bytes(log: Grown) -> float:
    """Give the bytes of the facts; of SQLite, which does not tell them apart, those of the whole file."""
    if log.store == "SQLite":
        return float(Path(str(log.writing.url.database)).stat().st_size)
    facts = "ARRAY['event', 'event_part', 'log_tile']"
    sizes = f"SELECT sum(pg_total_relation_size(name::regclass)) FROM unnest({facts}) AS name"
    with log.reading.connect() as connection:
        return float(connection.scalar(text(sizes)) or 0.0)


def _sized(log: Grown, kind: str, kilobytes: float) -> Measurement:
    name = task(log.store, kind)
    return Measurement(subject=subject(log.size), task=name, events=1, seconds=1.0, kilobytes=kilobytes)


def _appends(
    logs: Sequence[Grown], batches: Iterator[list[dict[str, object]]], count: int
) -> Iterator[Measurement]:
    """Append as many batches to each log, in turns; the time of each is that of the median batch."""
    writers = [Writer(log.writing, States(10_000)) for log in logs]
    spent: list[list[tuple[float, float]]] = [[] for _ in logs]
    for number, batch in enumerate(itertools.islice(batches, count)):
        wanted = request_of(batch)
        for step in range(len(logs)):
            which = (number + step) % len(logs)
            wall, cpu = time.perf_counter(), time.process_time()
            (outcome,) = writers[which].commit([wanted])
            spent[which].append((time.perf_counter() - wall, time.process_time() - cpu))
            if isinstance(outcome, Exception):
                raise outcome
    for log, times in zip(logs, spent, strict=True):
        yield Measurement(
            subject=subject(log.size),
            task=task(log.store, APPEND),
            events=BATCH * count,
            seconds=median(wall for wall, _ in times) * count,
            p50_ms=median(wall for wall, _ in times) * 1e3,
            subject_cpu=median(cpu for _, cpu in times) * count,
        )


def _proofs(log: Grown) -> Measurement:
    """Prove random leaves as the service does, and verify each. Raises ValueError when one does not hold."""
    reader, chance = Reader(log.reading), Random(log.size)
    head = reader.head()
    times, cpu = [], 0.0
    for _ in range(PROOFS):
        index = chance.randrange(log.size)
        begun, before = time.perf_counter(), time.process_time()
        size, proof = inclusion(reader, {"position": str(index + 1)})
        times.append(time.perf_counter() - begun)
        cpu += time.process_time() - before
        row, path = reader.event(index + 1), [bytes.fromhex(node) for node in proof.hashes]
        if row is None or not verify_inclusion(index, size, row.leaf_hash, path, head.root):
            raise ValueError(f"the proof of leaf {index} does not hold")
    return Measurement(
        subject=subject(log.size),
        task=task(log.store, PROOF),
        events=PROOFS,
        seconds=sum(times),
        p50_ms=median(times) * 1e3,
        p99_ms=sorted(times)[int(PROOFS * 0.99)] * 1e3,
        subject_cpu=cpu,
    )


def _reads(log: Grown, running: Running, turn: int) -> Iterator[Measurement]:
    """Read agreements that are in no memory, each once, and the first page of the list again and again."""
    chance = Random(f"{log.size} {turn}")
    copies = log.size // FIRST
    paths = []
    for _ in range(min(FIRST // STORY, 600)):
        with_copy = chance.randrange(copies)
        story = chance.randrange(FIRST // STORY)
        paths.append((story, with_copy))
    names = _names(log, paths)
    for kind, work in (
        (STATUS, [request(f"/agreements/{name}") for name in names]),
        (PAGE, [request("/agreements")] * 3_000),
    ):
        before = running.cpu()
        sample = drive(running.port, [work], 1, READ_SECONDS, status=200)
        yield Measurement(
            subject=subject(log.size),
            task=task(log.store, kind),
            events=sample.requests,
            seconds=sample.seconds,
            p50_ms=sample.quantile(0.5) * 1e3,
            p99_ms=sample.quantile(0.99) * 1e3,
            subject_cpu=running.cpu() - before,
        )


def _names(log: Grown, chosen: Sequence[tuple[int, int]]) -> list[str]:
    """Name agreements by the number of their story and of their copy; each comes once."""
    with log.reading.connect() as connection:
        founded = select(event.c.stream_id).where(event.c.version == 1, event.c.position <= FIRST)
        first = list(connection.scalars(founded.order_by(event.c.position)))
    names = (f"{first[story]}-{copy}" if copy else first[story] for story, copy in chosen)
    return list(dict.fromkeys(names))


def _while_replaying(running: Running) -> float:
    """Give the most kilobytes that the service has while it sends the whole log as lines."""
    most, done = memory(running), threading.Event()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.25):
            most = max(most, memory(running))

    watching = threading.Thread(target=watch)
    watching.start()
    try:
        replay(running.port)
    finally:
        done.set()
        watching.join()
    return most
