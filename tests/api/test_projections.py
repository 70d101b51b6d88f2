import asyncio

from api.conftest import AGREEMENT, Service, problem, registered
from registry.projections.catalogue import CATALOGUE
from registry.projections.parking import park

FIRST = CATALOGUE[0]


async def all_ready(service: Service) -> None:
    """Wait until every read model has come to the end of the log."""
    async with asyncio.timeout(30):
        while True:
            items = (await service.get("/projections")).json()["items"]
            if all(i["ready"] and i["generations"][-1]["behind"] == 0 for i in items):
                return
            await asyncio.sleep(0.05)


async def test_the_status_of_every_read_model_is_read(service_on_any: Service) -> None:
    await service_on_any.post(registered())
    await all_ready(service_on_any)
    answer = await service_on_any.get("/projections")
    assert [item["name"] for item in answer.json()["items"]] == [model.name for model in CATALOGUE]
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_read_model_is_built_anew_and_checked(service: Service) -> None:
    await service.post(registered())
    await all_ready(service)
    rebuilt = await service.client.post(f"/projections/{FIRST.name}/rebuild")
    assert rebuilt.json() == {"name": FIRST.name, "generation": 2}
    checked = await service.client.post(f"/projections/{FIRST.name}/check")
    assert checked.json() == {"name": FIRST.name, "differences": []}
    await all_ready(service)


async def test_a_parked_agreement_is_retried_and_skipped(service: Service) -> None:
    await service.post(registered())
    await all_ready(service)
    engine = service.app.state.operator._engine
    for act, resolution in (("retry", "retry"), ("skip", "skipped")):
        with engine.begin() as connection:
            park(connection, FIRST, AGREEMENT, 1, "ValueError")
        parked = f"/projections/{FIRST.name}/parked/{AGREEMENT}"
        answer = await service.client.post(f"{parked}/{act}")
        assert answer.json() == {"name": FIRST.name, "agreement": AGREEMENT, "resolution": resolution}
        await all_ready(service)
        async with asyncio.timeout(30):
            while (await service.get("/projections")).json()["items"][0]["parked"]:
                await asyncio.sleep(0.05)
        problem(await service.client.post(f"{parked}/{act}"), 404, "not-found")


async def test_a_read_model_that_is_not_there(service: Service) -> None:
    problem(await service.client.post("/projections/nothing/rebuild"), 404, "not-found")
    problem(await service.client.post("/projections/nothing/check"), 404, "not-found")
