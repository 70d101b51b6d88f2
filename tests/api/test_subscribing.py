"""Programs that subscribe to calendars and feeds show a key as a password, and nothing else takes one."""

import logging
import re
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator

import httpx
import icalendar
import pytest
from sqlalchemy import Engine

from api.conftest import AGREEMENT, planned, problem, registered
from api.guarded import Guarded, bearer, guarding
from cli.servers import serving
from issuing import AUDIENCE, issuing
from registry.access import ADMIN, AGREEMENTS_READ, AGREEMENTS_RESTRICTED, EVENTS_READ, EVENTS_WRITE, SCOPES
from registry.http.access import ROUTES, SUBSCRIBED
from registry.http.credentials import BASIC
from registry.http.rates import Rate, Rates
from registry.store.api_keys import KeyRequest, create, revoke
from registry.store.database import open_writer
from registry.store.key_text import id_of

BEARER = 'Bearer realm="agreement registry"'
PATHS = [
    f"{of}/{form}"
    for of in ("", f"/agreements/{AGREEMENT}", "/parties/pak")
    for form in ("calendar.ics", "feed.atom")
]
OWN = [path for path in PATHS if AGREEMENT in path]
"""Those that no read model is asked for."""
BAD = [
    "Basic",
    "Basic x",
    "Basic bm8gY29sb24=",
    "Basic YToK",
    "Basic YTpi, Basic YTpi",
    f"Basic {'YTpi' * 3000}",
]


def basic(password: str, name: str = "") -> dict[str, str]:
    """The header by which a program shows a name and a password."""
    return {"Authorization": f"Basic {b64encode(f'{name}:{password}'.encode()).decode()}"}


@pytest.fixture
async def guarded(sqlite_url: str) -> AsyncIterator[Guarded]:
    async with guarding(sqlite_url, failure_rate=0) as service:
        yield service


@pytest.fixture
async def told_on_any(database_url: str) -> AsyncIterator[Guarded]:
    async with guarding(database_url) as service:
        await service.batch(registered(), planned("visit"), **service.holder(EVENTS_WRITE, label="poster"))
        yield service


async def test_a_key_as_a_password_opens_every_calendar_and_feed(told_on_any: Guarded) -> None:
    key = told_on_any.key(AGREEMENTS_READ)
    for path in PATHS:
        asked = f"{path}?min_position=2"
        wait = {"Prefer": "wait=20"}
        by_key = await told_on_any.get(asked, headers=bearer(key) | wait)
        assert by_key.status_code == 200, by_key.text
        for name in ("", "anybody", "Zo\u00eb"):
            shown = basic(key, name) | wait
            read = await told_on_any.get(asked, headers=shown)
            assert (read.status_code, read.content) == (200, by_key.content)
            assert read.headers["Cache-Control"] == "private, no-cache"
        head = await told_on_any.head(asked, headers=shown)
        assert (head.status_code, head.headers["ETag"]) == (200, read.headers["ETag"])
        known = shown | {"If-None-Match": read.headers["ETag"]}
        assert (await told_on_any.get(asked, headers=known)).status_code == 304


@pytest.mark.parametrize("path", PATHS)
async def test_a_program_that_shows_nothing_is_asked_for_a_password_on_a_line_of_its_own(
    guarded: Guarded, path: str
) -> None:
    for asked in (guarded.get, guarded.head):
        refused = await asked(path)
        assert refused.status_code == 401
        assert refused.headers.get_list("WWW-Authenticate") == [BEARER, BASIC]
    problem(await guarded.get(path), 401, "unauthenticated")


async def test_nothing_else_asks_for_a_password_or_takes_one(guarded: Guarded) -> None:
    key = guarded.key(*SCOPES)
    assert {path for _, path in ROUTES if path.endswith((".ics", ".atom"))} == SUBSCRIBED
    for method, route in ROUTES:
        if route in SUBSCRIBED or not ROUTES[method, route]:
            continue
        path = re.sub(r"\{\w+:\w+\}", "1", route)
        for shown in (basic(key), {}):
            refused = await guarded.client.request(method, path, headers=shown)
            problem(refused, 401, "unauthenticated")
            (challenge,) = refused.headers.get_list("WWW-Authenticate")
            assert challenge.startswith(BEARER)


