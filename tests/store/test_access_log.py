import asyncio

import pytest
from sqlalchemy import Engine, exc, text

from registry.errors import Unavailable
from registry.store.access_log import Access, AccessLog, read_accesses, write_accesses

READ = Access(
    at=5, principal="3d3c7f2e", what="GET /events", position=7, asked="00" * 32, reason="a request for access"
)


def written(engine: Engine, **which: int) -> list[tuple[int, Access]]:
    with engine.connect() as connection:
        return read_accesses(connection, **which)


def test_what_is_written_is_read_again_in_its_order(writing: Engine, reading: Engine):
    write_accesses(writing, [READ, Access(at=6, principal="p", what="GET /log/bundle", agreement="a-b")])
    write_accesses(writing, [Access(at=7, principal="p", what="registry export")])
    found = written(reading)
    assert [access.what for _, access in found] == ["GET /events", "GET /log/bundle", "registry export"]
    assert found[0][1] == READ
    assert found[1][1].agreement == "a-b"
    numbers = [n for n, _ in found]
    assert numbers == sorted(set(numbers))
    assert [access.at for _, access in written(reading, since=6)] == [6, 7]
    assert [n for n, _ in written(reading, after=numbers[0], limit=1)] == numbers[1:2]


@pytest.mark.parametrize("change", ["UPDATE access_log SET reason = 'x'", "DELETE FROM access_log"])
def test_what_is_written_neither_changes_nor_goes(change: str, writing: Engine):
    write_accesses(writing, [READ])
    with pytest.raises(exc.DBAPIError, match="refused: the log only grows"), writing.begin() as connection:
        connection.execute(text(change))


@pytest.mark.postgres
def test_truncating_is_refused(postgres_url: str):
    from registry.store.database import open_writer

    engine = open_writer(postgres_url)
    with pytest.raises(exc.DBAPIError, match=r"TRUNCATE .*refused"), engine.begin() as connection:
        connection.execute(text("TRUNCATE access_log"))
    engine.dispose()


async def test_many_at_once_share_their_transactions(
    writing: Engine, reading: Engine, monkeypatch: pytest.MonkeyPatch
):
    groups: list[int] = []

    def counted(engine: Engine, accesses) -> None:
        groups.append(len(accesses))
        write_accesses(engine, accesses)

    monkeypatch.setattr("registry.store.access_log.write_accesses", counted)
    async with AccessLog(writing) as log:
        await asyncio.gather(*(log.write(READ) for _ in range(50)))
        assert len(written(reading)) == 50
    assert sum(groups) == 50
    assert len(groups) <= 2


async def test_closing_waits_for_what_is_being_written(writing: Engine, reading: Engine):
    async with AccessLog(writing) as log:
        waiting = asyncio.create_task(log.write(READ))
        await asyncio.sleep(0)
    await waiting
    assert len(written(reading)) == 1


async def test_who_waits_is_told_when_it_cannot_be_written(writing: Engine, monkeypatch: pytest.MonkeyPatch):
    def failing(_engine: Engine, _accesses) -> None:
        raise Unavailable("the database cannot be reached")

    with monkeypatch.context() as patch:
        patch.setattr("registry.store.access_log.write_accesses", failing)
        async with AccessLog(writing) as log:
            told = await asyncio.gather(log.write(READ), log.write(READ), return_exceptions=True)
    assert [type(one) for one in told] == [Unavailable, Unavailable]
    async with AccessLog(writing) as log:
        await log.write(READ)


async def test_who_goes_while_it_is_written_holds_up_nobody(writing: Engine, reading: Engine):
    async with AccessLog(writing) as log:
        gone = asyncio.create_task(log.write(READ))
        await asyncio.sleep(0)
        stays = asyncio.create_task(log.write(READ))
        gone.cancel()
        await stays
    assert len(written(reading)) == 2
