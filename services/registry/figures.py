"""Figures of what the service does, kept where it happens and read when somebody asks. Floor 0.

Whoever keeps one belongs to one task or thread and adds to plain integers: no lock, no lookup by label. They are
given out as families of samples, in the sense of the OpenMetrics text format.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Literal

import msgspec

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Bounds for what takes from a millisecond to ten seconds."""
EVENTS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000)
"""Bounds for numbers of events."""

Labels = tuple[tuple[str, str], ...]
"""Names and values, in the order in which they are written."""


class Histogram:
    """How often a value fell below each of some bounds. Belongs to whoever adds to it."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        """Of each bound those above the one before it; the last, of what is above all."""
        self.sum = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


class Sample(msgspec.Struct, frozen=True, gc=False):
    """One number of a family."""

    value: float
    labels: Labels = ()
    suffix: str = ""
    """What follows the name of the family, as ``_bucket``."""


class Family(msgspec.Struct, frozen=True):
    """All that is said under one name."""

    name: str
    kind: Literal["counter", "gauge", "histogram"]
    help: str
    samples: tuple[Sample, ...]


def gauge(name: str, help: str, value: float, labels: Labels = ()) -> Family:
    """Make a family of one number that goes up and down."""
    return Family(name, "gauge", help, (Sample(value, labels),))


def gauges(name: str, help: str, values: Iterable[tuple[Labels, float]]) -> Family:
    """Make a family of numbers that go up and down."""
    return Family(name, "gauge", help, tuple(Sample(value, labels) for labels, value in values))


def counter(name: str, help: str, value: float) -> Family:
    """Make a family of one number that only grows."""
    return Family(name, "counter", help, (Sample(value),))


def counters(name: str, help: str, values: Iterable[tuple[Labels, float]]) -> Family:
    """Make a family of numbers that only grow."""
    return Family(name, "counter", help, tuple(Sample(value, labels) for labels, value in values))


def histogram(name: str, help: str, kept: Histogram) -> Family:
    """Make a family of one histogram."""
    return histograms(name, help, {(): kept})


def histograms(name: str, help: str, kept: Mapping[Labels, Histogram]) -> Family:
    """Make a family of histograms, by their labels."""
    samples = tuple(sample for labels, each in kept.items() for sample in _of(each, labels))
    return Family(name, "histogram", help, samples)


def _of(kept: Histogram, labels: Labels) -> Iterator[Sample]:
    """Give the samples of a histogram, whose buckets hold all that is below their bound."""
    bounds = (*(format(bound, "g") for bound in kept.bounds), "+Inf")
    below = list(accumulate(kept.counts))
    for bound, count in zip(bounds, below, strict=True):
        yield Sample(count, (*labels, ("le", bound)), "_bucket")
    yield Sample(kept.sum, labels, "_sum")
    yield Sample(below[-1], labels, "_count")