@pytest.mark.parametrize("path", PATHS)
async def test_nothing_is_changed_there_with_a_password(guarded: Guarded, path: str) -> None:
    shown = basic(guarded.key(*SCOPES))
    for method in ("POST", "PUT", "DELETE"):
        problem(await guarded.client.request(method, path, headers=shown), 405, "method-not-allowed")


async def test_a_browser_is_never_asked_for_a_password_and_none_is_taken_from_it(guarded: Guarded) -> None:
    going = {"Sec-Fetch-Mode": "navigate"}
    for shown in ({}, basic(guarded.key(*SCOPES))):
        refused = await guarded.get("/calendar.ics", headers=going | shown)
        problem(refused, 401, "unauthenticated")
        (challenge,) = refused.headers.get_list("WWW-Authenticate")
        assert challenge.startswith(BEARER)
    cookie = await guarded.app.state.sessions.begin(guarded.key(AGREEMENTS_READ))
    signed_in = {"Cookie": f"registry_session={cookie}"}
    assert (await guarded.get(OWN[0], headers=going | signed_in)).status_code == 404  # let in: there is none


@pytest.mark.parametrize("said", BAD)
async def test_what_is_no_name_and_password_is_a_401_that_asks_again(guarded: Guarded, said: str) -> None:
    for path in PATHS:
        refused = await guarded.get(path, headers={"Authorization": said})
        problem(refused, 401, "unauthenticated")
        assert refused.headers.get_list("WWW-Authenticate") == [f'{BEARER}, error="invalid_token"', BASIC]
        assert said[6:] not in refused.text or len(said) <= 7


async def test_two_passwords_at_once_are_refused(guarded: Guarded) -> None:
    key = guarded.key(AGREEMENTS_READ)
    for second in (basic(key), bearer(key)):
        header = [*basic(key).items(), *second.items()]
        refused = problem(await guarded.client.get(OWN[0], headers=header), 401, "unauthenticated")
        assert refused["detail"] == "Authorization is given twice"


async def test_a_key_that_does_not_hold_is_none_as_a_password_either(told_on_any: Guarded) -> None:
    key = told_on_any.key(AGREEMENTS_READ)
    assert (await told_on_any.get(OWN[0], headers=basic(key))).status_code == 200
    for bad in (key[:-1] + ("x" if key[-1] != "x" else "y"), f"{key} ", "\u00e9", "guess", key.upper()):
        problem(await told_on_any.get(OWN[0], headers=basic(bad)), 401, "unauthenticated")
    engine = open_writer(told_on_any.app.state.settings.database)
    revoke(engine, str(id_of(key)))
    engine.dispose()
    await told_on_any.app.state.gate.keys.anew()  # every replica does so within two seconds
    said = problem(await told_on_any.get(OWN[0], headers=basic(key)), 401, "unauthenticated")
    assert said["detail"] == "the key is not known, or was revoked"


async def test_a_key_without_the_scope_is_a_403(guarded: Guarded) -> None:
    refused = await guarded.get("/feed.atom", headers=basic(guarded.key(EVENTS_READ)))
    assert "agreements:read" in problem(refused, 403, "forbidden")["detail"]
    assert len(refused.headers.get_list("WWW-Authenticate")) == 1  # another password is not what is missing


async def test_a_password_is_a_key_and_never_a_token(sqlite_url: str) -> None:
    with issuing() as provider:
        async with guarding(sqlite_url, oidc_issuer=provider.url, oidc_audience=AUDIENCE) as service:
            token = provider.token(scope=AGREEMENTS_READ)
            assert (await service.get(OWN[0], headers=bearer(token))).status_code == 404
            problem(await service.get(OWN[0], headers=basic(token)), 401, "unauthenticated")


async def test_a_key_reads_as_often_as_it_may_however_it_is_shown(sqlite_url: str) -> None:
    async with guarding(sqlite_url, read_rate=1) as service:
        service.app.state.gate.rates.reads = Rate("reads", 0.001, 2)
        key = service.key(AGREEMENTS_READ)
        assert (await service.get(OWN[0], headers=bearer(key))).status_code == 404
        assert (await service.get(OWN[0], headers=basic(key))).status_code == 404
        for shown in (basic(key, "another name"), bearer(key)):
            problem(await service.get(OWN[0], headers=shown), 429, "too-often")


