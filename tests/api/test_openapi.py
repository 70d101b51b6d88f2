import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from litestar import Litestar

from api.conftest import Service, serving
from registry.api.openapi import describe
from registry.api.routes import route_handlers
from registry.domain.events.event import EVENT_TYPES
from registry.http.kinds import KINDS
from registry.http.routing import OPERATION
from registry.ui.page import PAGE
from registry.ui.routes import page_handlers


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The description as a client reads it."""
    read: dict[str, Any] = json.loads(json.dumps(describe([*route_handlers, *page_handlers])))
    return read


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def inside(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from inside(each)
    elif isinstance(value, list):
        for each in value:
            yield from inside(each)


async def test_the_description_is_served_to_anybody(sqlite_url: str, document: dict[str, Any]):
    async with serving(sqlite_url, auth="on") as service:
        response = await service.get("/openapi.json")
        assert response.headers["Content-Type"] == "application/json"
        assert response.json() == document
        again = await service.get("/openapi.json", headers={"If-None-Match": response.headers["ETag"]})
        assert again.status_code == 304


def handlers_of(route: Any) -> list[Any]:
    return [handler for handler in route.route_handlers if "OPTIONS" not in handler.http_methods]


def routes_of(app: Litestar) -> set[tuple[str, str]]:
    return {
        (re.sub(r":\w+", "", route.path), method.lower())
        for route in app.routes
        if not all(handler.opt.get(PAGE) and OPERATION not in handler.opt for handler in handlers_of(route))
        for method in route.methods
        if method not in ("HEAD", "OPTIONS")
    }


async def test_every_route_is_described_and_nothing_else(service: Service, document: dict[str, Any]):
    described = {(path, method) for path, method, _ in operations(document)}
    assert described == routes_of(service.app)


async def test_every_read_is_a_head_as_well(service: Service):
    for route in service.app.routes:
        assert ("GET" in route.methods) == ("HEAD" in route.methods), route.path


def test_every_reference_leads_somewhere(document: dict[str, Any]):
    for part in inside(document):
        ref = part.get("$ref")
        if isinstance(ref, str):
            assert ref.startswith("#/")
            found: Any = document
            for token in ref[2:].split("/"):
                found = found[token]


def test_every_operation_has_a_name_a_summary_and_a_known_tag(document: dict[str, Any]):
    tags = {tag["name"] for tag in document["tags"]}
    names = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(set(names)) == len(names)
    for path, _, operation in operations(document):
        assert operation["summary"], path
        assert set(operation["tags"]) <= tags


def test_every_parameter_in_a_path_is_described(document: dict[str, Any]):
    for path, _, operation in operations(document):
        inside_path = {piece[1:-1] for piece in path.split("/") if piece.startswith("{")}
        described = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
        assert described == inside_path
        assert all(p["description"] for p in operation["parameters"])


def test_every_error_is_a_problem(document: dict[str, Any]):
    for path, _, operation in operations(document):
        assert {"400", "500", "503"} <= operation["responses"].keys()
        for status, response in operation["responses"].items():
            by_protocol = (path, status) == ("/add-checkpoint", "409")  # C2SP tlog-witness: the size alone
            if int(status) >= 400 and not by_protocol:
                answer = document["components"]["responses"][response["$ref"].rpartition("/")[2]]
                (schema,) = [form["schema"] for form in answer["content"].values()]
                assert list(answer["content"]) == ["application/problem+json"]
                assert schema["allOf"] == [{"$ref": "#/components/schemas/Problem"}]
                named = {kind.type for kind in KINDS if kind.status == int(status)}
                assert set(schema["properties"]["type"]["enum"]) == named
    assert set(document["components"]["schemas"]["Problem"]["required"]) == {
        "type",
        "title",
        "status",
        "detail",
        "request_id",
    }


def test_what_is_open_to_anybody_never_asks_who(document: dict[str, Any]):
    assert "401" not in document["paths"]["/healthz"]["get"]["responses"]
    assert "401" in document["paths"]["/events"]["post"]["responses"]


def test_posted_events_are_told_apart_by_their_type(document: dict[str, Any]):
    schemas = document["components"]["schemas"]
    mapping = schemas["PostedEvent"]["discriminator"]["mapping"]
    assert set(mapping) == EVENT_TYPES.keys() - {"agreement.personal-data-erased.v1"}
    assert [each["$ref"] for each in schemas["PostedEvent"]["oneOf"]] == list(mapping.values())
    for name in mapping:
        properties = schemas[f"event.{name}"]["properties"]
        assert properties["type"] == {"const": name}
        assert properties["data"] == {"$ref": f"#/components/schemas/{name}"}


def test_a_schema_is_the_one_of_the_contracts(document: dict[str, Any]):
    schemas = document["components"]["schemas"]
    signed = schemas["agreement.signed.v1"]
    assert signed["properties"]["signatures"]["items"] == {"$ref": "#/components/schemas/data.Signature"}
    assert schemas["data.Signature"]["properties"]["capacity"]["x-personal"] is True
    assert "$id" not in signed
    refs = {part["$ref"] for part in inside(schemas["agreement.event-corrected.v1"]) if "$ref" in part}
    assert "#/components/schemas/agreement.signed.v1" in refs


def test_a_page_holds_events(document: dict[str, Any]):
    items = document["components"]["schemas"]["EventPage"]["properties"]["events"]["items"]
    assert items["$ref"] == "#/components/schemas/RecordedEvent"


@pytest.mark.parametrize(
    "path", ["/events", "/events/{position}", "/agreements/{id}", "/log/proof/inclusion"]
)
def test_every_read_of_the_log_takes_a_read_token(document: dict[str, Any], path: str):
    assert "min_position" in {parameter["name"] for parameter in document["paths"][path]["get"]["parameters"]}


def test_every_field_of_our_own_answers_is_described(document: dict[str, Any]):
    for name in (
        "Problem",
        "Fault",
        "EventPage",
        "LogHead",
        "InclusionProof",
        "ConsistencyProof",
        "Limits",
        "Ready",
    ):
        for field, schema in document["components"]["schemas"][name]["properties"].items():
            assert schema.get("description"), f"{name}.{field}"


async def test_the_description_takes_no_parameter(service: Service):
    assert (await service.get("/openapi.json?x=1")).status_code == 400
