"""Processes that make rows: a rebuild is not held to what one interpreter can do.

Each is a copy of this process by ``fork(2)``, so it begins within milliseconds. It is told the stored events of
some agreements and answers with their rows, and it never touches a database: what it has of connections is the
parent's, who alone uses them. So that the copy is whole, the parent must not have a second thread yet.
"""

import gc
import os
import queue
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Self

from registry.projections.making import Made, make_from
from registry.projections.model import ReadModel
from registry.store.rows import EventPart

MOST = 4
"""So many make rows faster than one connection writes them."""

QUEUED = 3
"""Pieces a process that may be begun before the first of all has been taken: none waits for its next."""

STANDARD = 3
"""Files with lower numbers are those that every program has."""

GONE = (EOFError, OSError)
"""What is raised when whoever is at the other end has ended."""

Job = tuple[Sequence[EventPart], Sequence[str], str, int]
"""All events of some agreements, names of models, the kind of database, and ``after`` as ``make`` takes it."""


def may_fork() -> bool:
    """Tell whether this process can be copied: it has one thread, on a system where libraries expect to be."""
    return sys.platform == "linux" and threading.active_count() == 1


def worth_having() -> int:
    """Give how many processes make rows best: one for each processor, none where there is but one."""
    processors = len(os.sched_getaffinity(0)) if sys.platform == "linux" else 1
    return min(processors, MOST) if processors > 1 else 0


class Processes:
    """Processes that make rows of some models, and a thread for each that waits for it.

    What one cannot make is tried again here, to fail with its own error; one that has died is done without. They
    end with this process, however that ends.
    """

    def __init__(self, count: int, models: Sequence[ReadModel]) -> None:
        self.ahead = count * QUEUED
        self._models = {model.name: model for model in models}
        self._idle: queue.SimpleQueue[Connection | None] = queue.SimpleQueue()
        self._ends: list[Connection] = []
        self._begun = [self._begin() for _ in range(count)]
        self._calls = ThreadPoolExecutor(count, thread_name_prefix="makers")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Let them end; what they are at is done first, which takes a moment."""
        self._calls.shutdown(cancel_futures=True)
        for end in self._ends:
            end.close()
        for process in self._begun:
            process.join()

    def make(
        self, parts: Sequence[EventPart], names: Sequence[str], dialect: str, after: int
    ) -> Future[list[Made]]:
        """Have rows made by whichever process is free first."""
        return self._calls.submit(self._make, (parts, names, dialect, after))

    def _make(self, job: Job) -> list[Made]:
        end = self._idle.get()
        made: list[Made] | None = None
        if end is not None:
            try:
                end.send(job)
                made = end.recv()
            except GONE:
                end = None
        self._idle.put(end)
        return make_all(job, self._models) if made is None else made

    def _begin(self) -> BaseProcess:
        context = get_context("fork")
        ours, theirs = context.Pipe()
        self._ends.append(ours)
        process = context.Process(target=_alone, args=(theirs, self._models), daemon=True)
        process.start()
        theirs.close()
        self._idle.put(ours)
        return process


def _alone(end: Connection, models: Mapping[str, ReadModel]) -> None:
    """Let go of all that was copied from the parent and is the parent's to use, then answer.

    Its connections and the lock of a SQLite store would be held for as long as this process lives, and its ends
    of pipes keep the others of its kind from noticing that it is gone. Standard error is for what goes wrong here.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent is told as well, and decides
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()  # nothing that was copied is cleared away, as a connection would say goodbye for the parent
    for each in map(int, os.listdir("/proc/self/fd")):  # noqa: PTH208 - numbers, not paths
        if each >= STANDARD and each != end.fileno():
            with suppress(OSError):  # the list itself was open while it was read
                os.close(each)
    answer(end, models)


def answer(end: Connection, models: Mapping[str, ReadModel]) -> None:
    """Make rows of what comes until nobody is left to ask; None of what cannot be made."""
    with suppress(*GONE):
        while True:
            job: Job = end.recv()
            made = None
            with suppress(Exception):
                made = make_all(job, models)
            end.send(made)


def make_all(job: Job, models: Mapping[str, ReadModel]) -> list[Made]:
    """Do what is asked."""
    parts, names, dialect, after = job
    return make_from(parts, [models[name] for name in names], dialect, after)
