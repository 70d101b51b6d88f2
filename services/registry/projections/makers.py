"""Who makes the rows of a rebuild: this thread, or processes beside it."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Protocol

from registry.projections.making import Made
from registry.projections.model import ReadModel
from registry.projections.processes import Processes, may_fork, worth_having
from registry.projections.step import Projection
from registry.store.reader import Reader

Begun = tuple[dict[str, int], Future[list[Made]]]
"""The positions of the states from which rows are made, by agreement, and what is made for each projection."""


class Makers(Protocol):
    """Makes rows, maybe while others are written."""

    ahead: int
    """How many pieces may be begun before the first of them is done."""

    def begin(
        self, reader: Reader, projections: Sequence[Projection], wanted: Mapping[str, int], after: int
    ) -> Begun:
        """Read some agreements, each at least as far as the position given with it, and begin to make their rows.

        Their events up to position ``after`` are in the rows already. Raises Unavailable.
        """


class Here:
    """Makes rows in this thread and at once, of the states that the reader has kept where it has."""

    ahead = 1

    def begin(
        self, reader: Reader, projections: Sequence[Projection], wanted: Mapping[str, int], after: int
    ) -> Begun:
        """Make them."""
        states = reader.agreements(wanted)
        made: Future[list[Made]] = Future()
        made.set_result([each.make(states, after) for each in projections])
        return {stream: state.position for stream, state in states.items()}, made


@contextmanager
def makers(models: Sequence[ReadModel], count: int | None = None) -> Iterator[Makers]:
    """Begin ``count`` processes that make rows of some models, or as many as this machine has use for.

    With 0, or where a process of many threads would have to be copied, rows are made in the calling thread.
    """
    count = worth_having() if count is None else count
    if count and may_fork():
        with Processes(count, models) as processes:
            yield processes
    else:
        yield Here()
