"""Processes that make rows: a rebuild is not held to what one interpreter can do.

Each is a copy of this process by ``fork(2)``, so it begins within milliseconds. It is told the stored events of
some agreements and answers with their rows, and it never touches a database: what it has of connections is the
parent's, who alone uses them. So that the copy is whole, the parent must not have a second thread yet.
"""

import gc
import logging
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
from pathlib import Path
from typing import Self

from registry.projections.making import Made, make_from
from registry.projections.model import ReadModel
from registry.projections.step import Projection
from registry.store.reader import Reader
from registry.store.rows import EventPart

log = logging.getLogger(__name__)

MOST = 4
"""So many make rows faster than one connection writes them."""

QUEUED, MORE = 3, 8
"""Pieces a process, or beside one for each, that may be begun before the first is taken: none waits for its next."""

STANDARD = 3
"""Files with lower numbers are those that every program has."""

OPEN = Path("/proc/self/fd")
"""Lists the files that a process has open."""

GONE = (EOFError, OSError)
"""What is raised when whoever is at the other end has ended."""

Job = tuple[Sequence[EventPart], Sequence[str], str, int]
"""All events of some agreements, names of models, the kind of database, and ``after`` as ``make`` takes it."""


def may_fork() -> bool:
    """Tell whether this process can be copied: it has one thread, on a system where libraries expect to be.

    What the copy has to close is listed by the system, but not in every container.
    """
    return sys.platform == "linux" and OPEN.is_dir() and threading.active_count() == 1


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
        self.ahead = min(count * QUEUED, count + MORE)
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
            if process is not None:
                process.join()

    def begin(
        self, reader: Reader, projections: Sequence[Projection], wanted: Mapping[str, int], after: int
    ) -> tuple[dict[str, int], Future[list[Made]]]:
        """Read the events of some agreements, and have rows made of them by whichever process is free first."""
        parts = reader.parts(list(wanted))
        names = [each.generation.model.name for each in projections]
        made = self._calls.submit(self._make, (parts, names, projections[0].dialect, after))
        return {part[6]: part[0] for part in parts}, made

    def _make(self, job: Job) -> list[Made]:
        end, kept = self._idle.get(), None
        made: list[Made] | None = None
        try:
            if end is not None:
                with suppress(*GONE):
                    end.send(job)
                    made = end.recv()
                    kept = end
        finally:  # whatever went wrong, as with memory: others wait for an end, and this one's is not known any more
            self._idle.put(kept)
        return make_all(job, self._models) if made is None else made

    def _begin(self) -> BaseProcess | None:
        context = get_context("fork")
        ours, theirs = context.Pipe()
        self._ends.append(ours)
        process = context.Process(target=_alone, args=(theirs, self._models), daemon=True)
        # Ctrl-C on a terminal is for all, from the first moment on: the parent hears of it and decides.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        try:
            process.start()
        except OSError as error:
            log.warning("a process to make rows cannot be begun, so it is done without: %s", error)
            self._idle.put(None)
            return None
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            theirs.close()
        self._idle.put(ours)
        return process


def _alone(end: Connection, models: Mapping[str, ReadModel]) -> None:
    """Let go of all that was copied from the parent and is the parent's to use, then answer.

    Its connections and the lock of a SQLite store would be held for as long as this process lives, and its ends
    of pipes keep the others of its kind from noticing that it is gone. Standard error is for what goes wrong here.
    """
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    gc.freeze()  # nothing that was copied is cleared away, as a connection would say goodbye for the parent
    for each in map(int, os.listdir(OPEN)):  # noqa: PTH208 - numbers, not paths
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
