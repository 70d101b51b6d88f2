"""What the figures are held against."""

from collections.abc import Iterator, Sequence

import msgspec

from benchmarks import reads, rebuild, streams, tree, verifying
from benchmarks.figures import Figure, find
from benchmarks.over_http import Load
from benchmarks.recorder import task as recorder_task

ONE_AT_A_TIME = Load(32, 1)
IN_BATCHES = Load(4, 100)
STORES = ("PostgreSQL", "SQLite")
LIST_MS = 20.0
"""What a list may take at the median."""


PROOF_MS = 5.0
"""What an inclusion proof in a million leaves may take at the 99th percentile."""


class Aim(msgspec.Struct, frozen=True):
    """A figure, or a ratio of two, and what it should be."""

    text: str
    wanted: float
    found: float
    most: bool = False
    """It should be at most what is wanted; else at least."""

    @property
    def met(self) -> bool:
        return self.found <= self.wanted if self.most else self.found >= self.wanted


Named = tuple[str, str]
"""Subject and task of a figure."""


def aims(found: Sequence[Figure]) -> list[Aim]:
    """Hold the figures against the aims; those without their figures are left out."""
    return [*_ratios(found), *_rates(found), *_latencies(found)]


def _ratios(found: Sequence[Figure]) -> Iterator[Aim]:
    one = ONE_AT_A_TIME.task
    wanted: tuple[tuple[str, float, Named, Named], ...] = (
        ("one event a request, 32 clients: registry to baseline", 5, ("registry", one), ("baseline", one)),
        (
            "100 events a request: registry to the recorder without HTTP at 100 rows a transaction",
            1,
            ("registry", IN_BATCHES.task),
            ("recorder", recorder_task(1, 100)),
        ),
        (
            "the log over HTTP: registry to psycopg alone",
            0.5,
            ("PostgreSQL", reads.REPLAY),
            ("psycopg", reads.REPLAY),
        ),
        (
            "one agreement: registry to a constant answer",
            0.6,
            ("PostgreSQL", reads.MANY),
            ("constant", reads.MANY),
        ),
        (
            f"posting: with {streams.IDLE} idle and {streams.ACTIVE} active listeners to with nobody",
            0.85,
            (streams.LISTENED, streams.TASK),
            (streams.ALONE, streams.TASK),
        ),
    )
    for text, ratio, ours, theirs in wanted:
        mine, other = find(found, *ours), find(found, *theirs)
        if mine is not None and other is not None:
            yield Aim(text, ratio, mine.rate / other.rate)


def _rates(found: Sequence[Figure]) -> Iterator[Aim]:
    for store in STORES:
        if figure := find(found, "agreements", rebuild.task(store)):
            yield Aim(f"rebuild of agreements on {store}, events a second", 20_000, figure.rate)

    for subject in (verifying.FILE, verifying.BUNDLE):
        if figure := find(found, subject, verifying.TASK):
            yield Aim(f"registry-verify of a {subject}, events a second", 10_000, figure.rate)
    small, large = map(tree.subject, tree.SIZES)
    for store in STORES:
        one, other = find(found, small, tree.appending(store)), find(found, large, tree.appending(store))
        if one is not None and other is not None:
            yield Aim(f"appending on {store}: to {large}, to {small}", 0.95, other.rate / one.rate)


def _latencies(found: Sequence[Figure]) -> Iterator[Aim]:
    for path in reads.LISTS:
        for store in STORES:
            figure = find(found, store, reads.list_task(path))
            if figure is not None and figure.p50_ms is not None:
                text = f"GET {path} on {store}, milliseconds at the median, at most"
                yield Aim(text, LIST_MS, figure.p50_ms, most=True)
    for store in STORES:
        figure = find(found, tree.subject(tree.SIZES[-1]), tree.proving(store))
        if figure is not None and figure.p99_ms is not None:
            text = f"inclusion proof in {figure.subject} on {store}, milliseconds at the 99th percentile, at most"
            yield Aim(text, PROOF_MS, figure.p99_ms, most=True)
