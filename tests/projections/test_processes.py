"""Rebuilding with processes that make the rows, each run by a program of its own."""

import asyncio
import os
import pickle
import subprocess
import sys
import threading
from contextlib import suppress
from multiprocessing import Pipe
from pathlib import Path

import pytest
from sqlalchemy import update

from projections.beside import INTERRUPTED, KILLED, POISONED, REFUSED
from projections.conftest import Visits, begun, live_rows, rows_of
from registry.projections import processes as beside
from registry.projections.generations import live
from registry.projections.makers import Here, makers
from registry.projections.making import make_from
from registry.projections.model import ReadModel
from registry.projections.parking import waiting
from registry.projections.processes import Processes, answer, may_fork, worth_having
from registry.projections.rebuild import rebuild
from registry.projections.step import Projection
from registry.store.tables import lease
from store.conftest import Opened, planned, registered

AGREEMENTS = [f"agreement-{number}" for number in range(10)]

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux copies a process that uses libraries"
)


@pytest.fixture
async def told(store: Opened) -> Opened:
    """Ten agreements, each with an event among those of the others."""
    await store.append(*(registered(agreement) for agreement in AGREEMENTS))
    for visit in ("v1", "v2"):
        await store.append(*(planned(agreement, visit) for agreement in AGREEMENTS))
    return store


def rebuilt(url: str, what: str) -> subprocess.CompletedProcess[str]:
    """Run the program to its end, and to that of its processes: they have its standard output."""
    return subprocess.run(
        [sys.executable, "-m", "projections.beside", url, what],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )


async def test_processes_make_the_rows_that_this_one_makes(
    told: Opened, database_url: str, model: ReadModel
) -> None:
    done = rebuilt(database_url, "nothing")
    assert (done.returncode, done.stderr) == (0, "")
    pids, made_here = done.stdout.splitlines()
    assert len(set(pids.split())) == 2
    assert made_here == "0"
    theirs = live_rows(told.reading, model)
    assert len(theirs["visit"]) == 20
    rebuild(told.writing, told.reader, model)
    assert live_rows(told.reading, model) == theirs


@pytest.mark.parametrize("what", ["killed", "gone"])
async def test_processes_that_are_killed_are_done_without(
    told: Opened, database_url: str, model: ReadModel, what: str
) -> None:
    done = rebuilt(database_url, what)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout.splitlines()[1]) > 0
    theirs = live_rows(told.reading, model)
    rebuild(told.writing, told.reader, model)
    assert live_rows(told.reading, model) == theirs
    assert KILLED in {row[0] for row in theirs[""]}


async def test_processes_make_the_rows_while_writers_post_and_nothing_is_lost(
    told: Opened, database_url: str, model: ReadModel
) -> None:
    rebuild(told.writing, told.reader, model)
    with told.reading.connect() as connection:
        old = live(connection, model)
    assert old is not None
    running = Projection(told.writing, told.reader, old)
    program = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "projections.beside", database_url, "told"),
        cwd=Path(__file__).parents[1],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert program.stdout is not None
    assert program.stdin is not None
    lines = [await program.stdout.readline()]
    while line := await program.stdout.readline():
        lines.append(line)
        if len(lines) < 20:  # stretches that were read ahead go on being written meanwhile
            number = len(lines) % len(AGREEMENTS)
            new = f"new-{len(lines)}"
            await told.append(
                planned(AGREEMENTS[number], f"more-{len(lines)}"), registered(new), planned(new, "v1")
            )
            while running.step():
                pass
            assert live_rows(told.reading, model) == rows_of(told.reading, running.generation)
        with suppress(ConnectionError):  # it says at last how many rows it made itself, and ends
            program.stdin.write(b"on\n")
            await program.stdin.drain()
    assert await program.wait() == 0
    assert lines[-1] == b"0\n"
    with told.reading.connect() as connection:
        new_one = live(connection, model)
    assert new_one is not None
    assert new_one.number > old.number
    following = Projection(told.writing, told.reader, new_one)
    while following.step():
        pass
    theirs = live_rows(told.reading, model)
    assert len(theirs["visit"]) == 20 + 2 * 18
    rebuild(told.writing, told.reader, model)
    assert live_rows(told.reading, model) == theirs


async def test_what_a_process_cannot_make_and_what_the_database_refuses_is_parked(
    told: Opened, database_url: str, model: ReadModel
) -> None:
    done = rebuilt(database_url, "poison")
    assert done.returncode == 0
    assert f"the rows of {POISONED} in visits cannot be made" in done.stderr
    assert {row[0] for row in live_rows(told.reading, model)[""]} == set(AGREEMENTS) - {POISONED, REFUSED}
    with told.reading.connect() as connection:
        parked = {each.stream: each.error for each in waiting(connection, model)}
    assert parked == {POISONED: "Poison", REFUSED: "IntegrityError"}


