import pytest

from api.conftest import Service, problem, serving
from registry.config import Settings
from registry.http.parameters import MAX_PARAMETERS, MAX_QUERY


async def test_the_limits_are_published(service: Service):
    response = await service.get("/limits")
    limits = response.json()
    assert limits["max_event_bytes"] == 262_144
    assert limits["max_batch_bytes"] == 4_194_304
    assert limits["max_batch_events"] == 1000
    assert limits["max_page_limit"] == 1000
    assert limits["max_integer"] == 2**53 - 1
    assert limits["max_json_depth"] == 32
    assert limits["max_json_values"] == 100_000
    again = await service.get("/limits", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


async def test_the_limits_are_those_of_the_settings(sqlite_url: str):
    async with serving(sqlite_url, max_batch_events=7, write_rate=3, stream_seconds=60) as service:
        limits = (await service.get("/limits")).json()
        assert (limits["max_batch_events"], limits["write_rate"], limits["stream_seconds"]) == (7, 3, 60)


async def test_every_setting_that_bounds_clients_is_published(service: Service):
    published = (await service.get("/limits")).json()
    inside = {"max_overflow", "queue_events", "lock_timeout", "state_cache_events"}
    bounding = {
        name
        for name in Settings.__struct_fields__
        if name.startswith("max_") or name.endswith(("_rate", "_seconds", "_each"))
    }
    assert bounding - inside - {"drain_seconds"} <= published.keys()


@pytest.mark.parametrize("path", ["/limits", "/events", "/agreements", "/agreements/some-agreement"])
async def test_a_query_that_nobody_needs_is_refused(service: Service, path: str):
    problem(await service.get(f"{path}?x={'y' * MAX_QUERY}"), 414, "line-too-long")
    query = "&".join(f"p{number}=1" for number in range(MAX_PARAMETERS + 1))
    response = await service.get(f"{path}?{query}")
    assert "parameters" in problem(response, 400, "malformed")["detail"]


async def test_the_limits_take_no_parameter(service: Service):
    problem(await service.get("/limits?x=1"), 400, "malformed")
