"""A live stream is for whoever may listen, for as long as they may: it ends with the key, session or token behind it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, text

from api.conftest import planned, problem, registered, serving
from api.guarded import Guarded, bearer, guarding
from api.listening import Listening, listening
from issuing import AUDIENCE, issuing
from registry.access import ADMIN, EVENTS_READ, EVENTS_WRITE
from registry.api import streams
from registry.api.streams import OPENED
from registry.errors import Unavailable
from registry.http import keys
from registry.http.sessions import PLAIN
from registry.http.tokens import LEEWAY
from registry.store.api_keys import listed, revoke

YEAR = 366 * 86400


@pytest.fixture(autouse=True)
def watching(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is looked often whether those who listen still may."""
    monkeypatch.setattr(streams, "WATCH", 0.01)


@pytest.fixture
async def guarded(database_url: str) -> AsyncIterator[Guarded]:
    async with guarding(database_url) as service:
        yield service


def heard_by(service: Guarded, headers: dict[str, str]) -> AbstractAsyncContextManager[Listening]:
    return listening(service.app, **{name.lower(): value for name, value in headers.items()})


async def ended(client: Listening) -> None:
    await client.until(lambda one: one.ended)


def later(seconds: float) -> Any:
    """What stands in for the module ``time``, when so much of it has passed."""
    return SimpleNamespace(monotonic=time.monotonic, time=lambda: time.time() + seconds)


async def session(service: Guarded, key: str) -> dict[str, str]:
    return {"Cookie": f"{PLAIN}={await service.app.state.sessions.begin(key)}"}


async def test_a_stream_ends_when_its_key_is_revoked_and_those_of_others_go_on(
    guarded: Guarded, writing: Engine
) -> None:
    poster = guarded.holder(EVENTS_WRITE, label="a poster")
    leaked, other = guarded.holder(EVENTS_READ, label="leaked"), guarded.holder(EVENTS_READ, label="other")
    async with heard_by(guarded, leaked) as one, heard_by(guarded, other) as two:
        await guarded.post(registered(), **poster)
        for client in (one, two):
            await client.hears(1)
        (id,) = (row.id for row in listed(writing) if row.label == "leaked")
        revoke(writing, id)  # as another process does
        await ended(one)
        await guarded.post(planned("visit-1"), **poster)
        await two.hears(2)
        assert one.positions == [1]
    problem(await guarded.get("/events", headers=leaked), 401, "unauthenticated")


async def test_nothing_that_waits_is_sent_after_the_revocation(guarded: Guarded, writing: Engine) -> None:
    reader, poster = guarded.holder(EVENTS_READ), guarded.holder(EVENTS_WRITE, label="a poster")
    async with heard_by(guarded, reader) as client:
        (stream,) = guarded.app.state.streams.open
        client.stall()
        for n in range(3):
            await guarded.post(registered(subject=f"one-{n}", id=str(n)), **poster)
            async with asyncio.timeout(20):
                while stream.seen <= n and guarded.app.state.streams._position <= n:
                    await asyncio.sleep(0.001)
        (id,) = (row.id for row in listed(writing) if row.label == "a test")
        revoke(writing, id)
        async with asyncio.timeout(20):
            while not stream.refused:
                await asyncio.sleep(0.001)
        client.go_on()
        await ended(client)
        assert 3 not in client.positions
        assert b"go on behind this" not in client.body


async def test_a_stream_ends_when_the_last_day_of_its_key_is_over(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with guarding(sqlite_url) as service:
        for_ever = service.holder(EVENTS_READ, label="for ever")
        today = service.holder(EVENTS_READ, expires=datetime.now(UTC).date())
        async with heard_by(service, for_ever) as one, heard_by(service, today) as other:
            monkeypatch.setattr(keys, "time", later(YEAR))
            await ended(other)
            assert not one.ended


async def test_a_stream_of_a_page_ends_when_its_session_does_and_is_no_use_of_it(
    guarded: Guarded, writing: Engine
) -> None:
    key = guarded.key(EVENTS_READ)
    async with (
        heard_by(guarded, (first := await session(guarded, key))) as one,
        heard_by(guarded, await session(guarded, key)) as other,
    ):
        with writing.begin() as connection:
            connection.execute(text("UPDATE page_session SET used_at = used_at - 120000000"))
            used = connection.scalars(text("SELECT used_at FROM page_session ORDER BY hash")).all()
        sessions = guarded.app.state.sessions
        sessions._known.clear()
        async with asyncio.timeout(20):
            while len(sessions._known) < 2:  # both have been looked at again
                await asyncio.sleep(0.001)
        assert not sessions._notes
        with writing.connect() as connection:
            found = connection.scalars(text("SELECT used_at FROM page_session ORDER BY hash")).all()
        assert found == used
        await sessions.end(first["Cookie"].partition("=")[2])
        await ended(one)
        assert not other.ended
        (row,) = listed(writing)
        revoked = await guarded.client.delete(f"/keys/{row.id}", headers=guarded.holder(ADMIN))
        assert revoked.status_code == 200
        await ended(other)


async def test_a_stream_ends_with_its_token(sqlite_url: str) -> None:
    with issuing() as provider:
        settings = {"oidc_issuer": provider.url, "oidc_audience": AUDIENCE}
        about_to_end = provider.token(exp=int(time.time()) + 2 - LEEWAY)
        async with (
            guarding(sqlite_url, **settings) as service,
            heard_by(service, bearer(about_to_end)) as one,
            heard_by(service, bearer(provider.token())) as other,
        ):
            await ended(one)
            assert not other.ended


async def test_whoever_has_shown_nothing_is_not_looked_at_again(sqlite_url: str) -> None:
    for settings in ({"auth": "off"}, {"auth": "on", "public_read": True}):
        async with serving(sqlite_url, **settings) as service, listening(service.app):
            (stream,) = service.app.state.streams.open
            assert stream.permitted is None


async def test_with_auth_off_what_was_shown_does_not_matter(sqlite_url: str) -> None:
    async with serving(sqlite_url) as service:
        assert await service.app.state.gate.holds({"headers": []}, service.app.state.principal)


@pytest.mark.parametrize("error", [Unavailable("the database cannot be reached"), RuntimeError("a fault")])
async def test_streams_go_on_while_it_cannot_be_found_out_whether_they_may(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failed: list[Any] = []

    async def fail(*given: Any) -> bool:
        failed.append(given)
        raise error

    async with guarding(sqlite_url) as service:
        poster = service.holder(EVENTS_WRITE, label="a poster")
        monkeypatch.setattr(service.app.state.gate, "holds", fail)
        async with heard_by(service, service.holder(EVENTS_READ)) as client:
            async with asyncio.timeout(20):
                while len(failed) < 3:
                    await asyncio.sleep(0.001)
            await service.post(registered(), **poster)
            await client.hears(1)
            assert client.body.startswith(OPENED)
