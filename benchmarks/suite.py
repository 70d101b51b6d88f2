"""Which servers meet which loads, and that what they acknowledged is there afterwards."""

import sqlite3
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import msgspec

from benchmarks import baseline, full, growth, offered, recorder, starting, streams, tree, verifying
from benchmarks import uma as umadb
from benchmarks.figures import Cost, Figure, Measurement, figures
from benchmarks.over_http import Load, Target, in_turns
from benchmarks.postgres import Server, private_server
from benchmarks.servers import installed, serve

PARTS = (
    "domain",
    "recorder",
    "http",
    "offered",
    "servers",
    "start",
    "reads",
    "pages",
    "rebuild",
    "streams",
    "verify",
    "tree",
    "growth",
)
"""Costs in the process; the recorder alone; side by side; at an offered rate; the registry under each HTTP server;
start and memory; reading from a full registry, and its pages; rebuilding its read models; posting while others
listen; the auditor's program; a large tree; a log that grows."""

QUICK_PARTS = ("domain", "recorder", "http")
"""Those that need no full registry, which takes a while to load."""

SUBJECTS = (
    "registry",
    "registry x 2",
    "baseline",
    "constant",
    "umadb",
    "registry SQLite",
    "baseline SQLite",
)
QUICK_SUBJECTS = SUBJECTS[:1] + SUBJECTS[2:5]
LOADS = (Load(1, 1), Load(32, 1), Load(128, 1), Load(4, 100), Load(4, 1000))
QUICK_LOADS = (Load(32, 1), Load(4, 100))
SERVER_LOADS = (Load(32, 1),)
ONLY: dict[str, Collection[Load]] = {
    "registry x 2": (Load(32, 1), Load(128, 1)),
    "constant": (Load(32, 1), Load(128, 1)),
    "registry SQLite": (Load(32, 1), Load(4, 100)),
    "baseline SQLite": (Load(32, 1), Load(4, 100)),
}
"""Of the usual loads those that say something of a server; it meets any other that is asked for."""
TABLES = {"registry": "event", "baseline": "stored_events"}
"""Where an acknowledged event must be found."""
SQLITE = " SQLite"


class Size(msgspec.Struct, frozen=True):
    seconds: float
    """Of one measurement."""
    repetitions: int


class LostEventsError(Exception):
    """A server acknowledged a number of events and its table holds another."""


def run(
    size: Size,
    parts: Collection[str] = PARTS,
    subjects: Sequence[str] = SUBJECTS,
    loads: Sequence[Load] = LOADS,
    sizes: Sequence[int] = growth.SIZES,
) -> tuple[list[Figure], list[Cost]]:
    """Take the measurements of some parts and servers, on one fresh PostgreSQL server."""
    measurements: list[Measurement] = []
    costs: list[Cost] = []
    if "domain" in parts:
        from benchmarks.domain import domain_costs

        costs = domain_costs()
    with private_server() as database:
        for measurement in _all(database, size, parts, subjects, loads, sizes):
            print(f"{measurement.rate:>9,.0f}/s  {measurement.subject}: {measurement.task}", file=sys.stderr)
            measurements.append(measurement)
    return figures(measurements), costs


def _all(  # noqa: PLR0917 - what a run is asked for
    database: Server,
    size: Size,
    parts: Collection[str],
    subjects: Sequence[str],
    loads: Sequence[Load],
    sizes: Sequence[int],
) -> Iterator[Measurement]:
    seconds, repetitions = size.seconds, size.repetitions
    makers: dict[str, Callable[[], Iterator[Measurement]]] = {
        "recorder": lambda: recorder.measurements(database, seconds, repetitions),
        "http": lambda: _side_by_side(database, size, subjects, loads),
        "offered": lambda: offered.measurements(database, 2 * seconds, repetitions),
        "servers": lambda: _under_each_server(database, size),
        "start": lambda: starting.measurements(database, repetitions),
        "full": lambda: full.measurements(database, full.PARTS & set(parts), seconds, repetitions),
        "streams": lambda: streams.measurements(database, seconds, 1),
        "verify": lambda: verifying.measurements(1),
        "tree": lambda: tree.on_each_store(database, 1),
        "growth": lambda: growth.on_each_store(database, sizes, min(repetitions, 2)),
    }
    for part, make in makers.items():
        if part in parts or (part == "full" and full.PARTS & set(parts)):
            yield from make()


def _side_by_side(
    database: Server, size: Size, subjects: Sequence[str], loads: Sequence[Load]
) -> Iterator[Measurement]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="registry-bench-")))
        targets = [
            _target(database, folder, name, stack)
            for name in subjects
            if name != "umadb" or umadb.installed()
        ]
        met = {target.name: [load for load in loads if _meets(target.name, load)] for target in targets}
        yield from in_turns(targets, loads, size.seconds, size.repetitions, database, met)
        for target in targets:
            _check(database, folder, target)


def _meets(name: str, load: Load) -> bool:
    return load not in LOADS or load in ONLY.get(name, LOADS)


def _target(database: Server, folder: Path, name: str, stack: ExitStack) -> Target:
    if name == "umadb":
        return umadb.target(stack.enter_context(umadb.serve(folder / name)))
    subject, _, variant = name.partition(" ")
    factory, environ = prepare(database, folder, subject, name)
    server = "uvicorn" if subject != "registry" else "serve x 2" if variant == "x 2" else "serve"
    return Target(name, stack.enter_context(serve(factory, environ, server)))


def _under_each_server(database: Server, size: Size) -> Iterator[Measurement]:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="registry-bench-")))
        targets = []
        for server in installed():
            factory, environ = prepare(database, folder, "registry", f"registry {server}")
            targets.append(Target(server, stack.enter_context(serve(factory, environ, server))))
        for measurement in in_turns(targets, SERVER_LOADS, size.seconds, size.repetitions, database):
            yield msgspec.structs.replace(
                measurement, task=f"by HTTP server, {measurement.task.removeprefix('HTTP, ')}"
            )
        for target in targets:
            _check(database, folder, target, f"registry {target.name}")


def prepare(database: Server, folder: Path, subject: str, name: str) -> tuple[str, dict[str, str]]:
    """Make a database for a server; give its application factory and its environment."""
    if subject == "constant":
        return "benchmarks.constant:create_app", {}
    on_sqlite = name.endswith(SQLITE)
    path = str(folder / f"{name}.db")
    if not on_sqlite:
        database.create_database(name)
    if subject == "baseline":
        environ = {baseline.SOCKET: "" if on_sqlite else database.socket}
        return "benchmarks.baseline:create_app", environ | {baseline.DATABASE: path if on_sqlite else name}
    from benchmarks.ours import environment, signing

    environ = environment(f"sqlite:///{path}" if on_sqlite else database.url(name))
    return "benchmarks.ours:create", environ | signing(folder / f"{name}.key")


def _check(database: Server, folder: Path, target: Target, name: str = "") -> None:
    """Raise LostEventsError unless every acknowledged event is stored, once."""
    name = name or target.name
    if (table := TABLES.get(name.partition(" ")[0])) is None:
        stored = umadb.stored(target.running) if name == "umadb" else target.acknowledged
    elif name.endswith(SQLITE):
        with closing(sqlite3.connect(folder / f"{name}.db")) as connection:
            (stored,) = connection.execute(f"SELECT count(*) FROM {table}").fetchone()
    else:
        stored = database.rows(name, table)
    if stored != target.acknowledged:
        raise LostEventsError(f"{target.name} acknowledged {target.acknowledged} events and holds {stored}")
