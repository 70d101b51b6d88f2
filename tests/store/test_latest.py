"""An agreement read in one statement, with where the log ends."""

from typing import Any

from sqlalchemy import delete, event

from registry.store.latest import read_latest
from registry.store.tables import event_part
from store.conftest import Open, planned, registered


async def test_an_agreement_comes_in_the_order_of_its_versions_with_the_end_of_the_log(opened: Open) -> None:
    async with opened() as store:
        await store.append(registered("one"), registered("two"), planned("one", "v1"), planned("one", "v2"))
        await store.append(registered("three"))
        with store.reading.connect() as connection:
            size, events = read_latest(connection, "one", after_version=0)
        assert size == 5
        assert [(each.version, each.position) for each in events] == [(1, 1), (2, 3), (3, 4)]
        assert events == store.reader.recorded("one")


async def test_what_is_known_already_is_not_read_again(opened: Open) -> None:
    async with opened() as store:
        await store.append(registered("one"), planned("one", "v1"))
        with store.reading.connect() as connection:
            size, events = read_latest(connection, "one", after_version=1)
            assert (size, [each.version for each in events]) == (2, [2])
            assert read_latest(connection, "one", after_version=2) == (2, [])


async def test_of_what_is_not_there_only_the_end_of_the_log_is_told(opened: Open) -> None:
    async with opened() as store:
        with store.reading.connect() as connection:
            assert read_latest(connection, "one", after_version=0) == (0, [])
        await store.append(registered("one"))
        with store.reading.connect() as connection:
            assert read_latest(connection, "two", after_version=0) == (1, [])


async def test_an_event_without_any_part_left_is_there(opened: Open) -> None:
    async with opened() as store:
        await store.append(registered("one"), planned("one", "v1"))
        with store.writing.begin() as connection:
            connection.execute(delete(event_part).where(event_part.c.position == 2))
        with store.reading.connect() as connection:
            _, events = read_latest(connection, "one", after_version=0)
        assert [each.position for each in events] == [1, 2]
        assert events == store.reader.recorded("one")


async def test_an_agreement_that_is_in_no_memory_takes_one_statement(opened: Open) -> None:
    async with opened() as store:
        await store.append(registered("one"), planned("one", "v1"))
        store.states.forget("one")
        asked: list[str] = []

        @event.listens_for(store.reading, "before_cursor_execute")
        def keep(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
            if statement != "BEGIN":
                asked.append(statement)

        state, size = store.reader.latest("one")
        assert state is not None
        assert (state.version, size, len(asked)) == (2, 2, 1)
