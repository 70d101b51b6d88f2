"""Tokens of an OpenID Connect issuer: what is believed of them, and what is asked of the issuer."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import jwt
import pytest

from api.conftest import planned, problem, registered
from api.guarded import bearer, guarding
from issuing import (
    AUDIENCE,
    DISCOVERY,
    EC_KEY,
    ED_KEY,
    OTHER_RSA_KEY,
    RSA_KEY,
    WEAK_RSA_KEY,
    Issuing,
    issuing,
    jwk,
    unsigned,
)
from registry.access import TOKEN
from registry.errors import Unavailable
from registry.http import issuer as issuer_module
from registry.http import tokens as tokens_module
from registry.http.credentials import Unauthenticated
from registry.http.issuer import APART, FRESH, MOST_BYTES, STALE, Issuer
from registry.http.tokens import LEEWAY, MOST_KNOWN, TRUSTED, Tokens

NOW = int(time.time())


class Clock:
    """Stands in for the module ``time``: the days are real, the time that passes is not."""

    def __init__(self) -> None:
        self.passed = 0.0

    def monotonic(self) -> float:
        return 1000.0 + self.passed

    def time(self) -> float:
        return time.time() + self.passed


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(issuer_module, "time", clock)
    monkeypatch.setattr(tokens_module, "time", clock)
    return clock


@pytest.fixture
def provider(clock: Clock) -> Iterator[Issuing]:
    with issuing() as provider:
        yield provider


class Names:
    def __init__(self) -> None:
        self.asked: list[str] = []

    def id_of(self, name: str) -> str:
        self.asked.append(name)
        return f"the id of {name}"


@pytest.fixture
def names() -> Names:
    return Names()


@pytest.fixture
async def tokens(provider: Issuing, names: Names) -> AsyncIterator[Tokens]:
    issuer = Issuer(provider.url)
    yield Tokens(issuer, audience=AUDIENCE, scope_claim="scope", principal_id=names.id_of)
    await issuer.close()


async def refused(tokens: Tokens, token: str) -> str:
    with pytest.raises(Unauthenticated) as error:
        await tokens.who(token.encode())
    assert 'error="invalid_token"' in error.value.challenge
    assert token not in error.value.detail
    return error.value.detail


async def test_a_token_says_who_is_asking_and_what_they_may(
    tokens: Tokens, provider: Issuing, names: Names
) -> None:
    principal = await tokens.who(provider.token().encode())
    name = f"{provider.url} somebody"
    assert (principal.kind, principal.label, principal.id) == (TOKEN, name, f"the id of {name}")
    assert principal.scopes == {"events:read", "agreements:read"}
    assert (principal.sources, principal.parties) == ((), ())


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [(RSA_KEY, "RS256"), (RSA_KEY, "RS512"), (RSA_KEY, "PS256"), (EC_KEY, "ES256"), (ED_KEY, "EdDSA")],
)
async def test_the_algorithms_that_are_taken(
    tokens: Tokens, provider: Issuing, key: Any, algorithm: str
) -> None:
    assert (await tokens.who(provider.token(key, algorithm).encode())).kind == TOKEN


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"exp": NOW - LEEWAY - 60}, "has expired"),
        ({"nbf": NOW + 600}, "not valid yet"),
        ({"iat": NOW + 600}, "not valid yet"),
        ({"aud": "https://another.test/"}, "another audience"),
        ({"aud": [AUDIENCE + "x", "y"]}, "another audience"),
        ({"iss": "https://another.test/"}, "another issuer"),
        ({"exp": None}, "lacks"),
        ({"aud": None}, "lacks"),
        ({"sub": None}, "lacks"),
        ({"iss": None}, "lacks"),
        ({"exp": "soon"}, "not valid"),
        ({"sub": ""}, "sub"),
        ({"sub": "x" * 256}, "sub"),
        ({"scope": {"events": "read"}}, "scope"),
        ({"scope": [1]}, "scope"),
        ({"registry_sources": []}, "registry_sources is empty"),
        ({"registry_sources": "urn:a"}, "registry_sources is no list"),
        ({"registry_parties": []}, "registry_parties is empty"),
    ],
)
async def test_a_token_that_says_something_wrong(
    tokens: Tokens, provider: Issuing, claims: dict[str, Any], why: str
) -> None:
    assert why in await refused(tokens, provider.token(**claims))


async def test_clocks_may_differ_a_little(tokens: Tokens, provider: Issuing) -> None:
    await tokens.who(provider.token(exp=int(time.time()) - LEEWAY + 10).encode())
    await tokens.who(provider.token(nbf=int(time.time()) + LEEWAY - 10).encode())


async def test_a_token_that_nobody_signed(tokens: Tokens, provider: Issuing) -> None:
    good = provider.token()
    assert "signed with none of" in await refused(tokens, unsigned(good))
    assert "signed with none of" in await refused(tokens, unsigned(good, alg="NONE"))
    assert "wrong" in await refused(tokens, unsigned(good, alg="RS256"))
    assert "wrong" in await refused(tokens, provider.token(OTHER_RSA_KEY))
    header, _, signature = good.split(".")
    other = provider.token(scope="admin").split(".")[1]
    assert "wrong" in await refused(tokens, f"{header}.{other}.{signature}")


async def test_a_public_key_is_no_shared_secret(tokens: Tokens, provider: Issuing) -> None:
    """The attack of RFC 8725 section 2.1: HS256, with what everybody may know as the secret."""
    forged = jwt.encode(
        {"iss": provider.url, "aud": AUDIENCE, "sub": "x", "exp": NOW + 300, "scope": "admin"},
        "a public key, which everybody may know",
        algorithm="HS256",
        headers={"kid": "rsa"},
    )
    assert "signed with none of" in await refused(tokens, forged)


async def test_a_key_is_used_for_the_algorithms_of_its_type_alone(tokens: Tokens, provider: Issuing) -> None:
    assert "does not have" in await refused(tokens, provider.token(headers={"kid": "ec"}))
    provider.keys = [jwk(RSA_KEY, kid="rsa", alg="RS512")]
    assert (await tokens.who(provider.token(algorithm="RS512").encode())).kind == TOKEN


@pytest.mark.parametrize(
    "key",
    [
        jwk(RSA_KEY, kid="rsa", use="enc"),
        jwk(RSA_KEY, kid="rsa", alg="RS512"),
        {"kty": "RSA", "kid": "rsa", "n": "?", "e": "AQAB"},
        jwk(WEAK_RSA_KEY, kid="rsa"),
    ],
    ids=["for encryption", "for another algorithm", "broken", "weak"],
)
async def test_a_key_that_is_not_fit_is_not_used(tokens: Tokens, provider: Issuing, key: Any) -> None:
    provider.keys = [key]
    assert "does not have" in await refused(tokens, provider.token())


async def test_a_token_without_a_key_id_needs_an_only_key(tokens: Tokens, provider: Issuing) -> None:
    token = jwt.encode(jwt.decode(provider.token(), options={"verify_signature": False}), RSA_KEY, "RS256")
    assert (await tokens.who(token.encode())).kind == TOKEN
    two = Issuer(provider.url)
    provider.keys = [jwk(RSA_KEY, kid="one"), jwk(OTHER_RSA_KEY, kid="two")]
    assert await two.key("RS256", None) is None


@pytest.mark.parametrize("headers", [{"crit": ["b64"]}, {"kid": 7}])
async def test_a_header_that_is_not_understood(
    tokens: Tokens, provider: Issuing, headers: dict[str, Any]
) -> None:
    await refused(tokens, unsigned(provider.token(), alg="RS256", **headers))


@pytest.mark.parametrize("text", ["a.b.c", "..", "e30.e30.e30"])
async def test_what_is_no_token(tokens: Tokens, text: str) -> None:
    assert await refused(tokens, text)


async def test_scopes_may_stand_in_another_claim_and_in_a_list(provider: Issuing, names: Names) -> None:
    tokens = Tokens(Issuer(provider.url), audience=AUDIENCE, scope_claim="roles", principal_id=names.id_of)
    principal = await tokens.who(provider.token(roles=["admin", "unknown"]).encode())
    assert principal.scopes == {"admin"}
    assert (await tokens.who(provider.token().encode())).scopes == frozenset()


async def test_claims_bind_what_a_token_may_post(tokens: Tokens, provider: Issuing) -> None:
    principal = await tokens.who(
        provider.token(registry_sources=["urn:desk:"], registry_parties=["pak"]).encode()
    )
    assert (principal.sources, principal.parties) == (("urn:desk:",), ("pak",))


async def test_a_token_is_verified_once_a_minute(
    tokens: Tokens, provider: Issuing, names: Names, clock: Clock
) -> None:
    token = provider.token().encode()
    for _ in range(3):
        await tokens.who(token)
    assert len(names.asked) == 1
    clock.passed += TRUSTED
    await tokens.who(token)
    assert len(names.asked) == 2


async def test_a_token_that_was_believed_ends_when_it_expires(
    tokens: Tokens, provider: Issuing, clock: Clock
) -> None:
    token = provider.token(exp=int(time.time()) - LEEWAY + 10)
    await tokens.who(token.encode())
    clock.passed += 11
    tokens_now = provider.token(exp=int(time.time()) - LEEWAY - 1)
    assert tokens._known
    assert all(known.ends < clock.time() for known in tokens._known.values())
    assert "expired" in await refused(tokens, tokens_now)


async def test_the_tokens_that_are_remembered_are_bounded(tokens: Tokens, provider: Issuing) -> None:
    await tokens.who(provider.token().encode())
    (known,) = tokens._known.values()
    tokens._known.update((bytes([n % 256, n // 256]), known) for n in range(MOST_KNOWN))
    await tokens.who(provider.token(sub="another").encode())
    assert len(tokens._known) <= MOST_KNOWN + 1


async def test_the_issuer_is_asked_once(tokens: Tokens, provider: Issuing) -> None:
    await asyncio.gather(*(tokens.who(provider.token(sub=str(n)).encode()) for n in range(5)))
    assert provider.asked == [DISCOVERY, "/keys"]


async def test_a_new_key_of_the_issuer_is_fetched_when_a_token_names_it(
    tokens: Tokens, provider: Issuing, clock: Clock
) -> None:
    await tokens.who(provider.token().encode())
    provider.keys = [jwk(OTHER_RSA_KEY, kid="new")]
    clock.passed += APART
    await tokens.who(provider.token(OTHER_RSA_KEY, headers={"kid": "new"}).encode())
    assert "does not have" in await refused(tokens, provider.token(sub="another"))


async def test_unknown_key_ids_do_not_make_this_service_ask_again_and_again(
    tokens: Tokens, provider: Issuing, clock: Clock
) -> None:
    await tokens.who(provider.token().encode())
    for number in range(50):
        await refused(tokens, provider.token(headers={"kid": f"unknown-{number}"}))
    assert len(provider.asked) == 2
    clock.passed += APART
    for number in range(50):
        await refused(tokens, provider.token(headers={"kid": f"unknown-{number}"}))
    assert len(provider.asked) == 4


async def test_keys_in_use_are_fetched_again_beside_the_answers(
    tokens: Tokens, provider: Issuing, clock: Clock
) -> None:
    await tokens.who(provider.token().encode())
    provider.keys = []
    clock.passed += FRESH + 1
    await tokens.who(provider.token(sub="another").encode())
    while len(provider.asked) < 4 or not tokens._issuer._fetching.done():  # type: ignore[union-attr]
        await asyncio.sleep(0)
    assert "does not have" in await refused(tokens, provider.token(sub="a third"))


async def test_an_issuer_that_is_away_is_believed_for_an_hour(
    tokens: Tokens, provider: Issuing, clock: Clock
) -> None:
    await tokens.who(provider.token().encode())
    provider.documents["/keys"] = 503
    clock.passed += STALE - 1
    await tokens.who(provider.token(sub="another", exp=NOW + 9999).encode())
    clock.passed += 2 + APART
    with pytest.raises(Unavailable, match="issuer"):
        await tokens.who(provider.token(sub="a third", exp=NOW + 9999).encode())
    with pytest.raises(Unavailable, match="issuer"):
        await tokens.who(provider.token(sub="a third", exp=NOW + 9999).encode())


def elsewhere(provider: Issuing) -> None:
    provider.documents[DISCOVERY] = {"issuer": provider.url, "jwks_uri": "http://localhost:1/keys"}


def another_name(provider: Issuing) -> None:
    provider.documents[DISCOVERY] = {"issuer": "https://another.test", "jwks_uri": f"{provider.url}/keys"}


def nowhere(provider: Issuing) -> None:
    provider.documents[DISCOVERY] = {"issuer": provider.url, "jwks_uri": 7}


def redirect(provider: Issuing) -> None:
    provider.documents["/keys"] = 302


def too_much(provider: Issuing) -> None:
    provider.documents["/keys"] = b'{"keys": [' + b" " * MOST_BYTES + b"]}"


def no_json(provider: Issuing) -> None:
    provider.documents["/keys"] = b"<html>"


def no_object(provider: Issuing) -> None:
    provider.documents["/keys"] = b"[]"


def no_keys(provider: Issuing) -> None:
    provider.documents["/keys"] = b'{"keys": 7}'


@pytest.mark.parametrize(
    "wrong", [elsewhere, another_name, nowhere, redirect, too_much, no_json, no_object, no_keys]
)
async def test_an_issuer_that_answers_strangely_is_not_believed_or_followed(
    tokens: Tokens, provider: Issuing, wrong: Callable[[Issuing], None], caplog: pytest.LogCaptureFixture
) -> None:
    wrong(provider)
    token = provider.token()
    with caplog.at_level(logging.WARNING), pytest.raises(Unavailable):
        await tokens.who(token.encode())
    assert "cannot be had" in caplog.text
    assert token not in caplog.text
    assert "/elsewhere" not in provider.asked


async def test_keys_that_are_elsewhere_are_named_by_the_operator(provider: Issuing, names: Names) -> None:
    issuer = Issuer("https://issuer.test/", f"{provider.url}/keys")
    tokens = Tokens(issuer, audience=AUDIENCE, scope_claim="scope", principal_id=names.id_of)
    await tokens.who(provider.token(iss="https://issuer.test/").encode())
    assert provider.asked == ["/keys"]


async def test_closing_gives_up_a_fetch(provider: Issuing) -> None:
    issuer = Issuer(provider.url)
    await issuer.close()
    asking = asyncio.create_task(issuer.key("RS256", "rsa"))
    await asyncio.sleep(0)
    await issuer.close()
    with pytest.raises((asyncio.CancelledError, Unavailable)):
        await asking


async def test_a_token_opens_a_service_and_its_bounds_hold(database_url: str, provider: Issuing) -> None:
    settings = {"oidc_issuer": provider.url, "oidc_audience": AUDIENCE}
    writer = bearer(provider.token(scope="events:write", registry_sources=["https://report-b.example/"]))
    async with guarding(database_url, **settings) as service:
        assert (await service.get("/events", headers=bearer(provider.token()))).status_code == 200
        assert (await service.post(registered(), **writer)).status_code == 201
        problem(await service.post(planned("x", source="urn:x"), **writer), 403, "not-permitted")
        problem(await service.get("/events", headers=writer), 403, "forbidden")
        expired = bearer(provider.token(exp=NOW - 600))
        problem(await service.get("/events", headers=expired), 401, "unauthenticated")
        assert (await service.get("/events", headers=service.holder("events:read"))).status_code == 200
        (row,) = service.app.state.reader.page(0, 1)
        assert provider.url not in str(row.joined())
    async with guarding(database_url) as service:  # without an issuer a token is a key that is none
        problem(await service.get("/events", headers=bearer(provider.token())), 401, "unauthenticated")