async def test_processes_end_with_the_one_that_is_killed_and_the_next_rebuild_is_whole(
    told: Opened, database_url: str, model: ReadModel
) -> None:
    done = rebuilt(database_url, "left")
    assert (done.returncode, done.stderr) == (-9, "")
    with told.writing.begin() as connection:
        connection.execute(update(lease).values(until=0))
    rebuild(told.writing, told.reader, model)
    assert len(live_rows(told.reading, model)["visit"]) == 20


async def test_who_interrupts_a_rebuild_hears_nothing_of_its_processes(
    told: Opened, database_url: str
) -> None:
    done = rebuilt(database_url, "interrupted")
    assert (done.returncode, done.stderr) == (INTERRUPTED, "")


async def test_a_process_keeps_nothing_open_that_is_its_parents(
    told: Opened, database_url: str, model: ReadModel
) -> None:
    assert rebuilt(database_url, "looked").returncode == 0
    standard, its_pipe, the_list = 3, 1, 1
    assert {row[1] for row in live_rows(told.reading, model)[""]} == {standard + its_pipe + the_list}


async def test_events_that_cannot_be_read_are_answered_with_nothing_and_fail_where_they_were_asked_for(
    told: Opened, model: ReadModel
) -> None:
    parts = told.reader.parts(["agreement-1"])
    broken = [(*parts[0][:8], b"{"), *parts[1:]]
    ours, theirs = Pipe()
    answering = threading.Thread(target=answer, args=(theirs, {model.name: model}))
    answering.start()
    ours.send((broken, ["visits"], "sqlite", 0))
    assert ours.recv() is None
    ours.send((parts, ["visits"], "sqlite", 0))
    assert ours.recv() == make_from(parts, [model], "sqlite", 0)
    ours.close()
    answering.join(10)
    assert not answering.is_alive()
    with pytest.raises(ValueError, match="truncated"):
        make_from(broken, [model], "sqlite", 0)


async def test_who_cannot_be_given_an_answer_leaves_the_others_nobody_to_wait_for(
    told: Opened, model: ReadModel, visits: Visits, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = Pipe()
    monkeypatch.setattr(Processes, "_begin", lambda self: self._idle.put(ours))
    processes = Processes(1, [model])
    theirs.send_bytes(b"no pickle")
    asked = told.reader, [begun(told, model)], {"agreement-1": 1}, 0
    with pytest.raises(pickle.UnpicklingError):
        processes.begin(*asked)[1].result(10)
    taken, made = processes.begin(*asked)
    assert taken == {"agreement-1": 22}
    parts = told.reader.parts(["agreement-1"])
    assert made.result(10) == make_from(parts, [model], told.writing.dialect.name, 0)
    processes._calls.shutdown()
    ours.close()
    theirs.close()


def test_nothing_is_copied_where_nobody_lists_what_is_open(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, model: ReadModel
) -> None:
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    assert may_fork()
    monkeypatch.setattr(beside, "OPEN", tmp_path / "fd")
    assert not may_fork()
    with makers([model], 2) as making:
        assert isinstance(making, Here)


async def test_where_no_process_can_be_begun_rows_are_made_without(
    told: Opened, model: ReadModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def refused(_: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("multiprocessing.context.ForkProcess.start", refused)
    with Processes(2, [model]) as processes:
        rebuild(told.writing, told.reader, model, makers=processes)
    assert len(live_rows(told.reading, model)["visit"]) == 20
    assert caplog.text.count("cannot be begun, so it is done without") == 2


@pytest.mark.parametrize(("count", "ahead"), [(1, 3), (2, 6), (4, 12), (16, 24)])
def test_what_is_read_ahead_keeps_every_process_busy_and_no_more(
    model: ReadModel, monkeypatch: pytest.MonkeyPatch, count: int, ahead: int
) -> None:
    monkeypatch.setattr(Processes, "_begin", lambda _: None)
    with Processes(count, [model]) as processes:
        assert processes.ahead == ahead


async def test_a_process_with_threads_makes_rows_itself(
    told: Opened, model: ReadModel, visits: Visits
) -> None:
    release = threading.Event()
    second = threading.Thread(target=release.wait)
    second.start()
    try:
        assert not may_fork()
        with makers([model], 2) as making:
            assert isinstance(making, Here)
            rebuild(told.writing, told.reader, model, makers=making)
    finally:
        release.set()
        second.join()
    assert visits.made == len(AGREEMENTS)


@pytest.mark.parametrize(("processors", "count"), [(1, 0), (2, 2), (4, 4), (64, 4)])
def test_there_are_as_many_processes_as_processors_up_to_what_one_connection_writes(
    monkeypatch: pytest.MonkeyPatch, processors: int, count: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)))
    assert worth_having() == count
    assert beside.MOST == 4
