"""Which servers meet which loads, and that what they acknowledged is there afterwards."""

import itertools
import sys
from collections.abc import Collection, Iterator, Sequence
from contextlib import ExitStack

import msgspec

from benchmarks import baseline, full, recorder, streams, tree, verifying
from benchmarks.figures import Cost, Figure, Measurement, figures
from benchmarks.over_http import Load, Target, in_turns
from benchmarks.postgres import Server, private_server
from benchmarks.servers import Running, installed, serve

PARTS = ("domain", "recorder", "http", "servers", "reads", "rebuild", "streams", "verify", "tree")
"""Costs in the process; the recorder alone; side by side over HTTP; the registry under each HTTP server; reading
from a full registry; rebuilding its read models; posting while others listen; the auditor's program; a large tree."""

QUICK_PARTS = ("domain", "recorder", "http", "servers")
"""Those that need no full registry, which takes a while to load."""

SUBJECTS = ("registry", "baseline", "constant")
LOADS = (Load(1, 1), Load(32, 1), Load(128, 1), Load(1, 100), Load(4, 100))
SERVER_LOADS = (Load(32, 1), Load(4, 100))
TABLES = {"registry": "event", "baseline": "stored_events"}
"""Where an acknowledged event must be found."""


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
) -> tuple[list[Figure], list[Cost]]:
    """Take the measurements of some parts and servers, on one fresh PostgreSQL server."""
    measurements: list[Measurement] = []
    costs: list[Cost] = []
    if "domain" in parts:
        from benchmarks.domain import domain_costs

        costs = domain_costs()
    with private_server() as database:
        taken = []
        if "recorder" in parts:
            taken.append(recorder.measurements(database, size.seconds, size.repetitions))
        if "http" in parts:
            taken.append(_side_by_side(database, size, subjects, loads))
        if "servers" in parts and "registry" in subjects:
            taken.append(_under_each_server(database, size))
        if full.PARTS & set(parts):
            taken.append(full.measurements(database, full.PARTS & set(parts), size.seconds, size.repetitions))
        if "streams" in parts:
            taken.append(streams.measurements(database, size.seconds, size.repetitions))
        if "verify" in parts:
            taken.append(verifying.measurements(min(size.repetitions, 3)))
        if "tree" in parts:
            taken.append(tree.on_each_store(database, min(size.repetitions, 3)))
        for measurement in itertools.chain.from_iterable(taken):
            print(f"{measurement.rate:>9,.0f}/s  {measurement.subject}: {measurement.task}", file=sys.stderr)
            measurements.append(measurement)
    return figures(measurements), costs


def _side_by_side(
    database: Server, size: Size, subjects: Sequence[str], loads: Sequence[Load]
) -> Iterator[Measurement]:
    with ExitStack() as stack:
        targets = [
            Target(name, stack.enter_context(serve(*_prepare(database, name, name)))) for name in subjects
        ]
        yield from in_turns(targets, loads, size.seconds, size.repetitions, database)
        for target in targets:
            _check(database, target, target.name)


def _under_each_server(database: Server, size: Size) -> Iterator[Measurement]:
    with ExitStack() as stack:
        targets = []
        for server in installed():
            factory, environ = _prepare(database, "registry", server)
            running: Running = stack.enter_context(serve(factory, environ, server))
            targets.append(Target(server, running))
        for measurement in in_turns(targets, SERVER_LOADS, size.seconds, size.repetitions, database):
            yield msgspec.structs.replace(
                measurement, task=f"by HTTP server, {measurement.task.removeprefix('HTTP, ')}"
            )
        for target in targets:
            _check(database, target, "registry", target.name)


def _prepare(database: Server, subject: str, name: str) -> tuple[str, dict[str, str]]:
    """Make a database for a server; give its application factory and its environment."""
    if subject == "constant":
        return "benchmarks.constant:create_app", {}
    database.create_database(name)
    if subject == "baseline":
        environ = {baseline.SOCKET: database.socket, baseline.DATABASE: name}
        return "benchmarks.baseline:create_app", environ
    from benchmarks.ours import environment

    return "benchmarks.ours:create", environment(database.url(name))


def _check(database: Server, target: Target, subject: str, name: str = "") -> None:
    """Raise LostEventsError unless every acknowledged event is stored, once."""
    if subject not in TABLES:
        return
    stored = database.rows(name or subject, TABLES[subject])
    if stored != target.acknowledged:
        raise LostEventsError(f"{target.name} acknowledged {target.acknowledged} events and holds {stored}")
