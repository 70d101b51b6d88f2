"""Sessions of the pages: signing in and out, how long, from where, and on which replica."""

from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from typing import Any

import pytest
from sqlalchemy import Engine, text

from api.conftest import problem, registered
from api.guarded import Guarded, bearer, guarding
from registry.access import ADMIN, EVENTS_READ, EVENTS_WRITE
from registry.errors import Unavailable
from registry.http.answer import Asked
from registry.http.credentials import Unauthenticated
from registry.http.sessions import MOST_KNOWN, close_session, is_from_here, open_session
from registry.store import page_sessions
from registry.store.api_keys import listed, now, revoke
from registry.store.page_sessions import COARSE, IDLE, LONGEST, find, hashed, note_used, open_one

HERE = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
async def guarded(database_url: str) -> AsyncIterator[Guarded]:
    async with guarding(database_url) as service:
        yield service


def asked(service: Guarded, scheme: str = "http", **headers: str) -> Asked:
    """A request, as a page gets it."""
    raw = [(name.replace("_", "-").lower().encode(), value.encode()) for name, value in headers.items()]
    scope: Any = {
        "type": "http",
        "method": "POST",
        "scheme": scheme,
        "headers": raw,
        "litestar_app": service.app,
    }
    return Asked(scope)


async def signed_in(service: Guarded, key: str) -> dict[str, str]:
    """Sign in, and give the header that a browser sends from then on."""
    (cookie,) = SimpleCookie(await open_session(asked(service), key)).values()
    return {"Cookie": f"other=1; {cookie.key}={cookie.value}; another=2"}


async def test_whoever_has_signed_in_is_known_by_the_cookie(guarded: Guarded) -> None:
    cookie = await signed_in(guarded, guarded.key(EVENTS_READ))
    for _ in range(2):
        assert (await guarded.get("/events", headers=cookie)).status_code == 200
    problem(await guarded.get("/projections", headers=cookie), 403, "forbidden")


async def test_a_session_holds_on_every_replica(guarded: Guarded) -> None:
    cookie = await signed_in(guarded, guarded.key(EVENTS_READ))
    if "sqlite" in guarded.app.state.settings.database:
        pytest.skip("SQLite has one process")
    async with guarding(guarded.app.state.settings.database) as other:
        assert (await other.get("/events", headers=cookie)).status_code == 200


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(guarded: Guarded) -> None:
    key = guarded.key(EVENTS_READ)
    plain = await open_session(asked(guarded), key)
    assert plain.startswith("registry_session=")
    assert plain.endswith(f"; Path=/; Max-Age={LONGEST}; HttpOnly; SameSite=Strict")
    for request in (asked(guarded, "https"), asked(guarded, X_Forwarded_Proto="https")):
        secure = await open_session(request, key)
        assert secure.startswith("__Host-registry_session=")
        assert secure.endswith("; HttpOnly; SameSite=Strict; Secure")


async def test_the_cookie_is_not_the_key_and_only_its_hash_is_kept(guarded: Guarded, reading: Engine) -> None:
    key = guarded.key(EVENTS_READ)
    cookie = (await signed_in(guarded, key))["Cookie"].split("registry_session=")[1].split(";")[0]
    assert len(cookie) == 43
    assert cookie not in key
    with reading.connect() as connection:
        (row,) = connection.execute(text("SELECT * FROM page_session")).all()
    assert bytes(row.hash) == hashed(cookie)
    assert cookie not in str(row)


async def test_a_false_key_opens_no_session(guarded: Guarded) -> None:
    for key in ("guess", "k\u00e4se", ""):
        with pytest.raises(Unauthenticated):
            await open_session(asked(guarded), key)


async def test_signing_out_ends_the_session(guarded: Guarded) -> None:
    cookie = await signed_in(guarded, guarded.key(EVENTS_READ))
    assert (await guarded.get("/events", headers=cookie)).status_code == 200
    gone = await close_session(asked(guarded, Cookie=cookie["Cookie"]))
    assert "registry_session=; Path=/; Max-Age=0" in gone
    problem(await guarded.get("/events", headers=cookie), 401, "unauthenticated")
    assert "Max-Age=0" in await close_session(asked(guarded))


async def test_a_session_ends_with_its_key(guarded: Guarded) -> None:
    cookie = await signed_in(guarded, guarded.key(EVENTS_READ))
    assert (await guarded.get("/events", headers=cookie)).status_code == 200
    (row,) = guarded.app.state.api_keys.listed()
    revoked = await guarded.client.delete(f"/keys/{row.id}", headers=guarded.holder(ADMIN))
    assert revoked.status_code == 200
    problem(await guarded.get("/events", headers=cookie), 401, "unauthenticated")


