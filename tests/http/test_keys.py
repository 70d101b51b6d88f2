"""The ring of keys: who is let in by one, how soon a change is seen, and what a flood of false keys costs."""

import asyncio
import logging
import math
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from hashlib import sha256

import pytest

from registry.access import KEY, Principal
from registry.errors import Unavailable
from registry.http import keys as module
from registry.http.credentials import Unauthenticated
from registry.http.keys import FRESH, STALE, KeyRing
from registry.store.api_keys import LiveKey, Stamp
from registry.store.key_text import new_key


def live(id: str, text: str, *, ends: float = math.inf, last_used: str = "") -> LiveKey:
    principal = Principal(id=f"principal of {id}", kind=KEY, label="a test", scopes=frozenset({"admin"}))
    return LiveKey(id, sha256(text.encode()).digest(), principal, ends, last_used)


class Database:
    """Keys to read, and what was asked of them."""

    def __init__(self) -> None:
        self.keys: dict[str, LiveKey] = {}
        self.changes = 0
        self.reads = 0
        self.gone = False
        self.noted: list[tuple[str, str]] = []

    def add(self, **key: object) -> tuple[str, str]:
        id, text = new_key()
        self.keys[id] = live(id, text, **key)  # type: ignore[arg-type]
        self.changes += 1
        return id, text

    def revoke(self, id: str) -> None:
        del self.keys[id]
        self.changes += 1

    def read(self, known: Stamp | None) -> tuple[Stamp, list[LiveKey] | None]:
        self.reads += 1
        if self.gone:
            raise Unavailable("the database cannot be reached")
        stamp = (self.changes, 0)
        return stamp, None if stamp == known else list(self.keys.values())

    def note(self, ids: Collection[str], day: str) -> None:
        if self.gone:
            raise Unavailable("the database cannot be reached")
        self.noted += [(id, day) for id in ids]


class Clock:
    """Stands in for the module ``time``."""

    def __init__(self) -> None:
        self.at = 1000.0

    def monotonic(self) -> float:
        return self.at

    time = monotonic


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def database() -> Database:
    return Database()


@asynccontextmanager
async def opened(database: Database) -> AsyncIterator[KeyRing]:
    ring = KeyRing(database.read, database.note)
    yield ring
    await ring.close()


async def refused(ring: KeyRing, text: str) -> str:
    with pytest.raises(Unauthenticated) as error:
        await ring.find(text.encode())
    assert 'error="invalid_token"' in error.value.challenge
    assert text not in error.value.detail
    return error.value.detail


async def settled(ring: KeyRing) -> None:
    """Wait for whatever the ring does beside what is answered."""
    while ring._tasks:
        await asyncio.gather(*ring._tasks, return_exceptions=True)


async def test_a_key_lets_its_holder_in_and_the_database_is_not_asked_each_time(
    clock: Clock, database: Database
) -> None:
    id, text = database.add()
    async with opened(database) as ring:
        for _ in range(100):
            assert (await ring.find(text.encode())).principal.id == f"principal of {id}"
    assert database.reads == 1


async def test_a_mistyped_key_is_told_from_a_wrong_one(clock: Clock, database: Database) -> None:
    _, text = database.add()
    _, unknown = new_key()
    async with opened(database) as ring:
        assert "mistyped" in await refused(ring, text[:-1] + ("a" if text[-1] != "a" else "b"))
        assert "mistyped" in await refused(ring, "guess")
        clock.at += 0.2
        assert "not known" in await refused(ring, unknown)
    assert database.reads == 2


