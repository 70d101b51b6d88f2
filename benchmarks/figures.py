"""What a measurement is, and what several of one kind come to."""

from collections.abc import Iterable, Sequence
from statistics import median

import msgspec


class Measurement(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one subject at one task."""

    subject: str
    """What was measured, such as ``registry``."""
    task: str
    """What it had to do, such as ``32 clients, one event a request``."""
    events: int
    seconds: float
    p50_ms: float | None = None
    p99_ms: float | None = None
    subject_cpu: float | None = None
    """Processor seconds of the process measured; that of the database is apart."""
    database_cpu: float | None = None
    load_cpu: float | None = None
    listeners_cpu: float | None = None
    heard_ms: float | None = None
    """From when an event was recorded until a listener heard of it, at the 99th percentile."""
    settled: float | None = None
    """Seconds until the subject was idle afterwards."""
    kilobytes: float | None = None
    """Memory that the subject took for each of its clients."""

    @property
    def rate(self) -> float:
        return self.events / self.seconds


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """The medians of all measurements of one subject at one task; microseconds are per event."""

    subject: str
    task: str
    runs: int
    rate: float
    lowest: float
    highest: float
    p50_ms: float | None
    p99_ms: float | None
    subject_us: float | None
    database_us: float | None
    load_us: float | None
    listeners_us: float | None
    heard_ms: float | None
    settled: float | None
    kilobytes: float | None


class Cost(msgspec.Struct, frozen=True):
    """What one step costs in the process, without any I/O."""

    step: str
    microseconds: float
    """Per event, the best of several runs: what others do on the machine only ever adds."""


def figures(measurements: Iterable[Measurement]) -> list[Figure]:
    """Reduce measurements to one figure a subject and task, tasks in the order of their first measurement."""
    kinds: dict[str, dict[str, list[Measurement]]] = {}
    for measurement in measurements:
        kinds.setdefault(measurement.task, {}).setdefault(measurement.subject, []).append(measurement)
    return [_figure(runs) for subjects in kinds.values() for runs in subjects.values()]


def find(found: Iterable[Figure], subject: str, task: str) -> Figure | None:
    """Look up the figure of a subject at a task."""
    return next((figure for figure in found if (figure.subject, figure.task) == (subject, task)), None)


def _figure(runs: Sequence[Measurement]) -> Figure:
    rates = [run.rate for run in runs]
    return Figure(
        subject=runs[0].subject,
        task=runs[0].task,
        runs=len(runs),
        rate=median(rates),
        lowest=min(rates),
        highest=max(rates),
        p50_ms=_median(run.p50_ms for run in runs),
        p99_ms=_median(run.p99_ms for run in runs),
        subject_us=_median(_per_event(run.subject_cpu, run.events) for run in runs),
        database_us=_median(_per_event(run.database_cpu, run.events) for run in runs),
        load_us=_median(_per_event(run.load_cpu, run.events) for run in runs),
        listeners_us=_median(_per_event(run.listeners_cpu, run.events) for run in runs),
        heard_ms=_median(run.heard_ms for run in runs),
        settled=_median(run.settled for run in runs),
        kilobytes=_median(run.kilobytes for run in runs),
    )


def _per_event(seconds: float | None, events: int) -> float | None:
    return None if seconds is None else seconds / events * 1e6


def _median(values: Iterable[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return median(known) if known else None
