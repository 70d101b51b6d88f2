"""Every route is walked with every kind of credentials, and lets in whom the table lets in, and nobody else."""

import re
from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from api.conftest import Service
from api.guarded import Guarded, bearer, guarding
from issuing import AUDIENCE, OTHER_RSA_KEY, Issuing, issuing, unsigned
from registry.access import AGREEMENTS_READ, EVENTS_READ, SCOPES
from registry.http.access import OPEN_TO_ALL, ROUTES, SUBSCRIBED
from registry.http.sessions import PLAIN
from registry.store.api_keys import revoke
from registry.store.database import open_writer
from registry.store.key_text import id_of, new_key

Route = tuple[str, str]
Walker = tuple[dict[str, str], frozenset[str] | None]
"""The headers of whoever walks, and the scopes that they hold; None when the credentials do not hold."""

ALSO: dict[Route, frozenset[str]] = {
    ("GET", "/log/bundle"): frozenset({AGREEMENTS_READ}),
}
"""Scopes that a route asks for itself, beside the one of the table."""
BOARD = "/ as a page"
"""What browsers get instead of the index, which is open to all."""
HERE = {"Sec-Fetch-Site": "same-origin"}
"""Forms are taken from pages of the registry alone, whoever sends them."""
PASSWORD = "every scope, as a password"
"""Calendars and feeds take this, and nothing else does."""
HEADED = ("nobody", "every scope", PASSWORD)
"""Who asks for HEAD as well."""
FILLED = {"id": "abc-def", "position": "1", "a": "pak", "b": "slv", "tile": "0/000", "file": "x.schema.json"}
_PARAMETER = re.compile(r"\{(\w+):\w+\}")


@pytest.fixture(scope="module")
def provider() -> Iterator[Issuing]:
    with issuing() as provider:
        yield provider


def routes_of(service: Service) -> set[Route]:
    return {
        (method, route.path)
        for route in service.app.routes
        for method in route.methods
        if method not in ("HEAD", "OPTIONS")
    }


def bad_key(service: Guarded, monkeypatch: pytest.MonkeyPatch, kind: str) -> str:
    """A key that does not let its holder in, whatever its scopes."""
    engine = open_writer(service.app.state.settings.database)
    key = service.key(*SCOPES, label=kind)
    id = id_of(key)
    assert id is not None
    if kind == "revoked":
        revoke(engine, id)
    elif kind == "expired":
        with engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE api_key SET ends_at = 1 WHERE id = '{id}'")
    elif kind == "forged":  # the id of a key that works, with another secret and a right checksum
        with monkeypatch.context() as patched:
            patched.setattr("registry.store.key_text.secrets.token_hex", lambda _: id)
            _, key = new_key()
    else:
        key = key[:-1] + ("x" if key[-1] != "x" else "y")
    engine.dispose()
    return key


def bad_tokens(provider: Issuing) -> dict[str, str]:
    """Tokens that let nobody in, though they claim every scope."""
    claims: dict[str, Any] = {"scope": " ".join(SCOPES)}
    good = provider.token(**claims)
    return {
        "token that has expired": provider.token(exp=1, **claims),
        "token for another audience": provider.token(aud="https://another.test/", **claims),
        "token of another issuer": provider.token(iss="https://another.test/", **claims),
        "token of another key": provider.token(OTHER_RSA_KEY, **claims),
        "token of an unknown key": provider.token(headers={"kid": "unknown"}, **claims),
        "token that nobody signed": unsigned(good),
        "token without its signature": good.rpartition(".")[0] + ".",
    }