async def test_another_secret_for_a_known_id_does_not_ask_the_database(
    clock: Clock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, text = database.add()
    monkeypatch.setattr("registry.store.key_text.secrets.token_hex", lambda _: id)
    forged_id, forged = new_key()
    assert (forged_id, forged != text) == (id, True)
    async with opened(database) as ring:
        await ring.find(text.encode())
        assert "not known" in await refused(ring, forged)
    assert database.reads == 1


async def test_a_revocation_is_seen_within_two_seconds(clock: Clock, database: Database) -> None:
    id, text = database.add()
    async with opened(database) as ring:
        await ring.find(text.encode())
        database.revoke(id)
        clock.at += STALE + 0.1
        assert "revoked" in await refused(ring, text)
    assert STALE < 2


async def test_a_ring_in_use_is_read_again_beside_the_answers(clock: Clock, database: Database) -> None:
    id, text = database.add()
    async with opened(database) as ring:
        await ring.find(text.encode())
        database.revoke(id)
        clock.at += FRESH + 0.1
        await ring.find(text.encode())  # nobody waits for the look
        await ring.find(text.encode())
        await settled(ring)
        assert database.reads == 2
        clock.at += 0.2
        await refused(ring, text)


async def test_a_new_key_works_at_once(clock: Clock, database: Database) -> None:
    _, first = database.add()
    async with opened(database) as ring:
        await ring.find(first.encode())
        _, second = database.add()
        clock.at += 0.2
        await ring.find(second.encode())


async def test_a_flood_of_unknown_keys_shares_its_looks_at_the_database(
    clock: Clock, database: Database
) -> None:
    database.add()
    async with opened(database) as ring:
        await ring.fresh()
        clock.at += 0.2
        flood = [refused(ring, new_key()[1]) for _ in range(500)]
        assert len(await asyncio.gather(*flood)) == 500
    assert database.reads == 2


async def test_looks_at_the_database_are_kept_apart(database: Database) -> None:
    began = asyncio.get_running_loop().time()
    async with opened(database) as ring:
        for _ in range(3):
            await refused(ring, new_key()[1])
    assert asyncio.get_running_loop().time() - began >= 3 * module.APART


async def test_a_key_stops_working_when_its_last_day_is_over(clock: Clock, database: Database) -> None:
    id, text = database.add(ends=1001.0)
    async with opened(database) as ring:
        await ring.find(text.encode())
        assert await ring.by_id(id) is not None
        clock.at = 1001.0
        assert "expired" in await refused(ring, text)
        assert await ring.by_id(id) is None
        assert await ring.by_id("unknown") is None


async def test_without_the_database_nobody_is_let_in_for_long(clock: Clock, database: Database) -> None:
    _, text = database.add()
    async with opened(database) as ring:
        await ring.find(text.encode())
        database.gone = True
        clock.at += FRESH + 0.1
        await ring.find(text.encode())
        await settled(ring)
        clock.at += STALE
        with pytest.raises(Unavailable):
            await ring.find(text.encode())
        database.gone = False
        await ring.find(text.encode())


async def test_the_use_of_a_key_is_noted_once_a_day(
    clock: Clock, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    id, text = database.add()
    _, used_today = database.add(last_used="9999-12-31")
    async with opened(database) as ring:
        for _ in range(3):
            await ring.find(text.encode())
            await ring.find(used_today.encode())
        await settled(ring)
        assert [noted for noted, _ in database.noted] == [id]
        ring._day = "2000-01-01"
        clock.at += STALE + 0.1
        await ring.find(text.encode())
        await settled(ring)
    assert [noted for noted, _ in database.noted] == [id, id]
    assert database.noted[0] == database.noted[1]


async def test_a_use_that_cannot_be_noted_is_said_without_the_key(
    clock: Clock, database: Database, caplog: pytest.LogCaptureFixture
) -> None:
    id, text = database.add()
    async with opened(database) as ring:
        await ring.fresh()
        database.gone = True
        with caplog.at_level(logging.WARNING):
            await ring.find(text.encode())
            await settled(ring)
    assert id in caplog.text
    assert text not in caplog.text


async def test_closing_leaves_nothing_running(clock: Clock, database: Database) -> None:
    async with opened(database) as ring:
        waiting = asyncio.create_task(ring.anew())
        await asyncio.sleep(0)
    with pytest.raises(asyncio.CancelledError):
        await waiting