@pytest.mark.parametrize("value", ["", "short", "A" * 43, "A" * 44, "\u00e4" * 43])
async def test_a_cookie_that_is_no_session_is_as_good_as_none(sqlite_url: str, value: str) -> None:
    cookie = [(b"cookie", f"registry_session={value}".encode("latin-1"))]
    async with guarding(sqlite_url) as service:
        refused = await service.client.get("/events", headers=cookie)
        problem(refused, 401, "unauthenticated")
        assert "invalid_token" not in refused.headers["WWW-Authenticate"]
    async with guarding(sqlite_url, public_read=True) as service:
        assert (await service.client.get("/events", headers=cookie)).status_code == 200


async def test_a_token_counts_before_the_cookie(guarded: Guarded) -> None:
    cookie = await signed_in(guarded, guarded.key(EVENTS_READ))
    problem(await guarded.get("/events", headers=cookie | bearer("guess")), 401, "unauthenticated")


async def test_what_changes_something_must_come_from_a_page_of_the_registry(guarded: Guarded) -> None:
    cookie = await signed_in(guarded, guarded.key(EVENTS_WRITE, EVENTS_READ))
    for elsewhere in (
        {},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://elsewhere.test"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://registry.test"},
    ):
        refused = await guarded.post(registered(), **cookie, **elsewhere)
        problem(refused, 403, "cross-site")
        assert (await guarded.get("/events", headers=cookie | elsewhere)).status_code == 200
    assert (await guarded.post(registered(), **cookie, **HERE)).status_code == 201
    from_here = {"Origin": "http://registry.test"}
    assert (await guarded.post(registered(), **cookie, **from_here)).status_code == 200


@pytest.mark.parametrize(
    ("origin", "host", "here"),
    [
        (b"https://registry.test", b"registry.test", True),
        (b"https://registry.test:8443", b"registry.test:8443", True),
        (b"https://registry.test:8443", b"registry.test", False),
        (b"https://[::1]:8000", b"[::1]:8000", True),
        (b"https://[::1", b"[::1", False),
        (b"", b"", False),
        (b"https://k\xc3\xa4se.test", b"k\xc3\xa4se.test", False),
    ],
)
def test_an_origin_is_compared_with_the_host_that_was_asked(origin: bytes, host: bytes, here: bool) -> None:
    assert is_from_here({"headers": [(b"origin", origin), (b"host", host)]}) is here


def test_a_session_is_over_when_it_is_idle_or_old(
    writing: Engine, reading: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    began = now()
    cookie = open_one(writing, "a key")

    def at(seconds: float) -> None:
        monkeypatch.setattr(page_sessions, "now", lambda: began + int(seconds * 1_000_000))

    fresh = find(reading, cookie)
    assert fresh is not None
    assert (fresh.key_id, fresh.stale) == ("a key", False)
    at(COARSE + 1)
    assert (found := find(reading, cookie)) is not None
    assert found.stale
    at(IDLE + 1)
    assert find(reading, cookie) is None
    at(IDLE - 1)
    for _ in range(20):
        note_used(writing, cookie)
        used = page_sessions.now() / 1_000_000
        at(used - began / 1_000_000 + IDLE - 1)
    assert find(reading, cookie) is None
    assert page_sessions.now() > began + LONGEST * 1_000_000
    open_one(writing, "another key")
    with reading.connect() as connection:
        assert connection.scalars(text("SELECT key_id FROM page_session")).all() == ["another key"]


async def test_the_use_of_a_session_is_written_down_now_and_then(
    guarded: Guarded, writing: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    cookie = await signed_in(guarded, guarded.key(EVENTS_READ))
    sessions = guarded.app.state.sessions
    with writing.begin() as connection:
        connection.execute(text("UPDATE page_session SET used_at = used_at - 120000000"))
        before = connection.scalar(text("SELECT used_at FROM page_session"))
    assert (await guarded.get("/events", headers=cookie)).status_code == 200
    while sessions._notes:
        for note in tuple(sessions._notes):
            await note
    with writing.connect() as connection:
        assert connection.scalar(text("SELECT used_at FROM page_session")) > before

    def gone(_: str) -> None:
        raise Unavailable("the database cannot be reached")

    monkeypatch.setattr(sessions._rows, "note_used", gone)
    with writing.begin() as connection:
        connection.execute(text("UPDATE page_session SET used_at = used_at - 120000000"))
    sessions._known.clear()
    assert (await guarded.get("/events", headers=cookie)).status_code == 200


async def test_the_sessions_that_are_remembered_are_bounded(guarded: Guarded, writing: Engine) -> None:
    sessions = guarded.app.state.sessions
    cookie = await signed_in(guarded, guarded.key(EVENTS_READ))
    sessions._known = type(sessions._known)(
        (bytes([n % 256, n // 256]), (None, 0.0)) for n in range(MOST_KNOWN)
    )
    assert (await guarded.get("/events", headers=cookie)).status_code == 200
    assert len(sessions._known) == MOST_KNOWN


async def test_a_revocation_by_another_process_ends_the_session_too(
    guarded: Guarded, writing: Engine
) -> None:
    cookie = await signed_in(guarded, guarded.key(EVENTS_READ))
    (row,) = listed(writing)
    revoke(writing, row.id)
    while (await guarded.get("/events", headers=cookie)).status_code != 401:
        pass
