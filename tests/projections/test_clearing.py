"""What was erased goes from everything derived, whoever keeps it or has left it behind."""

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine, select, text, update

from campaigns.bytes_of import found_in
from projections.conftest import begun
from registry.errors import Unavailable
from registry.projections import clearing as clearing_module
from registry.projections import rebuild as rebuilding
from registry.projections.agreements import AGREEMENTS
from registry.projections.clearing import Clearing, behind, cleared
from registry.projections.generations import begin_generation, generations, go_live
from registry.projections.institutions_and_people import INSTITUTIONS_AND_PEOPLE
from registry.projections.makers import Begun
from registry.projections.making import Made, make_from
from registry.projections.model import ReadModel
from registry.projections.parking import park
from registry.projections.rebuild import rebuild, rebuild_all
from registry.projections.scrub import _may_vacuum
from registry.projections.step import Projection
from registry.store.erasure import Eraser
from registry.store.leases import acquire, release
from registry.store.reader import Reader
from registry.store.tables import tracking
from store.conftest import PRINCIPAL, Opened, event, registered

ADA = "0b7a3c52-2f0e-4c58-8f6d-5a1f9f7f2b33"
WORDS = ("Adalinde", "adalinde", "quixotically")
MODELS = (AGREEMENTS, INSTITUTIONS_AND_PEOPLE)


def said(agreement: str) -> Any:
    data = {
        "statement_id": "s",
        "speaker": {"person": {"person_id": ADA, "name": "Adalinde"}},
        "attribution": "named",
        "gist": {"en": "A quixotically good step."},
        "quoted": True,
    }
    return event("statement-recorded", agreement, f"{agreement}-said", data)


def built(store: Opened, model: ReadModel) -> Projection:
    """Build a generation and let it go live."""
    projection = begun(store, model)
    while projection.step():
        pass
    with store.writing.begin() as connection:
        projection.generation = go_live(connection, projection.generation)
    return projection


@pytest.fixture
async def told(store: Opened) -> Opened:
    """Two agreements, in each of which one person said something."""
    await store.append(registered("one"), said("one"), registered("two"), said("two"))
    return store


@pytest.fixture
def projections(told: Opened) -> list[Projection]:
    return [built(told, model) for model in MODELS]


@pytest.fixture
def clearing(told: Opened) -> Clearing:
    return Clearing(told.writing, told.reader, MODELS)


def erase(store: Opened, *agreements: str) -> None:
    """Erase what was said, as a process does that is killed right after its commit."""
    for agreement in agreements or ("one", "two"):
        position = {"one": 2, "two": 4}[agreement]
        Eraser(store.writing, store.states).erase(agreement, position, None, "x", PRINCIPAL)


def caught_up(*projections: Projection) -> None:
    for projection in projections:
        while projection.step():
            pass


def position(store: Opened) -> int:
    with store.reading.connect() as connection:
        return cleared(connection)


async def test_what_was_erased_is_gone_once_every_read_model_has_passed_it(
    told: Opened, projections: list[Projection], clearing: Clearing, database_url: str
) -> None:
    assert found_in(database_url, *WORDS)
    erase(told)
    assert not clearing.step()
    with told.reading.connect() as connection:
        assert behind(connection, 6) == ["agreements", "institutions_and_people"]
    caught_up(projections[0])
    assert not clearing.step()
    assert position(told) == 0
    caught_up(projections[1])
    assert clearing.step()
    assert position(told) == 6
    assert found_in(database_url, *WORDS) == []
    assert clearing.step()


class Ahead:
    """Makes rows of what was read three stretches before it is written, as it is when processes make them."""

    ahead = 3

    def begin(
        self, reader: Reader, projections: Sequence[Projection], wanted: Mapping[str, int], after: int
    ) -> Begun:
        parts = reader.parts(list(wanted))
        models = [each.generation.model for each in projections]
        made: Future[list[Made]] = Future()
        made.set_result(make_from(parts, models, projections[0].dialect, after))
        return {part[6]: part[0] for part in parts}, made


