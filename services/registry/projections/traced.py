"""Telling whoever traces which events a read model has taken in, by the trace that each was posted in."""

from collections.abc import Callable, Sequence
from typing import Protocol

from registry.errors import Unavailable
from registry.store.reader import Reader

TRACEPARENT = "traceparent"
"""The extension attribute that names a trace (CloudEvents, extension Distributed Tracing)."""

Traced = Callable[[str, int, int, int], None]
"""Called with a read model, the positions behind which and up to which it took everything in, and when that began, in
nanoseconds of Unix."""


class Traces(Protocol):
    """Traces what read models take in."""

    def applied(self, read_model: str, events: Sequence[tuple[int, str]], began: int) -> None:
        """Tell of events with their traces, which a read model took in from a moment on."""


def tracing(reader: Reader, traces: Traces) -> Traced:
    """Make what reads the traces of the events in a stretch of the log, and tells of them."""

    def traced(read_model: str, after: int, until: int, began: int) -> None:
        try:
            rows = reader.page(after, until - after)
        except Unavailable:  # the read model is kept all the same
            return
        named = [(row.position, row.joined().attrs.get(TRACEPARENT, "")) for row in rows]
        traces.applied(read_model, [each for each in named if each[1]], began)

    return traced
