import pytest

from api.conftest import Service, planned, problem, registered, serving
from registry.http.access import ROUTES
from registry.http.principal import NEEDS, let_in
from registry.http.routing import before_read
from registry.store.reader import Reader
from registry.ui.page import before_form

CLOSED = (
    "/events",
    "/events/1",
    "/agreements/abc-def",
    "/agreements/abc-def/events",
    "/projections",
    "/tile/entries/000",
)
OPEN_TO_ANYBODY = ("/healthz", "/readyz", "/docs", "/openapi.json", "/problems", "/problems/rejected")


async def test_without_authentication_every_request_is_the_development_principal(service: Service):
    await service.post(registered())
    await service.post(planned("visit-1"))
    reader: Reader = service.app.state.reader
    principals = {row.joined().principal for row in reader.page(0, 10)}
    assert principals == {service.app.state.principal.id}
    assert len(service.app.state.principal.id) == 36


async def test_the_principal_is_not_given_back_with_the_event(registered_service: Service):
    given = (await registered_service.get("/events/1")).text
    assert registered_service.app.state.principal.id not in given


@pytest.mark.parametrize("path", CLOSED)
async def test_with_authentication_nobody_is_let_in_unknown(sqlite_url: str, path: str):
    async with serving(sqlite_url, auth="on") as service:
        response = await service.get(path)
        problem(response, 401, "unauthenticated")
        assert response.headers["WWW-Authenticate"].startswith("Bearer")
        assert (await service.head(path)).status_code == 401


async def test_with_authentication_nobody_posts_unknown(sqlite_url: str):
    async with serving(sqlite_url, auth="on") as service:
        problem(await service.post(registered()), 401, "unauthenticated")
        problem(
            await service.client.post("/events", headers={"Authorization": "Bearer guess"}),
            401,
            "unauthenticated",
        )
        assert service.app.state.reader.head().size == 0


@pytest.mark.parametrize("path", OPEN_TO_ANYBODY)
async def test_health_and_documentation_are_open_to_anybody(sqlite_url: str, path: str):
    async with serving(sqlite_url, auth="on") as service:
        answer = await service.get(path)
        while answer.status_code == 503:  # ready only once the read models are built
            answer = await service.get(path)
        assert answer.status_code == 200


async def test_every_route_is_guarded_or_open(service: Service):
    for route in service.app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if not handler.http_methods <= {"OPTIONS"}:
                assert handler.resolve_before_request() in (let_in, before_read, before_form), handler
                assert handler.opt[NEEDS] in ROUTES.values()
