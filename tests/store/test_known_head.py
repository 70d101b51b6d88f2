"""Who has appended last knows where the head is, and tries without looking; whatever else has happened shows."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event, func, select

from registry.errors import Rejected
from registry.store import writer as writing
from registry.store.head import Moved, read_head
from registry.store.insert import write
from registry.store.seal import Draft, seal
from registry.store.tables import event as event_table
from store.conftest import Open, planned, registered


@pytest.fixture
def hopeful(monkeypatch: pytest.MonkeyPatch) -> None:
    """Takes the head to be where it was left however lately another process has appended."""
    monkeypatch.setattr(writing, "ALONE", -1.0)


@contextmanager
def statements(engine: Engine) -> Iterator[list[str]]:
    """Collect the first words of every statement that is executed."""
    said: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        said.append(" ".join(statement.split())[:20].lower())

    event.listen(engine, "before_cursor_execute", note)
    try:
        yield said
    finally:
        event.remove(engine, "before_cursor_execute", note)


async def test_who_has_appended_last_neither_locks_the_head_nor_looks_back(opened: Open) -> None:
    async with opened() as store:
        with statements(store.writing) as said:
            await store.append(registered("one"))
        assert any(each.startswith("select") for each in said)
        with statements(store.writing) as said:
            (receipt,) = await store.append(planned("one", "v1"))
        assert not any(each.startswith("select") for each in said)
        assert (receipt.position, receipt.version) == (2, 2)


@pytest.mark.usefixtures("hopeful")
async def test_processes_that_take_turns_append_behind_each_other(opened: Open) -> None:
    async with opened() as one, opened() as other:
        await one.append(registered("one"))
        for n in range(2, 8, 2):
            (behind,) = await other.append(planned("one", f"v{n}"))
            (further,) = await one.append(planned("one", f"v{n + 1}"))
            assert (behind.position, behind.version) == (n, n)
            assert (further.position, further.version) == (n + 1, n + 1)
        assert one.reader.head().size == 7


async def test_once_another_has_been_met_the_head_is_looked_at_again_for_a_while(opened: Open) -> None:
    async with opened() as one, opened() as other:
        await one.append(registered("one"))
        await other.append(registered("two"))
        await one.append(registered("three"))
        with statements(one.writing) as said:
            await one.append(registered("four"))
        assert any(each.startswith("select") for each in said)


@pytest.mark.usefixtures("hopeful")
async def test_a_state_in_memory_that_is_too_old_is_found_out(opened: Open) -> None:
    async with opened() as one, opened() as other:
        await one.append(registered("one"))
        await other.append(planned("one", "v1"))
        await one.append(registered("two"))  # so the head is known again, and of the agreement nothing new
        (receipt,) = await one.append(planned("one", "v2"))
        assert (receipt.position, receipt.version) == (4, 3)


@pytest.mark.usefixtures("hopeful")
async def test_an_agreement_or_event_of_another_process_is_found_though_memory_has_neither(
    opened: Open,
) -> None:
    async with opened() as one, opened() as other:
        await one.append(registered("one"))
        (first,) = await other.append(registered("two"))
        await one.append(registered("three"))
        with pytest.raises(Rejected, match="claimed"):
            await one.append(registered("two", "another-id"))
        (again,) = await one.append(registered("two"))
        assert again.replayed
        assert again.leaf_hash == first.leaf_hash


async def test_nothing_is_inserted_behind_a_head_that_has_moved(opened: Open) -> None:
    async with opened() as store:
        with store.reading.connect() as connection:
            empty = read_head(connection)
        await store.append(registered("one"))
        sealed = seal(empty, [Draft("/a", "1", "two", 1, "agreement.registered.v1", (b"{}",))], 1)
        with store.writing.begin() as connection:
            with pytest.raises(Moved):
                write(connection, sealed)
            assert connection.scalar(select(func.count()).select_from(event_table)) == 1
        assert store.reader.head().size == 1
