import asyncio
from typing import Any

import pytest

from api.conftest import AGREEMENT, Service, planned, problem, registered, serving

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


@pytest.mark.parametrize("path", PATHS)
async def test_a_position_that_is_not_there_yet_is_a_503(registered_service: Service, path: str):
    response = await registered_service.get(at_least(path, 2))
    said = problem(response, 503, "unavailable")
    assert said["detail"] == "the log has reached position 1, not yet 2"
    assert response.headers["Retry-After"] == "1"


async def test_a_read_waits_for_the_position_it_prefers(registered_service: Service):
    waiting = asyncio.create_task(
        registered_service.get("/log?min_position=2", headers={"Prefer": "respond-async, wait=10"})
    )
    await asyncio.sleep(0)
    await registered_service.post(planned("visit-1"))
    assert (await waiting).json()["size"] == 2


async def test_a_read_sees_what_another_process_wrote(postgres_url: str):
    async with serving(postgres_url) as one, serving(postgres_url) as other:
        await one.post(registered())
        path = f"/agreements/{AGREEMENT}?min_position="
        assert (await other.get(path + "1", headers={"Prefer": "wait=10"})).json()["version"] == 1
        waiting = asyncio.create_task(other.get(path + "2", headers={"Prefer": "wait=10"}))
        await one.post(planned("visit-1"))
        assert (await waiting).json()["version"] == 2


@pytest.mark.parametrize("prefer", ["wait=0", "wait=x", "handling=strict", "await=9", ""])
async def test_without_a_time_to_wait_the_answer_comes_at_once(registered_service: Service, prefer: str):
    response = await registered_service.get("/log?min_position=2", headers={"Prefer": prefer})
    problem(response, 503, "unavailable")


async def test_waiting_ends(registered_service: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("registry.api.freshness.MAX_WAIT", 0.1)
    problem(
        await registered_service.get("/log?min_position=2", headers={"Prefer": "wait=9999"}),
        503,
        "unavailable",
    )


@pytest.mark.parametrize("value", ["x", "-1", "1.0", "", "99999999999999999999"])
async def test_a_position_that_is_no_number_is_a_400(service: Service, value: Any):
    problem(await service.get("/log", params={"min_position": value}), 400, "malformed")
