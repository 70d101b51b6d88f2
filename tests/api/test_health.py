import asyncio
import threading
from typing import Any

import httpx
import msgspec
import pytest

from api.conftest import Service, problem, registered
from registry.api import health
from registry.errors import Unavailable
from registry.http.standing import Standing, standing
from registry.projections.catalogue import CATALOGUE
from registry.projections.model import ReadModel
from registry.projections.operate import Operator

UNBUILT = ReadModel("unbuilt", 1, {}, lambda _: {})


async def test_the_process_lives(service: Service):
    response = await service.get("/healthz")
    assert response.status_code == 200
    assert response.json() == {"status": "ok"}
    assert response.headers["Cache-Control"] == "no-store"


async def test_the_service_is_ready_on_a_migrated_database(service_on_any: Service):
    await service_on_any.post(registered())
    response = await ready(service_on_any)
    body = response.json()
    models = body.pop("read_models")
    checks = {check["name"]: check["state"] for check in body.pop("checks")}
    assert list(checks) == [
        "serving",
        "database",
        "migrations",
        "read-models",
        "lag",
        "checkpoint",
        "appends",
    ]
    assert set(checks.values()) == {"ok"}
    assert body == {
        "status": "ready",
        "revision": health.needed_revision(),
        "position": 1,
        "read_only": False,
    }
    assert {model["name"] for model in models} == {model.name for model in CATALOGUE}
    assert {(model["behind"], model["parked"]) for model in models} == {(0, 0)}


async def ready(service: Service) -> httpx.Response:
    """Wait until the service says that it is ready and its read models have come to the end of the log."""
    async with asyncio.timeout(30):
        while True:
            response = await service.get("/readyz")
            if response.status_code == 200 and not any(m["behind"] for m in response.json()["read_models"]):
                return response
            await asyncio.sleep(0.05)


async def test_the_service_is_not_ready_while_a_read_model_is_being_built(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service.app.state, "operator", Operator(None, service.app.state.reader, (UNBUILT,)))
    assert problem(await service.get("/readyz"), 503, "unavailable")["detail"] == "being built: unbuilt"


def gone() -> Any:
    raise Unavailable("the database cannot be reached")


async def test_without_its_database_the_service_lives_and_is_not_ready(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service.app.state.reader, "revision", gone)
    assert (await service.get("/healthz")).status_code == 200
    assert (
        problem(await service.get("/readyz"), 503, "unavailable")["detail"]
        == "the database cannot be reached"
    )


@pytest.mark.parametrize("revision", [None, "0000"])
async def test_on_an_earlier_migration_the_service_is_not_ready(
    service: Service, monkeypatch: pytest.MonkeyPatch, revision: str | None
):
    monkeypatch.setattr(service.app.state.reader, "revision", lambda: revision)
    response = await service.get("/readyz")
    assert f"at migration {revision}" in problem(response, 503, "unavailable")["detail"]
    assert response.headers["Retry-After"] == "5"


async def test_on_a_later_migration_the_service_goes_on_until_it_is_replaced(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(service.app.state.reader, "revision", lambda: "9999")
    assert (await ready(service)).json()["revision"] == "9999"


async def test_a_database_that_does_not_answer_is_not_waited_for(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    answers = threading.Event()
    monkeypatch.setattr(health, "TIMEOUT", 0.05)
    monkeypatch.setattr(service.app.state.reader, "revision", lambda: answers.wait(10))
    try:
        said = problem(await service.get("/readyz"), 503, "unavailable")
    finally:
        answers.set()
    assert said["detail"] == "the database does not answer"


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
async def test_head_and_strict_parameters(service: Service, path: str):
    await ready(service)
    get, head = await service.get(path), await service.head(path)
    assert (head.status_code, head.headers, head.content) == (200, get.headers, b"")
    problem(await service.get(f"{path}?verbose=1"), 400, "malformed")


def checks(response: httpx.Response, status: int = 200) -> dict[str, tuple[str, str]]:
    """What was looked at, by its name."""
    assert response.status_code == status, response.text
    return {check["name"]: (check["state"], check["detail"]) for check in response.json()["checks"]}


async def test_before_it_stops_the_service_is_not_ready_and_answers(service: Service):
    await ready(service)
    service.app.state.requests.draining = True
    said = problem(await service.get("/readyz"), 503, "unavailable")
    assert said["checks"] == [{"name": "serving", "state": "failed", "detail": "the service is stopping"}]
    assert (await service.get("/healthz")).status_code == 200
    assert (await service.post(registered())).status_code == 201


async def test_a_log_that_is_behind_is_read_and_said(service: Service):
    await ready(service)
    service.app.state.publisher._on_standing = lambda _: None
    service.app.state.sequencer.read_only = "the kept checkpoint is of 9 events"
    response = await service.get("/readyz")
    assert checks(response)["appends"] == ("warning", "the kept checkpoint is of 9 events")
    assert response.json()["read_only"]


async def test_what_lags_too_long_makes_the_service_unready(
    service: Service, monkeypatch: pytest.MonkeyPatch
):
    await ready(service)
    now = standing(service.app.state)
    late = msgspec.structs.replace(now.read_models[0], seconds=301.0, behind=7, parked=2)
    unsigned = msgspec.structs.replace(now.checkpoint, seconds=302.0, size=1, log_size=8)
    monkeypatch.setattr(health, "standing", lambda _: Standing(now.revision, [late], unsigned))
    said = problem(await service.get("/readyz"), 503, "unavailable")
    assert said["detail"] == (f"behind the log: {late.name} by 301 s; 7 events are under none for 302 s")
    found = checks(await service.get("/readyz"), 503)
    assert found["read-models"] == ("warning", "2 parked: rows that cannot be made")
    service.app.state.publisher.signs = False
    found = checks(await service.get("/readyz"), 503)
    assert found["checkpoint"] == ("ok", "this process has no key to sign with")
