"""How many streams and whole lists there may be at once."""

import asyncio
from typing import Any

import pytest

from api.conftest import planned, problem, registered, serving
from api.guarded import guarding
from api.listening import listening
from registry.api import history
from registry.api.history import FIRST_PAGE, STREAM_BYTES, STREAM_PAGE, next_size

LIVE = {"Accept": "text/event-stream"}
LINES = {"Accept": "application/x-ndjson"}


async def test_there_are_so_many_streams_in_a_process_and_no_more(sqlite_url: str) -> None:
    async with serving(sqlite_url, max_streams=2) as service:
        async with listening(service.app), listening(service.app):
            refused = await service.get("/events", headers=LIVE)
            problem(refused, 503, "unavailable")
            assert refused.headers["Retry-After"] == "5"
            problem(await service.get("/events", headers=LINES), 503, "unavailable")
            problem(await service.get("/agreements", headers={"Accept": "text/csv"}), 503, "unavailable")
            assert (await service.get("/events")).status_code == 200
            assert (await service.head("/events", headers=LINES)).status_code == 200
        assert service.app.state.slots.taken == 0
        assert (await service.get("/events", headers=LINES)).status_code == 200


async def test_a_key_has_so_many_and_another_as_many(sqlite_url: str) -> None:
    async with guarding(sqlite_url, max_streams_each=1) as service:
        one, other = service.holder("events:read"), service.holder("events:read", label="another")
        async with listening(service.app, authorization=one["Authorization"]):
            refused = await service.get("/events", headers=LINES | one)
            assert "this key or token" in problem(refused, 429, "too-often")["detail"]
            assert "RateLimit" not in refused.headers
            assert (await service.get("/events", headers=LINES | other)).status_code == 200
        assert (await service.get("/events", headers=LINES | one)).status_code == 200


async def test_an_address_that_shows_nothing_has_so_many(sqlite_url: str) -> None:
    settings = {"max_streams_each": 1, "public_read": True}
    async with guarding(sqlite_url, **settings) as service, listening(service.app):
        refused = await service.get("/events", headers=LINES)
        assert "this address" in problem(refused, 429, "too-often")["detail"]


async def test_a_list_is_read_no_further_once_its_reader_has_left(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "FIRST_PAGE", 1)
    monkeypatch.setattr(history, "STREAM_PAGE", 1)
    sent: list[Any] = []
    gone = asyncio.Event()

    async def receive() -> Any:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)
        gone.set()
        await asyncio.sleep(0)

    async with serving(sqlite_url) as service:
        await service.batch(registered(), *(planned(f"visit-{n}") for n in range(20)))
        headers = [(b"accept", b"application/x-ndjson")]
        scope = {"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "GET"}
        scope |= {"path": "/events", "raw_path": b"/events", "root_path": "", "query_string": b""}
        scope |= {"headers": headers, "client": ("127.0.0.1", 1), "server": None, "scheme": "http"}
        await service.app(scope, receive, send)  # type: ignore[arg-type]
        assert len(sent) < 10
        assert all(message.get("more_body", True) for message in sent), "it has no proper end"
        assert service.app.state.slots.taken == 0


def test_pages_of_a_stream_are_as_long_as_their_events_permit() -> None:
    assert next_size(FIRST_PAGE, FIRST_PAGE * 500) == 3 * FIRST_PAGE
    assert next_size(STREAM_PAGE, STREAM_PAGE * 100) == STREAM_PAGE
    assert next_size(50, 50 * STREAM_BYTES) == 1
    assert next_size(1, 1 << 20) == 1
    assert next_size(10, 2 * STREAM_BYTES) == 5
    assert next_size(10, 0) == 30
