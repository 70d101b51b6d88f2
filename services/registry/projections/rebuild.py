"""Rebuilding: a new generation is built beside the live one, and takes its place once it has caught up."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from secrets import token_hex
from time import monotonic, sleep
from typing import Any

import msgspec
from sqlalchemy import Connection, Engine, Table, select

from registry.errors import Unavailable
from registry.projections.changes import changes
from registry.projections.generations import (
    Generation,
    Overtaken,
    begin_generation,
    discard,
    generations,
    go_live,
    live,
    lock,
)
from registry.projections.makers import Makers
from registry.projections.model import ReadModel
from registry.projections.parking import RETRIED, resolve, waiting
from registry.projections.runner import RENEWED_EVERY
from registry.projections.step import Projection
from registry.projections.sweep import STRETCH, sweep
from registry.store.database import reachable
from registry.store.head import read_head
from registry.store.leases import OWNER, Held, acquire, release, renew
from registry.store.reader import STREAMS, Reader

Progress = Callable[[int, int], None]
"""Called with the position reached and the size of the log."""

LOOKS = 10
"""How often a check looks again at what has moved meanwhile."""
PAUSE = 0.2
"""Seconds before it does, in which whoever keeps the live rows goes on."""


class Difference(msgspec.Struct, frozen=True):
    """A row that is in one build and not in the other."""

    table: str
    agreement: str
    found: str
    """``live only`` or ``rebuilt only``."""
    row: dict[str, Any]


def rebuild(
    engine: Engine,
    reader: Reader,
    model: ReadModel,
    progress: Progress = lambda _, __: None,
    makers: Makers | None = None,
) -> int:
    """Build a model anew and let it take the place of the live generation; return its number.

    The old rows serve until then, and writers post on. What was skipped before is tried again.
    Raises Unavailable when the same model is being rebuilt already, and when another has taken over or the database
    is gone; the old rows serve on.
    """
    return rebuild_all(engine, reader, (model,), progress, makers)[0]


def rebuild_all(
    engine: Engine,
    reader: Reader,
    models: Sequence[ReadModel],
    progress: Progress = lambda _, __: None,
    makers: Makers | None = None,
) -> list[int]:
    """Build several models anew in one pass over the log; return the numbers of their generations.

    Each takes the place of its live generation by itself. Otherwise like ``rebuild``.
    """
    with reachable(), _leases(engine, models) as leases:
        projections = _built(engine, reader, leases, progress, makers)
        for each in projections:
            while not _switch(engine, each):
                _catch_up(engine, reader, [each], leases, progress, makers=makers)
    return [each.generation.number for each in projections]


def check(
    engine: Engine,
    reader: Reader,
    model: ReadModel,
    progress: Progress = lambda _, __: None,
    makers: Makers | None = None,
) -> list[Difference]:
    """Build a model anew only to compare its rows with the live ones; return where they differ.

    Both are read as of one moment, and nobody waits for it. What has moved behind the position of either may differ
    and be right, so it is looked at again once both have gone on. What the live rows have not come to after ``LOOKS``
    looks is left out: they are behind, which their status tells, and not wrong.
    """
    with reachable(), _leases(engine, (model,)) as leases:
        with reader.connect() as connection:
            _standing(
                connection, model
            )  # else whoever serves next would go on with what is only to be looked at
        projection = _built(engine, reader, leases, progress, makers, parks=False)[0]
        differences, unsettled = _compared(reader, projection.generation)
        for _ in range(LOOKS):
            if not unsettled:
                break
            sleep(PAUSE)
            _catch_up(engine, reader, [projection], leases, progress, makers=makers)
            more, unsettled = _compared(reader, projection.generation, unsettled)
            differences.extend(more)
        with engine.begin() as connection:
            discard(connection, projection.generation)
    return differences


def _compared(
    reader: Reader, rebuilt: Generation, among: Collection[str] | None = None
) -> tuple[list[Difference], set[str]]:
    """Find where the rows, of some agreements or all, differ, and which agreements differ that have just moved."""
    with _of_one_moment(reader) as connection:
        standing = _standing(connection, rebuilt.model)
        found = list(compare(connection, standing, rebuilt, among))
        passed = min(standing.position, rebuilt.position)
        moved = changes(connection, passed, read_head(connection).size - passed).streams
    wrong = [each for each in found if each.agreement not in moved]
    return wrong, {each.agreement for each in found if each.agreement in moved}


def _standing(connection: Connection, model: ReadModel) -> Generation:
    standing = live(connection, model)
    if standing is None:
        raise Unavailable(f"{model.name} has not been built yet")
    return standing


def _of_one_moment(reader: Reader) -> Connection:
    """Open a connection on which all that is read is of one moment, as on SQLite it always is in a transaction."""
    connection = reader.connect()
    if connection.dialect.name != "postgresql":
        return connection
    return connection.execution_options(isolation_level="REPEATABLE READ")


def compare(
    connection: Connection, standing: Generation, rebuilt: Generation, among: Collection[str] | None = None
) -> Iterator[Difference]:
    """Yield the rows, of some agreements or all, that are in only one of two generations."""
    old, new = standing.tables(connection), rebuilt.tables(connection)
    for name, table in old.items():
        before, after = _rows(connection, table, among), _rows(connection, new[name], among)
        for found, rows in (("live only", before - after), ("rebuilt only", after - before)):
            for row in sorted(rows, key=repr):
                values = dict(zip(table.c.keys(), row, strict=True))
                yield Difference(name or standing.model.name, str(values["agreement"]), found, values)


def _rows(connection: Connection, table: Table, among: Collection[str] | None) -> set[tuple[Any, ...]]:
    if among is None:
        return {tuple(row) for row in connection.execute(select(table))}
    asked = sorted(among)
    found: set[tuple[Any, ...]] = set()
    for start in range(0, len(asked), STREAMS):
        some = select(table).where(table.c.agreement.in_(asked[start : start + STREAMS]))
        found.update(tuple(row) for row in connection.execute(some))
    return found


@contextmanager
def _leases(engine: Engine, models: Sequence[ReadModel]) -> Iterator[dict[ReadModel, Held]]:
    with ExitStack() as releasing:
        leases: dict[ReadModel, Held] = {}
        for model in models:
            # An owner of its own for each rebuild: one process may be asked for two at once.
            held = acquire(engine, f"{model.lease}/rebuild", owner=f"{OWNER}:{token_hex(4)}")
            if held is None:
                raise Unavailable(f"{model.name} is being rebuilt already", retry_after=5)
            releasing.callback(release, engine, held)
            leases[model] = held
        try:
            yield leases
        except Overtaken as error:
            raise Unavailable(f"another process has taken over: {error}", retry_after=5) from error


def _built(
    engine: Engine,
    reader: Reader,
    leases: Mapping[ReadModel, Held],
    progress: Progress,
    makers: Makers | None,
    *,
    parks: bool = True,
) -> list[Projection]:
    """Build new generations to the end of the log, dropping what interrupted rebuilds have left."""
    projections = []
    for model, held in leases.items():
        with engine.begin() as connection:
            for each in generations(connection, model):
                if each.state == "building" and live(connection, model) is not None:
                    discard(connection, each)
            # Its lease counts by itself, so its fence is below that of every runner, who goes on with the rows.
            generation = begin_generation(connection, model, -held.fence)
        projections.append(Projection(engine, reader, generation, afresh=True, parks=parks))
    _catch_up(engine, reader, projections, leases, progress, makers=makers)
    return projections


def _catch_up(
    engine: Engine,
    reader: Reader,
    projections: Sequence[Projection],
    leases: Mapping[ReadModel, Held],
    progress: Progress,
    *,
    makers: Makers | None,
) -> None:
    renewed = float("-inf")

    def between(position: int) -> None:
        nonlocal renewed
        if (now := monotonic()) - renewed > RENEWED_EVERY:
            for held in leases.values():
                if not renew(engine, held):
                    raise Overtaken(f"{held.name} has another holder")
            renewed = now
        progress(position, reader.head().size)

    sweep(engine, reader, projections, between, STRETCH, makers=makers)


def _switch(engine: Engine, projection: Projection) -> bool:
    """Make the new generation the live one if it is as far as the live one and the log; False if it must go on.

    Both trackings are locked, so neither moves; the log may, and is caught up with by whoever runs the model.
    """
    generation = projection.generation
    with engine.begin() as connection:
        others = lock(connection, generation.model)
        furthest = max((each.position for each in others if each.state == "live"), default=0)
        behind = read_head(connection).size - generation.position
        if generation.position < furthest or behind > STRETCH:
            return False
        go_live(connection, generation)
        for each in waiting(connection, generation.model):
            if each.stream in projection.mended:
                resolve(connection, generation.model, each.stream, RETRIED)
    return True
