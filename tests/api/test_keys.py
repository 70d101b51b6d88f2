"""Keys over HTTP: what each lets its holder do, and how they are made, listed and revoked."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from api.conftest import Service, places, planned, problem, registered, signed
from api.guarded import Guarded, bearer, guarding
from registry.access import ADMIN, AGREEMENTS_READ, EVENTS_READ, EVENTS_WRITE
from registry.store.reader import Reader

DESK = {"label": "the desk", "scopes": [EVENTS_WRITE]}
TODAY = datetime.now(UTC).date()


@pytest.fixture
async def guarded(sqlite_url: str) -> AsyncIterator[Guarded]:
    async with guarding(sqlite_url) as service:
        yield service


@pytest.fixture
async def guarded_on_any(database_url: str) -> AsyncIterator[Guarded]:
    async with guarding(database_url) as service:
        yield service


async def test_a_key_lets_its_holder_do_what_its_scopes_say(guarded_on_any: Guarded) -> None:
    writer = guarded_on_any.holder(EVENTS_WRITE, label="writer")
    reader = guarded_on_any.holder(EVENTS_READ, label="reader")
    assert (await guarded_on_any.post(registered(), **writer)).status_code == 201
    assert (await guarded_on_any.get("/events/1", headers=reader)).status_code == 200
    refused = await guarded_on_any.get("/events/1", headers=writer)
    assert "events:read" in problem(refused, 403, "forbidden")["detail"]
    assert refused.headers["WWW-Authenticate"] == (
        'Bearer realm="agreement registry", error="insufficient_scope", scope="events:read"'
    )
    problem(await guarded_on_any.post(planned("visit"), **reader), 403, "forbidden")


async def test_an_event_keeps_the_random_id_of_whoever_posted_it(guarded: Guarded) -> None:
    for number, label in enumerate(("one", "one", "two")):
        key = guarded.holder(EVENTS_WRITE, label=label)
        posted = registered() if number == 0 else planned(f"visit-{number}")
        assert (await guarded.post(posted, **key)).status_code == 201
    reader: Reader = guarded.app.state.reader
    first, second, third = (row.joined().principal for row in reader.page(0, 3))
    assert first == second != third


@pytest.mark.parametrize(
    "shown",
    [
        "Basic dXNlcjpwYXNz",
        "Bearer",
        "Bearer ",
        "Bearer two words",
        "Bearer k\u00e4se",
        "Bearer guess",
        f"Bearer {'a' * 9000}",
        "agr_0000000000000000_x",
    ],
)
async def test_what_is_no_key_is_refused_and_not_repeated(guarded: Guarded, shown: str) -> None:
    header = [(b"authorization", shown.encode("latin-1"))]
    refused = await guarded.client.get("/events", headers=header)
    problem(refused, 401, "unauthenticated")
    assert refused.headers["WWW-Authenticate"] == ('Bearer realm="agreement registry", error="invalid_token"')
    assert shown.partition(" ")[2] in ("", " ") or shown.partition(" ")[2] not in refused.text


async def test_without_credentials_no_error_is_named(guarded: Guarded) -> None:
    refused = await guarded.get("/events")
    problem(refused, 401, "unauthenticated")
    assert refused.headers["WWW-Authenticate"] == 'Bearer realm="agreement registry"'


async def test_two_credentials_at_once_are_refused(guarded: Guarded) -> None:
    key = guarded.key(EVENTS_READ)
    header = [("Authorization", f"Bearer {key}"), ("Authorization", f"Bearer {key}")]
    problem(await guarded.client.get("/events", headers=header), 401, "unauthenticated")


async def test_the_scheme_is_read_whatever_its_capitals(guarded: Guarded) -> None:
    key = guarded.key(EVENTS_READ)
    assert (await guarded.get("/events", headers={"Authorization": f"bearer  {key}"})).status_code == 200


async def test_an_administrator_makes_lists_and_revokes_keys(guarded_on_any: Guarded) -> None:
    admin = guarded_on_any.holder(ADMIN, label="operator")
    wanted = DESK | {
        "sources": ["https://desk.example/"],
        "parties": ["pak"],
        "expires": (TODAY + timedelta(days=1)).isoformat(),
    }
    made = await guarded_on_any.client.post("/keys", json=wanted, headers=admin)
    assert (made.status_code, made.headers["Cache-Control"]) == (201, "no-store")
    key, row = made.json()["key"], made.json()["made"]
    assert {name: row[name] for name in wanted} == wanted
    items = (await guarded_on_any.get("/keys", headers=admin)).json()["items"]
    assert [item["label"] for item in items] == ["operator", "the desk"]
    assert key not in str(items)
    problem(await guarded_on_any.get("/events", headers=bearer(key)), 403, "forbidden")
    revoked = await guarded_on_any.client.delete(f"/keys/{row['id']}", headers=admin)
    assert revoked.json()["revoked"] is not None
    problem(await guarded_on_any.get("/events", headers=bearer(key)), 401, "unauthenticated")
    problem(await guarded_on_any.client.delete("/keys/unknown", headers=admin), 404, "not-found")


@pytest.mark.parametrize(
    ("wanted", "pointer"),
    [
        (DESK | {"label": ""}, "/label"),
        (DESK | {"scopes": ["everything"]}, "/scopes/0"),
        (DESK | {"scopes": "admin"}, "/scopes"),
        (DESK | {"sources": [7]}, "/sources/0"),
        (DESK | {"expires": "soon"}, "/expires"),
        (DESK | {"colour": "red"}, ""),
        ({"label": "x"}, ""),
    ],
)
async def test_what_makes_no_key_is_said(guarded: Guarded, wanted: dict[str, object], pointer: str) -> None:
    refused = await guarded.client.post("/keys", json=wanted, headers=guarded.holder(ADMIN))
    assert places(refused, 400, "malformed") == [pointer]


async def test_a_body_that_is_too_long_makes_no_key(guarded: Guarded) -> None:
    refused = await guarded.client.post("/keys", content=b" " * 70_000, headers=guarded.holder(ADMIN))
    problem(refused, 413, "too-large")


async def test_a_key_bound_to_sources_posts_as_these_alone(guarded: Guarded) -> None:
    key = guarded.holder(EVENTS_WRITE, sources=("https://report-b.example/", "urn:desk"))
    assert (await guarded.post(registered(), **key)).status_code == 201
    assert (await guarded.post(planned("a", source="urn:desk"), **key)).status_code == 201
    assert (await guarded.post(planned("b", source="https://report-b.example/x"), **key)).status_code == 201
    refused = await guarded.post(planned("c", source="urn:desk:2"), **key)
    body = problem(refused, 403, "not-permitted")
    assert body["rule"] == "source-not-permitted"
    assert body["errors"][0]["pointer"] == "/source"
    batch = [planned("d"), planned("e", source="https://report-c.example/")]
    body = problem(await guarded.batch(*batch, **key), 403, "not-permitted")
    assert body["errors"][0]["pointer"] == "/1/source"
    assert guarded.app.state.reader.head().size == 3


async def test_a_key_bound_to_parties_posts_about_their_agreements_alone(guarded_on_any: Guarded) -> None:
    free = guarded_on_any.holder(EVENTS_WRITE, label="free")
    pakistan = guarded_on_any.holder(EVENTS_WRITE, label="bound", parties=("pak", "ind"))
    iceland = guarded_on_any.holder(EVENTS_WRITE, label="other", parties=("isl",))
    body = problem(await guarded_on_any.post(registered(), **iceland), 403, "not-permitted")
    assert body["rule"] == "party-not-permitted"
    assert body["errors"][0]["pointer"] == "/subject"
    # About an agreement that nobody has founded it says what it says to everybody.
    unknown = problem(await guarded_on_any.post(signed(), **iceland), 409, "rejected")
    assert unknown["rule"] == "unknown-agreement"
    assert (await guarded_on_any.post(registered(), **pakistan)).status_code == 201
    assert (await guarded_on_any.post(signed(), **pakistan)).status_code == 201
    problem(await guarded_on_any.post(planned("x"), **iceland), 403, "not-permitted")
    body = problem(await guarded_on_any.batch(planned("y"), **iceland), 403, "not-permitted")
    assert body["errors"][0]["pointer"] == "/0/subject"
    assert (await guarded_on_any.post(planned("x"), **free)).status_code == 201


async def test_a_bound_is_looked_at_before_the_precondition(guarded: Guarded) -> None:
    await guarded.post(registered(), **guarded.holder(EVENTS_WRITE, label="free"))
    iceland = guarded.holder(EVENTS_WRITE, parties=("isl",))
    problem(await guarded.post(planned("x"), **iceland, If_Match='"v7"'), 403, "not-permitted")


async def test_public_reading_lets_anybody_read_and_nothing_else(sqlite_url: str) -> None:
    async with guarding(sqlite_url, public_read=True) as service:
        assert (await service.post(registered(), **service.holder(EVENTS_WRITE))).status_code == 201
        assert (await service.get("/events/1")).status_code == 200
        assert (await service.get("/agreements")).status_code in (200, 503)
        refused = await service.post(planned("visit"))
        problem(refused, 401, "unauthenticated")
        assert refused.headers["WWW-Authenticate"] == (
            'Bearer realm="agreement registry", scope="events:write"'
        )
        problem(await service.get("/projections"), 401, "unauthenticated")
        problem(await service.get("/events/1", headers=bearer("guess")), 401, "unauthenticated")
        reader = service.holder(AGREEMENTS_READ)
        problem(await service.get("/events/1", headers=reader), 403, "forbidden")


async def test_bad_credentials_close_nothing_that_is_open_to_all(guarded: Guarded) -> None:
    assert (await guarded.get("/healthz", headers=bearer("guess"))).status_code == 200
    assert (await guarded.get("/checkpoint", headers=bearer("guess"))).status_code == 200


async def test_the_day_on_which_a_key_was_used_is_listed(guarded: Guarded) -> None:
    admin = guarded.holder(ADMIN)
    await guarded.get("/keys", headers=admin)
    items = (await guarded.get("/keys", headers=admin)).json()["items"]
    while items[0]["last_used"] is None:
        items = (await guarded.get("/keys", headers=admin)).json()["items"]
    assert items[0]["last_used"] == TODAY.isoformat()


async def test_with_authentication_off_everybody_may_make_keys(service: Service) -> None:
    assert (await service.client.post("/keys", json=DESK)).status_code == 201


async def test_the_methods_of_a_resource_are_listed_whatever_handler_has_them(guarded: Guarded) -> None:
    for path, methods in (("/keys", "GET, HEAD, OPTIONS, POST"), ("/events", "GET, HEAD, OPTIONS, POST")):
        listed = await guarded.client.options(path)
        assert (listed.status_code, listed.headers["Allow"]) == (204, methods)
    listed = await guarded.client.options("/keys/0")
    assert set(listed.headers["Allow"].split(", ")) == {"DELETE", "OPTIONS"}
