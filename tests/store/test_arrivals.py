import asyncio

import psycopg
import pytest

from registry.store.arrivals import CHANNEL, Arrivals, Listener, listens
from registry.store.database import parse_url
from store.conftest import Open, Opened, planned, registered


async def test_who_waits_is_woken_when_the_log_is_longer_than_what_it_has() -> None:
    arrivals = Arrivals()
    waiting = asyncio.create_task(arrivals.wait(4, 60))
    await asyncio.sleep(0)
    arrivals.announce(4)
    await asyncio.sleep(0)
    assert not waiting.done()
    arrivals.announce(5)
    await waiting
    await arrivals.wait(4, 60)


async def test_waiting_ends_by_itself_when_nothing_arrives() -> None:
    arrivals = Arrivals()
    await arrivals.wait(0, 0.01)
    await arrivals.wait(0, 0)
    assert arrivals.position == 0


async def test_who_is_cancelled_while_the_log_grows_waits_no_longer() -> None:
    arrivals = Arrivals()
    waiting = asyncio.create_task(arrivals.wait(0, 60))
    await asyncio.sleep(0)
    arrivals.announce(1)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting


async def test_a_position_never_goes_back() -> None:
    arrivals = Arrivals()
    arrivals.announce(7)
    arrivals.announce(3)
    assert arrivals.position == 7


async def test_the_process_that_appends_knows_at_once(opened: Open) -> None:
    async with opened() as store:
        await store.append(registered("one"), planned("one", "v1"))
        assert store.sequencer.arrivals.position == 2


async def test_other_processes_are_told_by_postgresql(postgres_url: str) -> None:
    arrivals = Arrivals()
    listener = Listener(postgres_url, arrivals, asyncio.get_running_loop())
    listener.start()
    store = Opened(postgres_url)
    store.sequencer.start()
    try:
        position = 0
        while arrivals.position == 0:  # the first may be appended before the listener listens
            position += 1
            await store.append(registered(f"agreement-{position}"))
            await arrivals.wait(0, 0.1)
        await store.append(planned("agreement-1", "v1"))
        await arrivals.wait(position, 10)
        assert arrivals.position == position + 1
    finally:
        await asyncio.to_thread(listener.stop)
        await store.close()


async def test_a_notification_that_is_no_position_is_nothing_new(postgres_url: str) -> None:
    arrivals = Arrivals()
    listener = Listener(postgres_url, arrivals, asyncio.get_running_loop())
    listener.start()
    conninfo = parse_url(postgres_url).set(drivername="postgresql").render_as_string(hide_password=False)
    try:
        async with await psycopg.AsyncConnection.connect(conninfo, autocommit=True) as connection:
            while arrivals.position == 0:
                await connection.execute(
                    "SELECT pg_notify(%s, %s), pg_notify(%s, '7')", (CHANNEL, "²", CHANNEL)
                )
                await arrivals.wait(0, 0.1)
        assert arrivals.position == 7
    finally:
        await asyncio.to_thread(listener.stop)


async def test_a_listener_outlives_a_database_that_is_away(caplog: pytest.LogCaptureFixture) -> None:
    listener = Listener("postgresql://nobody@127.0.0.1:1/none", Arrivals(), asyncio.get_running_loop())
    listener.start()
    while "not listening" not in caplog.text:
        await asyncio.sleep(0.01)
    await asyncio.to_thread(listener.stop)


def test_only_postgresql_notifies() -> None:
    assert listens("postgresql://db/r")
    assert not listens("sqlite:///registry.db")
