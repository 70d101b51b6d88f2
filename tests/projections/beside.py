"""A program that rebuilds a small read model with two processes beside it, and what can happen to them.

To be run by itself, as a process with one thread: ``python -m projections.beside URL WHAT``. It prints the process
numbers of the two. ``WHAT`` happens: ``nothing``; ``poison``: an agreement cannot be made and another is refused;
``killed``: each process is killed while it makes rows; ``gone``: both are killed before; ``left``: this program is
killed itself after some stretches; ``interrupted``: everybody is told to end, as from a terminal; ``looked``: rows
tell how many files the processes have open; ``told``: after each stretch it says so, and waits for a line.
"""

import os
import signal
import sys
from pathlib import Path

from sqlalchemy import text

from projections.conftest import Visits, main_columns, visit_columns
from registry.domain.agreement import Agreement
from registry.projections import rebuild as rebuilding
from registry.projections.makers import makers
from registry.projections.model import ReadModel, Rows
from registry.projections.processes import Processes
from registry.store.database import open_reader, open_writer
from registry.store.reader import Reader

KILLED, POISONED, REFUSED = "agreement-3", "agreement-4", "agreement-5"
"""Agreements to which it happens."""
INTERRUPTED = 130


class Killed(Visits):
    """Ends the process that makes the rows of one agreement, unless that is this program."""

    def __call__(self, state: Agreement) -> Rows:
        if state.id == KILLED and os.getpid() != PARENT:
            os.kill(os.getpid(), signal.SIGKILL)
        return super().__call__(state)


class Looked(Visits):
    """Tells how many files are open in the process that makes rows."""

    def __call__(self, state: Agreement) -> Rows:
        return {**super().__call__(state), "": [{"events": sum(1 for _ in Path("/proc/self/fd").iterdir())}]}


PARENT = os.getpid()
KINDS: dict[str, type[Visits]] = {"killed": Killed, "looked": Looked}


def main(url: str, what: str) -> int:
    """Rebuild; return 0, or 130 when interrupted."""
    visits = KINDS.get(what, Visits)()
    if what == "poison":
        visits.poisoned.add(POISONED)
        visits.refused.add(REFUSED)
    model = ReadModel("visits", 1, {"": main_columns, "visit": visit_columns}, visits)
    rebuilding.STRETCH = 3
    writing, reading = open_writer(url), open_reader(url)
    with writing.connect() as connection:  # what the processes copy and must not keep
        connection.execute(text("SELECT 1"))

    def progress(done: int, _: int) -> None:
        if done >= 6 and what == "left":
            os.kill(PARENT, signal.SIGKILL)
        if done >= 6 and what == "interrupted":
            os.killpg(0, signal.SIGINT)
        if what == "told":
            print(done, flush=True)
            sys.stdin.readline()

    with makers([model], 2) as making:
        assert isinstance(making, Processes)
        pids = [process.pid for process in making._begun]
        print(*pids, flush=True)
        if what == "gone":
            for pid in pids:
                os.kill(pid, signal.SIGKILL)
        try:
            rebuilding.rebuild(writing, Reader(reading), model, progress, making)
        except KeyboardInterrupt:
            return INTERRUPTED
    print(visits.made)
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
