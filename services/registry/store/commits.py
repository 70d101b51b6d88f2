"""What a sequencer has done, in numbers, and who wants to be told of each commit."""

from collections.abc import Sequence
from time import perf_counter
from typing import Any, Protocol

from registry.errors import Refusal
from registry.figures import EVENTS, SECONDS, Family, Histogram, counter, gauge, histogram
from registry.store.receipt import Receipt


class Traces(Protocol):
    """Traces commits."""

    def current(self) -> Any:
        """Give what the request under way is known by to those that trace, to be linked with its commit."""

    def committed(self, requests: Sequence[Any], began: int, events: int) -> None:
        """Tell of a commit that has ended: its requests, when it began in nanoseconds of Unix, what it appended."""


class Commits:
    """The numbers of one sequencer. Belongs to its event loop."""

    def __init__(self) -> None:
        self.traces: Traces | None = None
        """Who traces; None while nobody wants traces."""
        self._appending = Histogram(SECONDS)
        self._committing = Histogram(SECONDS)
        self._events = Histogram(EVENTS)
        self._appended = self._replayed = self._refused = self._failed = 0
        self._began = 0.0

    def begin(self) -> None:
        """Note that a commit begins."""
        self._began = perf_counter()

    def end(self, since: Sequence[float], outcomes: Sequence[list[Receipt] | Exception]) -> int:
        """Count a commit, of requests that waited since these times; give how many events it appended."""
        now = perf_counter()
        appended = 0
        for waited, outcome in zip(since, outcomes, strict=True):
            self._appending.add(now - waited)
            if isinstance(outcome, list):
                new = len(outcome) - sum(receipt.replayed for receipt in outcome)
                appended += new
                self._replayed += len(outcome) - new
            elif isinstance(outcome, Refusal):
                self._refused += 1
            else:
                self._failed += 1
        self._appended += appended
        self._committing.add(now - self._began)
        if appended:
            self._events.add(appended)
        return appended

    def families(self, queued: int) -> list[Family]:
        """Give the numbers, with how many events wait."""
        return [
            histogram(
                "registry_append_seconds",
                "Seconds from a request to append, decoded, to its durable answer",
                self._appending,
            ),
            histogram(
                "registry_commit_seconds",
                "Seconds of a transaction of the sequencer, with waiting for the head of the log",
                self._committing,
            ),
            histogram("registry_commit_events", "Events that one transaction has appended", self._events),
            counter("registry_events_appended_total", "Events appended", self._appended),
            counter(
                "registry_events_replayed_total", "Events posted that were recorded before", self._replayed
            ),
            counter("registry_appends_refused_total", "Requests that a rule has refused", self._refused),
            counter("registry_appends_failed_total", "Requests that the database has failed", self._failed),
            gauge("registry_queue_events", "Events that wait to be committed", queued),
        ]