async def walkers(service: Guarded, provider: Issuing, monkeypatch: pytest.MonkeyPatch) -> dict[str, Walker]:
    every = frozenset(SCOPES)
    found: dict[str, Walker] = {
        "nobody": ({}, None),
        "basic": ({"Authorization": "Basic dXNlcjpwYXNz"}, None),
        "every scope": (service.holder(*SCOPES, label="every scope"), every),
        "token of every scope": (bearer(provider.token(scope=" ".join(SCOPES))), every),
        "token of one scope": (
            bearer(provider.token(scope=f"openid {EVENTS_READ}")),
            frozenset({EVENTS_READ}),
        ),
        "token without scopes": (bearer(provider.token(scope="openid")), frozenset()),
        "session that is over": ({"Cookie": f"{PLAIN}={'A' * 43}"}, None),
    }
    plain = b":" + service.key(*SCOPES, label=PASSWORD).encode()
    found[PASSWORD] = ({"Authorization": f"Basic {b64encode(plain).decode()}"}, every)
    for scope in SCOPES:
        found[scope] = (service.holder(scope, label=scope), frozenset({scope}))
    for kind in ("revoked", "expired", "forged", "mistyped"):
        found[f"key that is {kind}"] = (bearer(bad_key(service, monkeypatch, kind)), None)
    for kind, token in bad_tokens(provider).items():
        found[kind] = (bearer(token), None)
    cookie = await service.app.state.sessions.begin(service.key(EVENTS_READ, label="signed in"))
    signed_in = {"Cookie": f"{PLAIN}={cookie}", "Sec-Fetch-Site": "same-origin"}
    found["signed in"] = (signed_in, frozenset({EVENTS_READ}))
    return found


async def walked(service: Guarded, found: dict[str, Walker], *, public: bool = False) -> list[str]:
    """Ask every route in every way; tell where the answer is not that of the table."""
    wrong = []
    for kind, (headers, scopes) in found.items():
        for (method, path), needs in [*ROUTES.items(), (("GET", BOARD), AGREEMENTS_READ)]:
            accept = {"Accept": "text/html" if path == BOARD else "application/json"}
            asked = _PARAMETER.sub(
                lambda match: FILLED.get(match[1], "unknown"), path.removesuffix(BOARD[1:])
            )
            for each in ("GET", "HEAD") if method == "GET" and kind in HEADED else (method,):
                response = await service.client.request(each, asked, headers=HERE | headers | accept)
                status = 401 if asks_to_sign_in(response) else response.status_code
                known = None if kind == PASSWORD and path not in SUBSCRIBED else scopes
                expected = answer(needs, ALSO.get((method, path), frozenset()), known, public=public)
                if expected != (status if status in (401, 403) else None) or status == 500:
                    wrong.append(f"{kind}: {each} {path} is {status}, not {expected or 'let in'}")
    return wrong


def asks_to_sign_in(response: httpx.Response) -> bool:
    """Tell whether somebody is shown the way to a key: what a 401 says to programs."""
    return response.status_code == 303 and response.headers["Location"].startswith("/sign-in")


def answer(
    needs: str, also: frozenset[str], scopes: frozenset[str] | None, *, public: bool = False
) -> int | None:
    """The status that refuses somebody; None for whoever is let in."""
    if needs == OPEN_TO_ALL:
        return None
    if scopes is None:
        return 401
    if {needs, *also} <= scopes:
        return None
    return 401 if public else 403


async def test_every_route_has_its_line_in_the_table_and_no_line_is_left_over(sqlite_url: str) -> None:
    async with guarding(sqlite_url) as service:
        assert routes_of(service) == set(ROUTES)
    assert set(ROUTES.values()) <= {*SCOPES, OPEN_TO_ALL}


async def test_every_route_lets_in_whom_the_table_lets_in(
    sqlite_url: str, provider: Issuing, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with guarding(
        sqlite_url, oidc_issuer=provider.url, oidc_audience=AUDIENCE, failure_rate=0
    ) as service:
        found = await walkers(service, provider, monkeypatch)
        assert await walked(service, found) == []


async def test_public_reading_opens_two_scopes_to_whoever_shows_nothing(sqlite_url: str) -> None:
    async with guarding(sqlite_url, public_read=True) as service:
        nobody: Walker = ({}, frozenset({AGREEMENTS_READ, EVENTS_READ}))
        over: Walker = ({"Cookie": f"{PLAIN}={'A' * 43}"}, nobody[1])
        assert await walked(service, {"anybody": nobody, "whose session is over": over}, public=True) == []
        assert await walked(service, {"bad key": (bearer("guess"), None)}) == []
