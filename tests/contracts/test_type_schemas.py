"""The schema of each event type, where the registry serves it."""

from api.conftest import problem, registered, serving
from contracts.conftest import Schema
from registry.domain.contracts import file_name


async def test_every_schema_is_served_to_anybody(sqlite_url: str, type_schemas: dict[str, Schema]):
    async with serving(sqlite_url, auth="on") as service:
        for name, schema in type_schemas.items():
            response = await service.get(f"/schemas/{file_name(name)}")
            assert response.json() == schema
            assert response.headers["Content-Type"] == "application/schema+json"


async def test_a_schema_may_be_kept_for_a_while_by_anybody(sqlite_url: str):
    async with serving(sqlite_url) as service:
        path = f"/schemas/{file_name('agreement.signed.v1')}"
        response = await service.get(path)
        assert response.headers["Cache-Control"] == "public, max-age=3600"
        again = await service.get(path, headers={"If-None-Match": response.headers["ETag"]})
        assert again.status_code == 304


async def test_what_is_no_type_has_no_schema(sqlite_url: str):
    async with serving(sqlite_url) as service:
        problem(await service.get("/schemas/agreement.signed.v1"), 404, "not-found")
        problem(await service.get("/schemas/agreement.unknown.v1.schema.json"), 404, "not-found")


async def test_an_event_may_name_the_schema_where_it_is_served(sqlite_url: str):
    async with serving(sqlite_url) as service:
        schema = f"http://registry.test/schemas/{file_name('agreement.registered.v1')}"
        assert (await service.post(registered(dataschema=schema))).status_code == 201
