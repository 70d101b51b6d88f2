"""What is described holds: every example is what its schema asks for, and every schema is one."""

import json
from typing import Any

import pytest
import schemathesis
from jsonschema import Draft202012Validator

from contracts.conftest import Flaws, Schema, examples_in
from registry.api.example_events import batch_example, posted_examples
from registry.domain.attributes import type_flaw
from registry.domain.cloudevents import OUTGOING, posted
from registry.domain.events import EVENT_TYPES


def test_every_example_of_the_api_is_valid(openapi: Schema, flaws: Flaws):
    found = list(examples_in(openapi))
    assert len(found) > 100
    assert {where: wrong for where, schema, value in found if (wrong := flaws(schema, value))} == {}


def test_the_description_is_openapi(openapi: Schema):
    schemathesis.openapi.from_dict(openapi).validate()


def test_every_schema_of_the_api_is_a_schema(openapi: Schema):
    for schema in openapi["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_an_event_of_every_type_that_may_be_posted_is_shown():
    assert set(posted_examples()) == {name for name in EVENT_TYPES if type_flaw(name) is None}
    for event in (*posted_examples().values(), *batch_example()):
        posted(json.loads(json.dumps(event)))


@pytest.mark.parametrize("name", sorted(EVENT_TYPES))
def test_the_schema_of_a_type_is_complete(name: str, type_schemas: dict[str, Schema], data_flaws: Any):
    schema = type_schemas[name]
    Draft202012Validator.check_schema(schema)
    assert schema["examples"]
    assert {"$schema", "$id", "title", "description", "properties", "additionalProperties"} <= schema.keys()
    for example in schema["examples"]:
        assert data_flaws(name, example) == []
    for part in (schema, *schema.get("$defs", {}).values()):
        assert all(field["description"] for field in part["properties"].values())


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": "agreement.signed.v1"},
        {"data": {}},
        {"sequence": "1"},
        {"data_base64": "e30="},
        {"Upper": "x"},
        {"extension": {"an": "object"}},
        {"extension": 2**31},
        {"extension": "a\x00b"},
        {"source": "relative"},
        {"dataschema": "https://elsewhere.example/agreement.signed.v1.schema.json"},
    ],
)
def test_an_event_that_is_refused_is_none_by_its_schema(flaws: Flaws, wrong: Schema):
    schema = {"$ref": "#/components/schemas/PostedEvent"}
    event = posted_examples()["agreement.registered.v1"]
    assert flaws(schema, event | {"extension": "x", "expectedversion": 0}) == []
    assert flaws(schema, event | wrong)


def test_what_the_registry_adds_cannot_be_posted(openapi: Schema):
    envelope = openapi["components"]["schemas"]["PostedEnvelope"]["properties"]
    assert {name for name, schema in envelope.items() if schema is False} == OUTGOING