async def test_what_is_erased_when_a_rebuild_has_read_it_and_not_yet_written_it_is_gone_as_well(
    told: Opened,
    projections: list[Projection],
    clearing: Clearing,
    database_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(rebuilding, "STRETCH", 1)
    reached: list[int] = []

    def progress(position: int, _: int) -> None:
        if not reached:
            erase(told)
            assert found_in(database_url, *WORDS)
        reached.append(position)

    rebuild_all(told.writing, told.reader, MODELS, progress, Ahead())
    assert (reached[0], reached[-1]) == (1, 6)
    assert clearing.step()
    assert found_in(database_url, *WORDS) == []


async def test_another_process_finishes_what_a_killed_one_has_begun(
    told: Opened, projections: list[Projection], clearing: Clearing, database_url: str
) -> None:
    erase(told, "one")
    caught_up(*projections)
    assert clearing.step()
    erase(told, "two")
    again = Clearing(told.writing, told.reader, MODELS)
    assert not again.step()
    caught_up(*projections)
    assert again.step()
    assert found_in(database_url, *WORDS) == []


async def test_a_log_without_erasures_is_passed_and_noted_now_and_then(
    told: Opened, clearing: Clearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert clearing.step()
    assert position(told) == 0
    monkeypatch.setattr(clearing_module, "QUIET", 1)
    assert clearing.step()
    assert position(told) == 0  # nothing new since
    await told.append(registered("three"))
    assert clearing.step()
    assert position(told) == 5


async def test_one_process_clears_at_a_time(
    told: Opened, projections: list[Projection], clearing: Clearing
) -> None:
    erase(told)
    caught_up(*projections)
    held = acquire(told.writing, clearing_module.NAME, owner="another")
    assert held is not None
    assert not clearing.step()
    release(told.writing, held)
    assert clearing.step()


async def test_retired_rows_do_not_wait_for_their_hour(
    told: Opened, projections: list[Projection], clearing: Clearing, database_url: str
) -> None:
    for model in MODELS:
        rebuild(told.writing, told.reader, model)
    erase(told)
    assert not clearing.step()
    with told.reading.connect() as connection:
        assert [[one.number for one in generations(connection, model)] for model in MODELS] == [[2], [2]]
        anew = [Projection(told.writing, told.reader, generations(connection, model)[0]) for model in MODELS]
    caught_up(*anew)
    assert clearing.step()
    assert found_in(database_url, *WORDS) == []


async def test_what_an_interrupted_rebuild_has_left_is_dropped_and_a_running_one_waited_for(
    told: Opened, projections: list[Projection], clearing: Clearing, database_url: str
) -> None:
    held = acquire(told.writing, f"{AGREEMENTS.lease}/rebuild", owner="another")
    assert held is not None
    with told.writing.begin() as connection:
        half = Projection(told.writing, told.reader, begin_generation(connection, AGREEMENTS))
    half.step()
    erase(told)
    caught_up(*projections)
    assert not clearing.step()
    release(told.writing, held)
    assert clearing.step()
    with told.reading.connect() as connection:
        assert [one.number for one in generations(connection, AGREEMENTS)] == [1]
    assert found_in(database_url, *WORDS) == []


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)
async def test_a_version_that_nobody_runs_any_more_is_dropped_and_a_running_one_waited_for(
    told: Opened,
    projections: list[Projection],
    clearing: Clearing,
    database_url: str,
    model: ReadModel,
) -> None:
    older = msgspec.structs.replace(model, version=77)
    kept = built(told, older)
    erase(told)
    caught_up(*projections)
    assert not clearing.step()  # its lease is held by somebody
    caught_up(kept)
    assert clearing.step()
    assert found_in(database_url, *WORDS) == []
    with told.writing.begin() as connection:
        kept = Projection(told.writing, told.reader, generations(connection, older)[0])
        connection.execute(update(tracking).where(tracking.c.version == 77).values(position=2))
        connection.execute(text("UPDATE lease SET until = 0"))
    await told.append(registered("three"), said("three"))
    Eraser(told.writing, told.states).erase("three", 8, None, "x", PRINCIPAL)
    caught_up(*projections)
    assert clearing.step()
    with told.writing.connect() as connection:
        assert connection.scalar(select(tracking.c.position).where(tracking.c.version == 77)) is None
        left = _tables(connection)
    assert not [name for name in left if "_77_" in name]
    assert [name for name in left if name.startswith(f"rm_{model.name}_{model.version}_1")]


def _tables(connection: Any) -> list[str]:
    if connection.dialect.name == "postgresql":
        return list(
            connection.scalars(text("SELECT tablename FROM pg_tables WHERE schemaname = 'read_model'"))
        )
    return list(connection.scalars(text("SELECT name FROM sqlite_master")))


async def test_an_agreement_that_is_parked_shows_nothing_rather_than_what_was_erased(
    told: Opened, projections: list[Projection], clearing: Clearing, database_url: str
) -> None:
    with told.writing.begin() as connection:
        for agreement in ("one", "two"):
            park(connection, AGREEMENTS, agreement, 4, "ValueError")
    erase(told, "one")
    caught_up(*projections)
    assert clearing.step()
    table = projections[0].generation.tables(told.reading.connect())[""]
    with told.reading.connect() as connection:
        assert list(connection.scalars(select(table.c.agreement).distinct())) == ["two"]


@contextmanager
def looking(engine: Engine) -> Iterator[None]:
    """Hold a snapshot of the database."""
    if engine.dialect.name == "postgresql":
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        connection.execute(text("SELECT count(*) FROM event_part")).all()
        yield


async def test_nothing_is_called_gone_while_somebody_can_still_see_it(
    told: Opened, projections: list[Projection], clearing: Clearing, database_url: str
) -> None:
    with told.writing.connect() as connection:
        if connection.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA busy_timeout = 50")
    with looking(told.reading):
        erase(told)
        caught_up(*projections)
        assert not clearing.step()
        assert not clearing.step()
        assert position(told) == 0
    assert clearing.step()
    assert found_in(database_url, *WORDS) == []


@pytest.mark.postgres
async def test_who_may_not_vacuum_says_that_its_owner_has_to(
    postgres_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = Opened(postgres_url)
    store.sequencer.start()
    role = f"nobody_{secrets.token_hex(4)}"
    with store.writing.begin() as connection:
        connection.execute(text(f"CREATE ROLE {role}"))
        connection.execute(text(f"SET LOCAL ROLE {role}"))
        assert not _may_vacuum(connection, "event_part")
        connection.execute(text("RESET ROLE"))
        assert _may_vacuum(connection, "event_part")
        assert _may_vacuum(connection, "pg_catalog.pg_statistic")
        connection.execute(text(f"DROP ROLE {role}"))
    await store.append(registered("one"), said("one"))
    Eraser(store.writing, store.states).erase("one", 2, None, "x", PRINCIPAL)
    monkeypatch.setattr("registry.projections.scrub._may_vacuum", lambda *_: False)
    with caplog.at_level(logging.WARNING):
        assert Clearing(store.writing, store.reader, MODELS).step()
    assert "event_part is to be vacuumed by its owner" in caplog.text
    await store.close()


class Steps:
    """Counts the steps of a clearing, each of which fails as told."""

    def __init__(self, outcomes: list[bool | Exception]) -> None:
        self.outcomes = outcomes
        self.done = asyncio.Event()

    def __call__(self) -> bool:
        outcome = self.outcomes.pop(0) if self.outcomes else True
        if not self.outcomes:
            self.done.set()
        if isinstance(outcome, Exception):
            raise outcome
        return outcome


@pytest.fixture
async def running(clearing: Clearing, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Steps]:
    """A clearing that runs, on steps that are told."""
    steps = Steps([Unavailable("away"), ValueError("a fault"), False, True])
    monkeypatch.setattr(clearing_module, "POLL", 0.01)
    monkeypatch.setattr(clearing, "step", steps)
    clearing.wake()  # before it runs there is nobody to wake
    task = asyncio.create_task(clearing.run())
    yield steps
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_it_goes_on_whatever_happens(running: Steps, caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.timeout(20):
        await running.done.wait()
    assert "waits: away" in caplog.text
    assert "a fault" in caplog.text


async def test_it_is_woken(clearing: Clearing, monkeypatch: pytest.MonkeyPatch) -> None:
    steps = Steps([True, True])
    monkeypatch.setattr(clearing_module, "POLL", 600.0)
    monkeypatch.setattr(clearing, "step", steps)
    task = asyncio.create_task(clearing.run())
    async with asyncio.timeout(20):
        while len(steps.outcomes) == 2:
            await asyncio.sleep(0.01)
        while not steps.done.is_set():
            clearing.wake()
            await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_a_process_is_told_of_no_erasure_before_it_began(
    told: Opened, projections: list[Projection], monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[str] = []
    erase(told, "one")
    started = Clearing(told.writing, told.reader, MODELS, forget=heard.append)
    started.begin()
    erase(told, "two")
    caught_up(*projections)
    monkeypatch.setattr(clearing_module, "POLL", 0.01)
    task = asyncio.create_task(started.run())
    async with asyncio.timeout(20):
        while not heard:
            await asyncio.sleep(0.01)
    assert heard == ["two"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def test_every_process_is_told_of_which_agreements_something_was_erased(
    told: Opened, projections: list[Projection], clearing: Clearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clearing_module, "POLL", 0.01)
    heard: list[str] = []
    other = Clearing(told.writing, told.reader, MODELS, forget=heard.append)
    task = asyncio.create_task(other.run())
    erase(told, "two")
    caught_up(*projections)
    assert clearing.step() or position(told) in {0, 5}  # whichever of the two comes first clears up
    async with asyncio.timeout(20):
        while not heard or position(told) < 5:
            await asyncio.sleep(0.01)
    assert heard == ["two"]
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
