import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from projections.conftest import Visits, live_rows, rows_of
from registry.projections import runner as running
from registry.projections.generations import live
from registry.projections.model import ReadModel
from registry.projections.rebuild import rebuild
from registry.projections.runner import Runner
from registry.store import leases
from registry.store.leases import acquire
from store.conftest import Opened, planned, registered


@asynccontextmanager
async def run(store: Opened, model: ReadModel, **options: Any) -> AsyncIterator[asyncio.Task[None]]:
    """Run a runner beside what is inside."""
    with ThreadPoolExecutor(max_workers=1) as executor:
        runner = Runner(
            store.writing,
            store.reader,
            model,
            executor=executor,
            wait=store.sequencer.arrivals.wait,
            **options,
        )
        task = asyncio.create_task(runner.run())
        try:
            yield task
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def reached(store: Opened, model: ReadModel, position: int) -> None:
    """Wait until the live generation has come to a position."""

    def at() -> int:
        with store.reading.connect() as connection:
            generation = live(connection, model)
        return generation.position if generation else -1

    async with asyncio.timeout(20):
        while await asyncio.to_thread(at) < position:
            await asyncio.sleep(0.02)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "POLL", 0.02)


async def test_a_runner_builds_the_first_generation_and_follows_the_log(
    store: Opened, model: ReadModel
) -> None:
    await store.append(registered("one"), planned("one", "v1"))
    async with run(store, model):
        await reached(store, model, 2)
        await store.append(planned("one", "v2"))
        await reached(store, model, 3)
    assert live_rows(store.writing, model) == {"": [("one", 3)], "visit": [("one", "v1"), ("one", "v2")]}


async def test_of_two_runners_one_works_and_the_other_takes_over_when_it_stops(
    store: Opened, model: ReadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners = iter(("one", "two"))
    acquired: list[str] = []

    def as_owner(owner: str) -> Callable[..., Any]:
        def acquire_as(engine: Any, name: str) -> Any:
            held = acquire(engine, name, owner=owner, ttl=60_000_000)
            if held is not None:
                acquired.append(owner)
            return held

        return acquire_as

    await store.append(registered("one"))
    monkeypatch.setattr(running, "acquire", as_owner(next(owners)))
    async with run(store, model):
        await reached(store, model, 1)
        monkeypatch.setattr(running, "acquire", as_owner(next(owners)))
        async with run(store, model):
            await store.append(planned("one", "v1"))
            await reached(store, model, 2)
            assert acquired == ["one"]
    monkeypatch.setattr(running, "acquire", as_owner("three"))
    async with run(store, model):
        await store.append(planned("one", "v2"))
        await reached(store, model, 3)
    assert acquired[-1] == "three"


async def test_a_runner_whose_lease_is_taken_starts_over_and_stays_out(
    store: Opened, model: ReadModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(running, "RENEWED_EVERY", 0.0)
    caplog.set_level("INFO")
    await store.append(registered("one"))
    async with run(store, model):
        await reached(store, model, 1)
        with store.writing.begin() as connection:
            connection.execute(leases.lease.update().values(owner="another", until=2**62, fence=99))
        async with asyncio.timeout(20):
            while "starts over" not in caplog.text:
                await asyncio.sleep(0.02)


async def test_a_runner_goes_on_with_the_new_generation_after_a_rebuild(
    store: Opened, model: ReadModel
) -> None:
    await store.append(registered("one"))
    async with run(store, model):
        await reached(store, model, 1)
        number = await asyncio.to_thread(rebuild, store.writing, store.reader, model)
        await store.append(planned("one", "v1"))
        await reached(store, model, 2)
    with store.reading.connect() as connection:
        generation = live(connection, model)
    assert generation is not None
    assert generation.number == number
    assert rows_of(store.writing, generation)[""] == [("one", 2)]


@pytest.mark.parametrize("interrupted", [False, True])
async def test_a_runner_goes_on_however_often_a_model_was_rebuilt_before(
    store: Opened, model: ReadModel, interrupted: bool
) -> None:
    def progress(*_: object) -> None:
        if interrupted:
            raise KeyboardInterrupt

    await store.append(registered("one"))
    for _ in range(3):
        with suppress(KeyboardInterrupt):
            rebuild(store.writing, store.reader, model, progress)
    await store.append(planned("one", "v1"))
    async with run(store, model):
        await reached(store, model, 2)
    assert live_rows(store.writing, model)[""] == [("one", 2)]


async def test_retired_generations_are_cleared_away(
    store: Opened, model: ReadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    cleared: list[str] = []
    monkeypatch.setattr(running, "CLEARED_EVERY", 0.0)
    monkeypatch.setattr(running, "discard_retired", lambda _, of: cleared.append(of.name))
    async with run(store, model):
        async with asyncio.timeout(20):
            while not cleared:
                await asyncio.sleep(0.02)
    assert cleared[0] == "visits"


async def test_a_fault_of_a_runner_is_logged_and_tried_again(
    store: Opened, model: ReadModel, visits: Visits, caplog: pytest.LogCaptureFixture
) -> None:
    faults = iter(("once",))

    def fail_once(at: str) -> None:
        if at == "made" and next(faults, None):
            raise ZeroDivisionError

    await store.append(registered("one"))
    async with run(store, model, fault=fail_once):
        await reached(store, model, 1)
    assert "visits failed" in caplog.text


async def test_a_database_that_is_away_is_waited_for(
    store: Opened, model: ReadModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from sqlalchemy import exc

    away = iter(("once",))

    def acquire_or_not(engine: Any, name: str) -> Any:
        if next(away, None):
            raise exc.OperationalError("", {}, Exception())
        return acquire(engine, name)

    monkeypatch.setattr(running, "acquire", acquire_or_not)
    await store.append(registered("one"))
    async with run(store, model):
        await reached(store, model, 1)
    assert "waits: the database cannot be reached" in caplog.text
