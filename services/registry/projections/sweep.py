"""One pass over the log for several generations: read and folded once, and written while the next stretch is made."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from sqlalchemy import Engine

from registry.domain.agreement import Agreement
from registry.projections.changes import Changes, changes
from registry.projections.step import REMEMBERED, Made, Projection
from registry.store.database import reachable
from registry.store.reader import Reader

STRETCH = 2000
"""Positions that one transaction covers."""


def sweep(
    engine: Engine,
    reader: Reader,
    projections: Sequence[Projection],
    between: Callable[[int], None],
    stretch: int = STRETCH,
) -> None:
    """Take generations that stand at one position to the end of the log.

    Making rows is Python's work and writing them the database's, so the two are done at once: in this thread and in
    one of its own. ``between`` is called with the position reached after each stretch that was committed, while
    nothing is being written. What fails ends the pass, and leaves the stretches that were committed.
    Raises Overtaken when somebody else has moved a generation, and Unavailable.
    """
    taken: dict[str, int] = {}
    after = projections[0].generation.position
    written: Future[None] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="rebuild") as writing, reachable():
        while (moved := _moved(reader, after, stretch)).last > after:
            states = reader.agreements({s: at for s, at in moved.streams.items() if taken.get(s, 0) < at})
            made = [each.make(states, after) for each in projections]
            if written is not None:
                written.result()
                between(after)
            written = writing.submit(_commit, engine, projections, made, moved.last)
            after = moved.last
            _take(taken, states)
        if written is not None:
            written.result()
            between(after)


def _moved(reader: Reader, after: int, stretch: int) -> Changes:
    with reader.connect() as connection:
        return changes(connection, after, stretch)


def _commit(engine: Engine, projections: Sequence[Projection], made: Sequence[Made], last: int) -> None:
    """Write one stretch for all in one transaction: each has its cost, and lets the other thread go in its way."""
    with engine.begin() as connection:
        advanced = [each.write(connection, last, rows) for each, rows in zip(projections, made, strict=True)]
    for each, generation in zip(projections, advanced, strict=True):
        each.written(generation)


def _take(taken: dict[str, int], states: Mapping[str, Agreement]) -> None:
    """Remember up to where an agreement has been taken: what it is ahead of is not done again."""
    if len(taken) > REMEMBERED:
        taken.clear()
    taken |= {stream: state.position for stream, state in states.items()}
