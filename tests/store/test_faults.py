"""The database fails before, at and after the commit; nothing acknowledged is lost, nothing is recorded twice."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from sqlalchemy import Engine, event, text

from conftest import admin
from registry.errors import Unavailable
from registry.store.tables import log_head
from store.conftest import Open, Opened, planned, registered


def lost(engine: Engine) -> Exception:
    """What the driver raises when the connection is gone."""
    if engine.dialect.name == "sqlite":
        return sqlite3.OperationalError("disk I/O error")
    return psycopg.OperationalError("server closed the connection unexpectedly")


@contextmanager
def failing_commit(engine: Engine, *, after: bool, times: int = 1) -> Iterator[list[str]]:
    """Lose the connection at COMMIT: before the database has it, or after, when only its answer is lost."""
    commit: Callable[[Any], None] = engine.dialect.do_commit
    happened: list[str] = []

    def do_commit(connection: Any) -> None:
        if len(happened) >= times:
            commit(connection)
            return
        happened.append("lost")
        if after:
            commit(connection)
        if engine.dialect.name == "postgresql":
            connection.driver_connection.close()
        raise lost(engine)

    engine.dialect.do_commit = do_commit  # type: ignore[method-assign]
    try:
        yield happened
    finally:
        engine.dialect.do_commit = commit  # type: ignore[method-assign]


async def test_a_commit_whose_answer_is_lost_is_found_out_and_acknowledged(opened: Open) -> None:
    async with opened() as store:
        await store.append(registered("one"))
        with failing_commit(store.writing, after=True) as happened:
            (receipt,) = await store.append(planned("one", "v1"))
        assert happened == ["lost"]
        assert (receipt.position, receipt.replayed) == (2, False)
        (again,) = await store.append(planned("one", "v1"))
        assert again.replayed
        assert again.leaf_hash == receipt.leaf_hash
        assert store.reader.head().size == 2


async def test_a_commit_that_never_happened_is_not_acknowledged_or_is_done_again(opened: Open) -> None:
    async with opened() as store:
        await store.append(registered("one"))
        with failing_commit(store.writing, after=False) as happened:
            try:
                (receipt,) = await store.append(planned("one", "v1"))
            except Unavailable:
                assert store.reader.head().size == 1
                (receipt,) = await store.append(planned("one", "v1"))
        assert happened == ["lost"]
        assert (receipt.position, receipt.replayed) == (2, False)
        assert store.reader.head().size == 2


async def test_when_the_outcome_cannot_be_found_out_posting_again_tells(opened: Open) -> None:
    async with opened() as store:
        await store.append(registered("one"))
        with failing_commit(store.writing, after=True, times=3):
            try:
                (first,) = await store.append(planned("one", "v1"))
            except Unavailable:
                first = None
        (again,) = await store.append(planned("one", "v1"))
        assert again.replayed
        assert first is None or first.leaf_hash == again.leaf_hash
        assert store.reader.head().size == 2


@pytest.mark.parametrize("statement", ["log_head", "event", "event_part"])
async def test_a_failure_before_the_commit_records_nothing_and_is_over_with_its_cause(
    opened: Open, statement: str
) -> None:
    async with opened() as store:
        await store.append(registered("one"))
        failures = 2  # the second so that trying again does not help

        def fail(_c: Any, _cursor: Any, sql: str, *_: Any) -> None:
            nonlocal failures
            if failures and statement in sql and not sql.lstrip().startswith("PRAGMA"):
                failures -= 1
                raise lost(store.writing)

        event.listen(store.writing, "before_cursor_execute", fail)
        with pytest.raises((Unavailable, sqlite3.Error, psycopg.Error)):
            await store.append(planned("one", "v1"))
        event.remove(store.writing, "before_cursor_execute", fail)
        assert store.reader.head().size == 1
        (receipt,) = await store.append(planned("one", "v1"))
        assert (receipt.position, receipt.replayed) == (2, False)


async def test_a_connection_that_went_stale_costs_no_request(postgres_url: str) -> None:
    store = Opened(postgres_url)
    store.sequencer.start()
    await store.append(registered("one"))
    admin(
        postgres_url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
    )
    (receipt,) = await store.append(planned("one", "v1"))
    assert receipt.position == 2
    await store.close()


async def test_a_head_that_stays_locked_makes_the_store_unavailable_and_not_wrong(opened: Open) -> None:
    async with opened() as store, opened() as other:
        await store.append(registered("one"))
        other.writing.dispose()
        with other.writing.begin() as connection:
            connection.execute(log_head.select().with_for_update())
            if store.writing.dialect.name == "postgresql":
                with store.writing.connect() as pooled:  # the pool has one connection: this is the writer's
                    pooled.execute(text("SET lock_timeout = '50ms'"))
                    pooled.commit()
            else:
                store.writing.dispose()
                event.listen(store.writing, "connect", lambda raw, _: raw.execute("PRAGMA busy_timeout = 50"))
            with pytest.raises(Unavailable):
                await store.append(planned("one", "v1"))
        (receipt,) = await store.append(planned("one", "v1"))
        assert receipt.position == 2


async def test_a_database_that_was_away_is_used_again_when_it_is_back(postgres_url: str) -> None:
    store = Opened(postgres_url)
    store.sequencer.start()
    await store.append(registered("one"))
    database = postgres_url.split("?", maxsplit=1)[0].rsplit("/", 1)[1]
    server = postgres_url.replace(database, "postgres")
    admin(
        server,
        f"ALTER DATABASE {database} ALLOW_CONNECTIONS false",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{database}'",
    )
    with pytest.raises(Unavailable):
        await store.append(planned("one", "v1"))
    admin(server, f"ALTER DATABASE {database} ALLOW_CONNECTIONS true")
    (receipt,) = await store.append(planned("one", "v1"))
    assert receipt.position == 2
    await store.close()