async def test_false_passwords_count_as_false_keys_and_hold_up_none_that_is_known(sqlite_url: str) -> None:
    async with guarding(sqlite_url, failure_rate=3) as service:
        key = service.key(AGREEMENTS_READ)
        rates: Rates = service.app.state.gate.rates
        assert (await service.get(OWN[0], headers=basic(key))).status_code == 404
        await service.get(OWN[0])  # whoever shows nothing is asked, and has guessed nothing
        assert not rates.any_failed
        for guess in range(3):
            problem(await service.get(OWN[0], headers=basic(str(guess))), 401, "unauthenticated")
        problem(await service.get(OWN[0], headers=basic("3")), 429, "too-often")
        assert (await service.get(OWN[0], headers=basic(key))).status_code == 404


async def test_a_restricted_agreement_is_there_for_whoever_may_see_it(told_on_any: Guarded) -> None:
    hide = registered() | {
        "id": "hide",
        "type": "agreement.visibility-changed.v1",
        "data": {"visibility": "restricted", "reason": "a test"},
    }
    poster = told_on_any.holder(EVENTS_WRITE, AGREEMENTS_RESTRICTED, ADMIN, label="poster")
    hidden = await told_on_any.post(hide, **poster)
    assert hidden.status_code == 201, hidden.text
    reader = told_on_any.key(AGREEMENTS_READ, label="reader")
    insider = told_on_any.key(AGREEMENTS_READ, AGREEMENTS_RESTRICTED, label="insider")
    for path in OWN:
        problem(await told_on_any.get(path, headers=basic(reader)), 404, "not-found")
        assert (await told_on_any.get(path, headers=basic(insider))).status_code == 200


async def test_where_reading_is_public_a_false_password_is_refused_all_the_same(sqlite_url: str) -> None:
    async with guarding(sqlite_url, public_read=True) as service:
        assert (await service.get(OWN[0])).status_code == 404
        refused = await service.get(OWN[0], headers=basic("guess"))
        assert refused.headers.get_list("WWW-Authenticate")[1:] == [BASIC]
        assert (await service.get(OWN[0], headers=basic(service.key(AGREEMENTS_READ)))).status_code == 404


async def test_no_password_is_logged_or_given_back(sqlite_url: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        async with guarding(sqlite_url) as service:
            key = service.key(AGREEMENTS_READ)
            answers = list[httpx.Response]()
            for shown in (basic(key, "name-of-somebody"), basic(key[:-1], "name-of-somebody")):
                answers += [await service.get(path, headers=shown) for path in (*PATHS, "/events", "/none")]
    ours = [one for one in caplog.records if not one.name.startswith(("httpx", "httpcore"))]
    said = "\n".join([*map(caplog.handler.format, ours), *(f"{one.headers} {one.text}" for one in answers)])
    secrets = {key, key[:-1], key.rpartition("_")[2], "name-of-somebody", shown["Authorization"][6:]}
    assert [secret for secret in secrets if secret in said] == []


@pytest.fixture
def subscribed(sqlite_url: str) -> Iterator[tuple[str, str]]:
    """The URL of a server that is closed, and a key that only reads agreements."""
    engine: Engine = open_writer(sqlite_url)
    _, key = create(engine, KeyRequest(label="a calendar", scopes=(AGREEMENTS_READ,)))
    _, poster = create(engine, KeyRequest(label="poster", scopes=(EVENTS_WRITE,)))
    engine.dispose()
    with serving("serve", "--port", "0", "--database", sqlite_url, auth="on") as server:
        posted = httpx.post(f"{server.url}/events", json=registered(), headers=bearer(poster) | JSON)
        assert posted.status_code == 201, posted.text
        yield server.url, key


JSON = {"Content-Type": "application/cloudevents+json"}


@pytest.mark.parametrize("path", OWN)
def test_a_client_that_waits_to_be_asked_subscribes(subscribed: tuple[str, str], path: str) -> None:
    url, key = subscribed
    passwords = urllib.request.HTTPPasswordMgrWithDefaultRealm()
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
    with pytest.raises(urllib.error.HTTPError, match="401"):
        opener.open(f"{url}{path}")
    passwords.add_password("agreement registry", url, "", key)
    with opener.open(f"{url}{path}") as answer:
        content = answer.read()
    if path.endswith(".ics"):
        assert icalendar.Calendar.from_ical(content)["VERSION"] == "2.0"
    else:
        assert content.startswith(b"<?xml")
