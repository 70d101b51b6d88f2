"""What the figures are held against."""

from collections.abc import Sequence

import msgspec

from benchmarks.figures import Figure, find
from benchmarks.over_http import Load
from benchmarks.recorder import task as recorder_task

ONE_AT_A_TIME = Load(32, 1)
IN_BATCHES = Load(4, 100)


class Aim(msgspec.Struct, frozen=True):
    """A ratio of two rates, and what it should be at least."""

    text: str
    wanted: float
    found: float

    @property
    def met(self) -> bool:
        return self.found >= self.wanted


def aims(found: Sequence[Figure]) -> list[Aim]:
    """Hold the figures against the aims; those without their figures are left out."""
    one = ONE_AT_A_TIME.task
    rows = recorder_task(1, 100)
    wanted = (
        ("one event a request, 32 clients: registry to baseline", 5.0, ("registry", one), ("baseline", one)),
        (
            "100 events a request: registry to the recorder without HTTP at 100 rows a transaction",
            1.0,
            ("registry", IN_BATCHES.task),
            ("recorder", rows),
        ),
    )
    result = []
    for text, ratio, ours, theirs in wanted:
        mine, other = find(found, *ours), find(found, *theirs)
        if mine is not None and other is not None:
            result.append(Aim(text, ratio, mine.rate / other.rate))
    return result
