import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy.schema import SchemaItem

from api.conftest import AGREEMENT, Service, planned, problem, registered, serving
from registry.errors import Unavailable
from registry.http.freshness import LOG, Behind, preferred_wait, reached
from registry.projections.generations import advance, begin_generation, go_live
from registry.projections.model import ReadModel
from registry.projections.views import tracked

PATHS = (
    "/events",
    "/events/1",
    f"/agreements/{AGREEMENT}",
    f"/agreements/{AGREEMENT}/events",
    "/log",
    "/log/proof/inclusion?position=1",
    "/log/proof/consistency?from=0",
)


def at_least(path: str, position: int) -> str:
    return f"{path}{'&' if '?' in path else '?'}min_position={position}"


@pytest.mark.parametrize("path", PATHS)
async def test_every_read_can_ask_for_a_position_that_is_there(registered_service: Service, path: str):
    response = await registered_service.get(at_least(path, 1))
    assert response.status_code == 200
    assert response.headers["Registry-Position"] == "1"
    assert "Preference-Applied" not in response.headers


@pytest.mark.parametrize("path", PATHS)
async def test_a_position_that_is_not_there_yet_is_a_504_that_says_how_far_the_log_is(
    registered_service: Service, path: str
):
    response = await registered_service.get(at_least(path, 2))
    said = problem(response, 504, "position-not-reached")
    assert said["detail"] == "the log has reached position 1, not yet 2"
    assert said["position"] == 1
    assert response.headers["Registry-Position"] == "1"
    assert response.headers["Retry-After"] == "1"


@pytest.mark.parametrize("path", ["/limits", "/healthz", "/docs", "/problems"])
async def test_what_reads_nothing_that_grows_knows_no_position(service: Service, path: str):
    problem(await service.get(at_least(path, 0)), 400, "malformed")


async def test_a_read_waits_for_the_position_it_prefers(registered_service: Service):
    waiting = asyncio.create_task(
        registered_service.get("/log?min_position=2", headers={"Prefer": "respond-async, wait=10"})
    )
    await asyncio.sleep(0)
    await registered_service.post(planned("visit-1"))
    response = await waiting
    assert response.json()["size"] == 2
    assert response.headers["Preference-Applied"] == "wait=10"


async def test_a_preference_is_also_acted_upon_where_nothing_had_to_be_waited_for(
    registered_service: Service,
):
    ndjson = {"Accept": "application/x-ndjson", "Prefer": "wait=99"}
    for headers in ({"Prefer": "wait=99"}, ndjson):
        response = await registered_service.get("/events?min_position=1", headers=headers)
        assert response.headers["Preference-Applied"] == "wait=30"
        etag = {"If-None-Match": response.headers.get("ETag", "none")}
        again = await registered_service.get("/events?min_position=1", headers=headers | etag)
        assert again.headers["Preference-Applied"] == "wait=30"
    response = await registered_service.get("/events", headers={"Prefer": "wait=99"})
    assert "Preference-Applied" not in response.headers


async def test_a_read_sees_what_another_process_wrote(postgres_url: str):
    async with serving(postgres_url) as one, serving(postgres_url) as other:
        await one.post(registered())
        path = f"/agreements/{AGREEMENT}?min_position="
        assert (await other.get(path + "1", headers={"Prefer": "wait=10"})).json()["version"] == 1
        waiting = asyncio.create_task(other.get(path + "2", headers={"Prefer": "wait=10"}))
        await one.post(planned("visit-1"))
        assert (await waiting).json()["version"] == 2


async def test_waiting_ends_with_the_position_that_was_reached(registered_service: Service):
    response = await registered_service.get("/log?min_position=2", headers={"Prefer": "wait=0"})
    assert problem(response, 504, "position-not-reached")["position"] == 1
    assert response.headers["Preference-Applied"] == "wait=0"


async def test_waiting_goes_on_no_longer_than_it_was_asked_to(registered_service: Service):
    request = as_request(registered_service)
    with pytest.raises(Behind, match="the log has reached position 1, not yet 2"):
        await reached(request, 2, (LOG,), 0.05)


async def test_waiting_ends_when_the_service_stops(
    registered_service: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("registry.http.freshness.LOG_POLL", 0.01)
    waiting = asyncio.create_task(reached(as_request(registered_service), 2, (LOG,), 60))
    await asyncio.sleep(0)
    registered_service.app.state.streams.close()
    with pytest.raises(Unavailable, match="stopping"):
        await waiting


class AsRequest:
    """Of a request only what leads to the service."""

    def __init__(self, app: Any) -> None:
        self.app = app


def as_request(service: Service) -> Any:
    return AsRequest(service.app)


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        (["wait=5"], 5),
        (["WAIT = 5"], 5),
        (['wait="5"'], 5),
        (["respond-async, wait=5"], 5),
        (["handling=lenient; strict=no, wait=5; now"], 5),
        (["respond-async", "wait=5"], 5),
        (["wait=5, wait=9"], 5),
        (['foo="a, wait=9", wait=5'], 5),
        (["foo; wait=9"], None),
        (["await=9"], None),
        (["wait"], None),
        (["wait=x"], None),
        (["wait=-1"], None),
        (["wait=1.5"], None),
        (["wait=\u0665"], None),
        (["wait=9999999999"], None),
        ([""], None),
        ([], None),
    ],
)
def test_a_preference_is_read_as_rfc_7240_writes_it(headers: list[str], seconds: int | None):
    assert preferred_wait(headers) == seconds


@pytest.mark.parametrize("value", ["x", "-1", "1.0", "", "99999999999999999999", "1&min_position=1"])
async def test_a_position_that_is_no_number_is_a_400(service: Service, value: Any):
    response = await service.get(f"/log?min_position={value}")
    assert problem(response, 400, "malformed")["errors"][0]["parameter"] == "min_position"


async def test_a_name_that_is_written_in_percent_signs_is_the_same_name(registered_service: Service):
    problem(await registered_service.get("/log?min%5Fposition=2"), 504, "position-not-reached")


def columns() -> Sequence[SchemaItem]:
    return []


MODEL = ReadModel("followers", 1, {"": columns}, lambda _: {"": [{}]})


async def test_a_read_of_a_read_model_waits_for_the_model(
    service_on_any: Service, monkeypatch: pytest.MonkeyPatch
):
    await service_on_any.post(registered())
    request = as_request(service_on_any)
    with pytest.raises(Behind, match="what this is read from has reached position 0, not yet 1"):
        await reached(request, 1, (MODEL,), 0)
    monkeypatch.setattr("registry.http.freshness.MODEL_POLL", (0.001, 0.002))
    looks = 0

    def look(*asked: Any) -> int:
        nonlocal looks
        looks += 1
        return tracked(*asked)

    monkeypatch.setattr("registry.http.freshness.tracked", look)
    waiting = asyncio.create_task(reached(request, 1, (MODEL, LOG), 10))
    while looks < 3:
        await asyncio.sleep(0.001)
    with service_on_any.app.state.sequencer._writer._engine.begin() as connection:
        generation = go_live(connection, begin_generation(connection, MODEL))
        advance(connection, generation, 1)
    await waiting
    with pytest.raises(Behind) as behind:
        await reached(request, 2, (MODEL,), 0)
    assert behind.value.position == 1
