"""However the keeping of the read models is interrupted, their rows are in the end those of a rebuild."""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest
from sqlalchemy import select, update

from campaigns.kept_rows import assert_as_rebuilt, every_row, filled, rows_of
from campaigns.random_logs import batches, endless, envelope
from campaigns.service_process import Service
from conftest import campaign
from registry.domain.envelope import Posted
from registry.projections import rebuild as rebuilding
from registry.projections import runner as running
from registry.projections.catalogue import CATALOGUE
from registry.projections.model import ReadModel
from registry.projections.rebuild import rebuild
from registry.projections.runner import Runner
from registry.projections.views import live_of, tracked
from registry.store.leases import acquire
from registry.store.tables import lease
from store.conftest import Opened

pytestmark = pytest.mark.campaign

STRUCTURED = {"Content-Type": "application/cloudevents+json"}
POINTS = ("read", "made", "advanced", "written", "committed")


class Killed(BaseException):
    """Ends a runner at once: nothing catches it, and nothing is given back."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "POLL", 0.02)


@pytest.fixture
def new_process(monkeypatch: pytest.MonkeyPatch) -> Callable[[Opened], None]:
    """Makes what comes next another process, long enough after the last for its leases to have run out."""
    numbers = count()

    def begin(store: Opened) -> None:
        name = f"process-{next(numbers)}"
        monkeypatch.setattr(running, "acquire", lambda engine, of: acquire(engine, of, owner=name))
        with store.writing.begin() as connection:
            connection.execute(update(lease).values(until=0))

    return begin


async def keep(
    store: Opened, model: ReadModel, executor: ThreadPoolExecutor, point: str = "", at: int = 0
) -> None:
    """Keep a read model, until cancelled or, when the runner has come to a point so many times, killed."""
    times = 0

    def fault(here: str) -> None:
        nonlocal times
        times += here == point
        if here == point and times == at:
            raise Killed

    wait = store.sequencer.arrivals.wait
    await Runner(store.writing, store.reader, model, executor=executor, wait=wait, fault=fault).run()


async def kept_up(store: Opened, executor: ThreadPoolExecutor) -> None:
    """Keep all read models until they have come to the end of the log."""
    tasks = [asyncio.create_task(keep(store, model, executor)) for model in CATALOGUE]

    def position() -> int:
        with store.reading.connect() as connection:
            return tracked(connection, CATALOGUE)

    async with asyncio.timeout(60):
        while await asyncio.to_thread(position) < store.reader.head().size:
            await asyncio.sleep(0.02)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_runners_killed_at_every_step_under_load_end_with_the_rows_of_a_rebuild(
    database_url: str, new_process: Callable[[Opened], None]
) -> None:
    chance = random.Random(1)
    store = Opened(database_url)
    store.sequencer.start()
    events = batches(endless(chance, "a"), 5)
    with ThreadPoolExecutor(max_workers=1) as executor:
        for _ in range(campaign(10)):
            for point in POINTS:
                new_process(store)
                dying = [
                    asyncio.create_task(keep(store, model, executor, point, chance.randint(1, 2)))
                    for model in CATALOGUE
                ]
                while not all(task.done() for task in dying):
                    await store.append(*next(events))
                    await asyncio.wait(dying, timeout=0.05)
                ends = await asyncio.gather(*dying, return_exceptions=True)
                assert {type(end) for end in ends} == {Killed}
        new_process(store)
        await store.append(*next(events))
        await kept_up(store, executor)
    assert len(filled(every_row(store.reading))) > len(CATALOGUE)
    await assert_as_rebuilt(store)
    await store.close()


@pytest.mark.parametrize("point", ["acquired", "fenced", "taken over", "renewed", "going live", "live"])
async def test_runners_killed_between_two_steps_end_with_the_rows_of_a_rebuild(
    database_url: str, new_process: Callable[[Opened], None], monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    monkeypatch.setattr(running, "RENEWED_EVERY", 0)
    store = Opened(database_url)
    store.sequencer.start()
    events = batches(endless(random.Random(7), "a"), 20)
    await store.append(*next(events))
    with ThreadPoolExecutor(max_workers=1) as executor:
        new_process(store)
        ends = await asyncio.gather(
            *(keep(store, model, executor, point, 1) for model in CATALOGUE), return_exceptions=True
        )
        assert {type(end) for end in ends} == {Killed}
        new_process(store)
        await store.append(*next(events))
        await kept_up(store, executor)
    await assert_as_rebuilt(store)
    await store.close()


async def post(client: httpx.AsyncClient, events: Iterator[Posted]) -> None:
    """Post one event after the other, until the service is gone."""
    for event in events:
        try:
            answer = await client.post(
                "/events", content=msgspec.json.encode(envelope(event)), headers=STRUCTURED
            )
        except httpx.TransportError:
            return
        assert answer.status_code == httpx.codes.CREATED, answer.text


@asynccontextmanager
async def posting(base: str, name: str, clients: int) -> AsyncIterator[list[asyncio.Task[None]]]:
    """Post from some clients, each to agreements of its own, for as long as the service and the block last."""
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:
        tasks = [
            asyncio.create_task(post(client, endless(random.Random(c), f"{name}-{c}")))
            for c in range(clients)
        ]
        yield tasks
        for task in tasks:
            task.cancel()
        for end in await asyncio.gather(*tasks, return_exceptions=True):
            assert end is None or isinstance(end, asyncio.CancelledError), end


async def at_the_head(store: Opened) -> None:
    """Wait until every read model has come to the end of the log."""
    async with asyncio.timeout(30):
        while min(positions(store).values()) < store.reader.head().size:
            await asyncio.sleep(0.05)


async def test_a_service_killed_under_load_ends_with_the_rows_of_a_rebuild(
    database_url: str, tmp_path: Path
) -> None:
    chance = random.Random(2)
    service = Service(database_url, tmp_path / "key")
    for round_ in range(campaign(10)):
        await asyncio.to_thread(service.start)
        async with posting(service.base, f"round-{round_}", 8):
            await asyncio.sleep(chance.uniform(0.5, 1.5))
            service.kill()
    store = Opened(database_url)
    await asyncio.to_thread(service.start)
    try:
        await at_the_head(store)
    finally:
        service.kill()
    print(f"\n{store.reader.head().size} events")
    await assert_as_rebuilt(store)
    await store.close()


def holders(store: Opened) -> dict[str, str]:
    """Who holds the lease of each read model."""
    with store.reading.connect() as connection:
        rows = connection.execute(select(lease.c.name, lease.c.owner))
        held = {name: owner for name, owner in rows}  # noqa: C416 - a row is no pair to the type checker
    return {model.name: held.get(model.lease, "") for model in CATALOGUE}


def positions(store: Opened) -> dict[str, int]:
    """How far each read model has come."""
    with store.reading.connect() as connection:
        return {model.name: live_of(connection, model).position for model in CATALOGUE}


@pytest.mark.postgres
async def test_another_replica_takes_over_every_read_model_within_ten_seconds(
    postgres_url: str, tmp_path: Path
) -> None:
    one, other = (Service(postgres_url, tmp_path / "key") for _ in range(2))
    store = Opened(postgres_url)
    try:
        await asyncio.to_thread(one.start)
        await asyncio.to_thread(other.start)
        assert all(f":{one.pid}:" in owner for owner in holders(store).values())
        fences = fences_of(store)
        async with posting(one.base, "one", 2), posting(other.base, "other", 4):
            while min(positions(store).values()) < 50:
                await asyncio.sleep(0.05)
            one.kill()
            killed, size = time.monotonic(), store.reader.head().size
            taken: dict[str, float] = {}
            while len(taken) < len(CATALOGUE):
                await asyncio.sleep(0.05)
                for name, owner in holders(store).items():
                    if f":{other.pid}:" in owner and positions(store)[name] > size:
                        taken.setdefault(name, time.monotonic() - killed)
                assert time.monotonic() - killed < 30
        print(f"\ntaken over after {min(taken.values()):.1f} to {max(taken.values()):.1f} s")
        assert max(taken.values()) <= 10
        assert {name: fence - fences[name] for name, fence in fences_of(store).items()} == dict.fromkeys(
            fences, 1
        )
        await at_the_head(store)
    finally:
        one.kill()
        other.kill()
    await assert_as_rebuilt(store)
    await store.close()


def fences_of(store: Opened) -> dict[str, int]:
    """How often each lease has changed hands."""
    with store.reading.connect() as connection:
        rows = connection.execute(select(lease.c.name, lease.c.fence))
        found = {name: fence for name, fence in rows}  # noqa: C416 - a row is no pair to the type checker
    return {model.name: found[model.lease] for model in CATALOGUE}


async def test_rebuilding_every_read_model_while_writers_post_loses_nothing_and_serves_meanwhile(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "STRETCH", 50)
    store = Opened(database_url)
    store.sequencer.start()
    events = batches(endless(random.Random(4), "a"), 5)
    for _ in range(campaign(400)):
        await store.append(*next(events))
    with ThreadPoolExecutor(max_workers=1) as executor:
        await kept_up(store, executor)
        keeping = [asyncio.create_task(keep(store, model, executor)) for model in CATALOGUE]
        for model in CATALOGUE:
            await at_the_head(store)
            before = {name: set(rows) for name, rows in rows_of(store.reading, model).items()}
            others = batches(endless(random.Random(5), f"beside-{model.name}"), 5)
            looks = count(1)

            def look(*_: int, model: ReadModel = model, before: Any = before, looks: Any = looks) -> None:
                served = rows_of(store.reading, model)
                assert {name: rows - set(served[name]) for name, rows in before.items() if rows} == {
                    name: set() for name, rows in before.items() if rows
                }
                next(looks)

            building = asyncio.create_task(
                asyncio.to_thread(rebuild, store.writing, store.reader, model, look)
            )
            while not building.done():
                await store.append(*next(others))
                await asyncio.wait([building], timeout=0.05)
            number = await building
            with store.reading.connect() as connection:
                assert live_of(connection, model).number == number
            assert next(looks) > 2
            look()
        for task in keeping:
            task.cancel()
        await asyncio.gather(*keeping, return_exceptions=True)
        await kept_up(store, executor)
    await assert_as_rebuilt(store)
    await store.close()
