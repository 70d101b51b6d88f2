"""What the figures are held against."""

from collections.abc import Iterator, Sequence

import msgspec

from benchmarks import copying, growth, offered, pages, reads, rebuild, starting, streams, tree, verifying
from benchmarks.figures import Figure, find
from benchmarks.over_http import Load
from benchmarks.recorder import POSTGRESQL, SQLITE
from benchmarks.recorder import task as recorder_task

AT_32, AT_128 = Load(32, 1), Load(128, 1)
BATCHES = (Load(4, 100), Load(4, 1000))
OURS = ("registry", "registry x 2")
"""The better of them counts."""
STORES = ("PostgreSQL", "SQLite")
LIST_MS = 20.0
"""What a list may take at the median."""
PAGE_MS = 50.0
"""What a page may take at the median."""
OFFERED_MS = 25.0
"""What an append may take at the 99th percentile when the rate is offered and not taken."""
START_SECONDS = 1.5
GROWTH = 1.1
"""How much more anything may cost in a larger log."""
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
    return [
        *_appends(found),
        *_ratios(found),
        *_rates(found),
        *_latencies(found),
        *_waits(found),
        *_sizes(found),
    ]


def _appends(found: Sequence[Figure]) -> Iterator[Aim]:
    """Hold the better of one worker and two against what else takes events under the same load."""
    for load in (AT_32, AT_128):
        what = f"one event a request, {load.clients} clients"
        best = max((each.rate for name in OURS if (each := find(found, name, load.task))), default=0.0)
        for other, ratio in (("baseline", 8.0), ("umadb", 0.7), ("constant", 0.5)):
            against = find(found, other, load.task)
            if best and against and (other != "umadb" or load == AT_32):
                yield Aim(f"{what}: registry to {other}", ratio, best / against.rate)
        ours, theirs = find(found, "registry SQLite", load.task), find(found, "baseline SQLite", load.task)
        if ours and theirs:
            yield Aim(f"{what}, SQLite: registry to baseline", 8, ours.rate / theirs.rate)
    for load in BATCHES:
        for name, recorder in (("registry", POSTGRESQL), ("registry SQLite", SQLITE)):
            mine, held = find(found, name, load.task), find(found, recorder, recorder_task(1, 100))
            if mine and held:
                text = f"{load.batch:,} events a request: {name} to {recorder} without HTTP at 100 rows a transaction"
                yield Aim(text, 1, mine.rate / held.rate)


def _ratios(found: Sequence[Figure]) -> Iterator[Aim]:
    wanted: tuple[tuple[str, float, Named, Named], ...] = (
        (
            "the log over HTTP: registry to psycopg alone",
            0.5,
            ("PostgreSQL", reads.REPLAY),
            ("psycopg", reads.REPLAY),
        ),
        (
            "one agreement: registry to a constant answer",
            0.7,
            ("PostgreSQL", reads.MANY),
            ("constant", reads.MANY),
        ),
        (
            "one agreement that is known, 304: registry to a constant answer",
            0.9,
            ("PostgreSQL", reads.UNCHANGED),
            ("constant", reads.MANY),
        ),
        (
            "rebuild of all read models: to COPY of the same rows",
            0.3,
            (rebuild.ALL, copying.TASK),
            (copying.SUBJECT, copying.TASK),
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


def _waits(found: Sequence[Figure]) -> Iterator[Aim]:
    """Hold what a person or a service waits for against what it may take."""
    if (figure := find(found, "registry", offered.TASK)) and figure.p99_ms is not None:
        text = f"{offered.TASK}, milliseconds at the 99th percentile, at most"
        yield Aim(text, OFFERED_MS, figure.p99_ms, most=True)
    for path in pages.PATHS:
        for store in STORES:
            figure = find(found, store, pages.task(path))
            if figure is not None and figure.p50_ms is not None:
                text = f"page {path} on {store}, milliseconds at the median, at most"
                yield Aim(text, PAGE_MS, figure.p50_ms, most=True)
    for store in STORES:
        if figure := find(found, store, starting.STARTING):
            text = f"{store}: seconds from the command to the first answer, at most"
            yield Aim(text, START_SECONDS, 1 / figure.rate, most=True)


def _sizes(found: Sequence[Figure]) -> Iterator[Aim]:
    """Hold what a large log costs against what a small one does."""
    for task in (growth.task(store, kind) for store in STORES for kind in growth.KINDS):
        of_kind = [figure for figure in found if figure.task == task]
        for figure in of_kind[1:]:
            if figure.p50_ms is not None and of_kind[0].p50_ms is not None:
                text = f"{task}, {figure.subject} to {of_kind[0].subject}, at most"
                yield Aim(text, GROWTH, figure.p50_ms / of_kind[0].p50_ms, most=True)
