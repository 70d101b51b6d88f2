"""What the description of the API says of who may do what is what the service does."""

from typing import Any

from api.conftest import serving
from registry.access import SCOPES
from registry.api.operations import path_of
from registry.http.access import OPEN_TO_ALL, ROUTES, SUBSCRIBED


async def described(url: str, **settings: Any) -> dict[str, Any]:
    async with serving(url, **settings) as service:
        document: dict[str, Any] = (await service.get("/openapi.json")).json()
        return document


async def test_every_operation_names_its_scope_and_every_way_to_hold_it(sqlite_url: str) -> None:
    document = await described(sqlite_url)
    schemes = document["components"]["securitySchemes"]
    for (method, route), scope in ROUTES.items():
        operation = document["paths"].get(path_of(route), {}).get(method.lower())
        if operation is None:  # a page for people
            continue
        if scope == OPEN_TO_ALL:
            assert operation["security"] == []
            assert "401" not in operation["responses"]
        else:
            ways = [name for name in schemes if name != "basic" or route in SUBSCRIBED]
            assert {name for way in operation["security"] for name in way} == set(ways)
            assert all(way == {name: [scope]} for way in operation["security"] for name in way)
            assert len(operation["security"]) == len(ways)
            assert operation["x-scope"] == scope
            assert {"401", "403"} <= operation["responses"].keys()


async def test_the_schemes_are_keys_tokens_and_sessions(sqlite_url: str) -> None:
    schemes = (await described(sqlite_url))["components"]["securitySchemes"]
    assert {name: scheme["type"] for name, scheme in schemes.items()} == {
        "key": "http",
        "token": "http",
        "basic": "http",
        "session": "apiKey",
    }
    assert (schemes["key"]["scheme"], schemes["basic"]["scheme"]) == ("bearer", "basic")
    assert schemes["key"]["x-scopes"] == dict(SCOPES)


async def test_a_trusted_issuer_is_named_with_its_discovery(sqlite_url: str) -> None:
    document = await described(sqlite_url, oidc_issuer="https://issuer.test/", oidc_audience="x")
    assert document["components"]["securitySchemes"]["token"] == {
        "type": "openIdConnect",
        "openIdConnectUrl": "https://issuer.test/.well-known/openid-configuration",
        "description": "A token of the OpenID Connect issuer that the registry trusts, if any",
    }
