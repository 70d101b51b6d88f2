"""Several processes that serve one PostgreSQL database on one socket, and the parent that looks after them.

A worker that ends is started again. That a start fails is said by the first start of all: if one of those fails,
everything ends, so that a wrong setting is no endless loop.
"""

import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from multiprocessing.context import SpawnProcess
from threading import Thread
from types import FrameType

import msgspec

from registry.cli import console
from registry.cli.exits import UNREACHABLE, Stop
from registry.cli.listen import GRACE
from registry.config import Settings

Serve = Callable[[Settings, socket.socket, Callable[[], None]], None]
"""Serves on a socket until it is told to stop, and calls back once it answers. Raises Stop."""

AGAIN = 1.0
"""Seconds after which a worker that has ended is started again."""
PATIENCE = GRACE + 3
"""Seconds that workers have to end after SIGTERM and draining; then they are killed."""

# A worker begins as a new program: what a fork copies of threads and connections is never quite whole.
_spawn = get_context("spawn")


class Worker(msgspec.Struct):
    """One place among the workers. Owned by the parent."""

    process: SpawnProcess
    ready: Connection
    """Gives a word once the worker answers, and its end when the worker has ended."""


class Workers:
    """The workers, and what the parent knows of them. Belongs to the parent's main thread."""

    def __init__(self, settings: Settings, listener: socket.socket, serve: Serve, number: int) -> None:
        self._settings = settings
        self._listener = listener
        self._serve = serve
        self._number = number
        self._workers: list[Worker] = []
        self._stopping = False

    def run(self, ready: Callable[[], None]) -> None:
        """Serve until SIGTERM or SIGINT; ``ready`` is called once all of them answer.

        Raises Stop when one of them does not start in the first place.
        """
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            self._workers = [self._start() for _ in range(self._number)]
            if self._all_answer():
                ready()
                self._look_after()
        finally:
            self._end()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start(self) -> Worker:
        ready, told = _spawn.Pipe(duplex=False)
        process = _spawn.Process(target=work, args=(self._settings, self._listener, self._serve, told))
        process.start()
        told.close()
        return Worker(process, ready)

    def _all_answer(self) -> bool:
        """Wait until each worker answers; False when told to stop meanwhile."""
        for worker in self._workers:
            try:
                worker.ready.recv()
            except EOFError:
                worker.process.join()
                if self._told():
                    return False
                code = worker.process.exitcode
                raise Stop(code if code and code > 0 else UNREACHABLE, "a worker did not start") from None
        return not self._told()

    def _look_after(self) -> None:
        """Start again what has ended, until told to stop."""
        while not self._told():
            connection.wait([worker.process.sentinel for worker in self._workers])
            if self._told():
                return
            time.sleep(AGAIN)
            for place, worker in enumerate(self._workers):
                if worker.process.exitcode is not None and not self._told():
                    console.note(f"worker {worker.process.pid} has ended; starting another")
                    self._close(worker)
                    self._workers[place] = self._start()

    def _told(self) -> bool:
        """Tell whether to stop, which a signal may say at any moment."""
        return self._stopping

    def _stop(self, _signal: int, _frame: FrameType | None) -> None:
        if not self._stopping:
            self._stopping = True
            console.note("stopping")
            self._tell_all()

    def _tell_all(self) -> None:
        for worker in self._workers:
            if worker.process.exitcode is None:
                worker.process.terminate()

    def _end(self) -> None:
        """Let all workers end in good order, and kill what does not."""
        self._stopping = True
        self._tell_all()
        deadline = time.monotonic() + PATIENCE + self._settings.drain_seconds
        for worker in self._workers:
            worker.process.join(max(0.0, deadline - time.monotonic()))
            if worker.process.exitcode is None:
                console.note(f"worker {worker.process.pid} does not end and is killed")
                worker.process.kill()
                worker.process.join()
            self._close(worker)

    @staticmethod
    def _close(worker: Worker) -> None:
        worker.ready.close()
        worker.process.close()


def work(settings: Settings, listener: socket.socket, serve: Serve, ready: Connection) -> None:
    """Be one worker: serve until told to, or until the parent is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the parent passes it on
    Thread(target=_end_with_parent, daemon=True).start()

    def tell() -> None:
        ready.send("ready")
        ready.close()

    try:
        serve(settings, listener, tell)
    except Stop as stop:
        console.note(f"registry: {stop}")
        sys.exit(stop.code)


def _end_with_parent() -> None:
    """Stop in good order should the parent be killed, so that nothing holds the port without anybody knowing."""
    parent = parent_process()
    if parent is not None:
        parent.join()
        os.kill(os.getpid(), signal.SIGTERM)
