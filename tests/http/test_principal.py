"""Who is asking, as handlers see it."""

from typing import Any

import httpx
import pytest
from litestar import Litestar

from api.conftest import problem
from registry.access import ANYBODY, KEY, Principal
from registry.app import create_app
from registry.config import Settings
from registry.http.answer import Asked
from registry.http.credentials import Forbidden, Unauthenticated
from registry.http.principal import ASKING, asks_with, principal_of, require


def asked(principal: Principal | None) -> Asked:
    scope: dict[str, Any] = {"type": "http", "headers": []}
    if principal is not None:
        scope[ASKING] = principal
    return Asked(scope)  # type: ignore[arg-type]  # as much of a scope as is looked at


def principal(kind: str, *scopes: str) -> Principal:
    return Principal(id="an id", kind=kind, label="a test", scopes=frozenset(scopes))


def test_a_handler_asks_for_more_than_its_route_does() -> None:
    reader = principal(KEY, "events:read")
    assert require(asked(reader), "events:read") is reader
    assert principal_of(asked(reader)) is reader
    with pytest.raises(Forbidden, match="admin"):
        require(asked(reader), "admin")


def test_whoever_has_shown_nothing_is_asked_to_show_something() -> None:
    with pytest.raises(Unauthenticated) as refused:
        require(asked(principal(ANYBODY, "events:read")), "admin")
    assert refused.value.challenge == 'Bearer realm="agreement registry", scope="admin"'


def test_where_a_route_is_open_to_all_nobody_known_may_be_asking() -> None:
    with pytest.raises(Unauthenticated):
        principal_of(asked(None))
    assert not asks_with(asked(None), "admin")
    assert not asks_with(asked(principal(KEY)), "admin")
    assert asks_with(asked(principal(KEY, "admin")), "admin")


async def test_before_it_has_begun_the_service_describes_itself_and_lets_nobody_in() -> None:
    app: Litestar = create_app(Settings())
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url="http://registry.test") as client:
        assert (await client.get("/openapi.json")).status_code == 200
        problem(await client.get("/events"), 503, "unavailable")
