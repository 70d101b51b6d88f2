from api.conftest import Service, problem, serving


async def test_the_limits_are_published(service: Service):
    response = await service.get("/limits")
    limits = response.json()
    assert limits["max_event_bytes"] == 262_144
    assert limits["max_batch_bytes"] == 4_194_304
    assert limits["max_batch_events"] == 1000
    assert limits["max_page_limit"] == 1000
    assert limits["max_integer"] == 2**53 - 1
    assert limits["max_json_depth"] == 32
    again = await service.get("/limits", headers={"If-None-Match": response.headers["ETag"]})
    assert again.status_code == 304


async def test_the_limits_are_those_of_the_settings(sqlite_url: str):
    async with serving(sqlite_url, max_batch_events=7) as service:
        assert (await service.get("/limits")).json()["max_batch_events"] == 7


async def test_the_limits_take_no_parameter(service: Service):
    problem(await service.get("/limits?x=1"), 400, "malformed")
