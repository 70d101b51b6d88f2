"""One pass over the log for several generations: read and folded once, and written while the next stretch is made."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from sqlalchemy import Engine

from registry.projections.changes import Changes, changes
from registry.projections.makers import Here, Makers
from registry.projections.making import Made
from registry.projections.step import REMEMBERED, Projection
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
    *,
    makers: Makers | None = None,
) -> None:
    """Take generations that stand at one position to the end of the log.

    Making rows is the interpreter's work and writing them the database's, so they are done at once: rows are made
    in this thread, or by ``makers``, and written in a thread of their own. Stretches are read and written in the
    order of the log, so what is written last of an agreement was read last. ``between`` is called with the position
    reached after each stretch that was committed, while nothing is being written. What fails ends the pass, and
    leaves the stretches that were committed. Raises Overtaken when somebody else has moved a generation, and
    Unavailable.
    """
    making = makers or Here()
    stretches = _begun(reader, projections, stretch, making)
    begun: deque[tuple[int, Future[list[Made]]]] = deque()
    written: Future[None] | None = None
    with ThreadPoolExecutor(1, thread_name_prefix="rebuild") as writing, reachable():
        while True:
            begun.extend(islice(stretches, making.ahead - len(begun)))
            if not begun:
                break
            last, made = begun.popleft()
            rows = made.result()
            if written is not None:
                written.result()
                between(projections[0].generation.position)
            written = writing.submit(_commit, engine, projections, rows, last)
        if written is not None:
            written.result()
            between(projections[0].generation.position)


def _begun(
    reader: Reader, projections: Sequence[Projection], stretch: int, making: Makers
) -> Iterator[tuple[int, Future[list[Made]]]]:
    """Begin to make the rows of one stretch after the other; yield where it ends and what will be made."""
    taken: dict[str, int] = {}
    after = projections[0].generation.position
    while (moved := _moved(reader, after, stretch)).last > after:
        wanted = {stream: at for stream, at in moved.streams.items() if taken.get(stream, 0) < at}
        read, made = making.begin(reader, projections, wanted, after)
        yield moved.last, made
        after = moved.last
        if len(taken) > REMEMBERED:
            taken.clear()
        taken |= read


def _moved(reader: Reader, after: int, stretch: int) -> Changes:
    with reader.connect() as connection:
        return changes(connection, after, stretch)


def _commit(engine: Engine, projections: Sequence[Projection], made: Sequence[Made], last: int) -> None:
    """Write one stretch for all in one transaction: each has its cost, and lets the other thread go in its way."""
    with engine.begin() as connection:
        advanced = [each.write(connection, last, rows) for each, rows in zip(projections, made, strict=True)]
    for each, generation in zip(projections, advanced, strict=True):
        each.written(generation)
