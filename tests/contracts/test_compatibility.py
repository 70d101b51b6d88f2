"""What was released holds on; and what finds out is itself held to pairs made by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

from contracts.conftest import Schema
from registry.cli.compatibility import breaks
from registry.cli.contracts import broken_by, contracts, released
from registry.cli.narrowing import Schemas
from registry.store.migrate import resource

TEXT = {"type": "string"}
OBJECT = {"type": "object", "properties": {"a": TEXT}, "required": ["a"]}


def said(direction: Any, old: Any, new: Any, document: Schema | None = None) -> list[str]:
    """What is broken between two schemas, in words."""
    return [str(one) for one in Schemas(document or {}, document or {}).compare(old, new, direction, "x")]


def test_nothing_that_was_released_is_broken():
    assert broken_by(contracts(), resource("contracts") / "released") == []


def test_there_is_a_release():
    assert "openapi.json" in released(resource("contracts") / "released")


def test_the_last_release_is_the_one_of_the_highest_version(tmp_path: Path):
    assert released(tmp_path) == {}
    for version in ("0.9.0", "0.10.0"):
        (tmp_path / version).mkdir()
        (tmp_path / version / "openapi.json").write_text(json.dumps(version))
    assert released(tmp_path) == {"openapi.json": "0.10.0"}


@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        ({"type": "string"}, {"type": "integer"}, "x: was string and is integer"),
        ({"type": "number"}, {"type": "integer"}, "x: was integer or number and is integer"),
        ({}, {"type": "null"}, "x: was anything and is null"),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, "x: cannot be 'b' any more"),
        ({"const": 1}, {"const": 2}, "x: cannot be 1 any more"),
        (TEXT, {"type": "string", "enum": ["a"]}, "x: is narrowed to some words"),
        (TEXT, {"type": "string", "maxLength": 5}, "x: is narrowed: maxLength is 5"),
        ({"type": "integer", "minimum": 0}, {"type": "integer", "minimum": 1}, "x: is narrowed: minimum is 1"),
        (TEXT, {"type": "string", "pattern": "^a$"}, "x: has another pattern"),
        (OBJECT, {**OBJECT, "required": ["a", "b"]}, "x/b: is required now"),
        (OBJECT, {**OBJECT, "additionalProperties": False}, "x: takes no other fields any more"),
        (
            {**OBJECT, "additionalProperties": False},
            {"type": "object", "additionalProperties": False},
            "x/a: is gone",
        ),
        ({"type": "array", "items": TEXT}, {"type": "array", "items": {"type": "null"}}, "x/*: was string and is null"),
        (TEXT, False, "x: is not possible any more"),
        (TEXT, {"allOf": [TEXT, False]}, "x: is not possible any more"),
        ({"anyOf": [TEXT, {"type": "null"}]}, {"anyOf": [TEXT]}, "x|null: was null and is string"),
        (TEXT, {"anyOf": [TEXT]}, "x: is narrowed to some choices"),
        ({"allOf": [OBJECT]}, {"allOf": [{**OBJECT, "required": ["a", "c"]}]}, "x/c: is required now"),
        (
            {"if": OBJECT, "then": TEXT},
            {"if": OBJECT, "then": {"type": "null"}},
            "x: was string and is null",
        ),
    ],
)  # fmt: skip
def test_who_sends_must_be_able_to_send_what_was_taken_before(old: Any, new: Any, broken: str):
    assert broken in said("sent", old, new)
    assert said("sent", old, old) == said("sent", new, new) == []


@pytest.mark.parametrize(
    ("old", "new", "broken"),
    [
        (TEXT, {"type": ["string", "null"]}, "x: was string and is null or string"),
        (OBJECT, {"type": "object"}, "x/a: is gone"),
        (OBJECT, {"type": "object", "properties": {"a": TEXT}}, "x/a: may be absent now"),
        ({"enum": ["a", "b"]}, {"enum": ["a"]}, "x: cannot be 'b' any more"),
        ({"enum": ["a"]}, TEXT, "x: can be any value now"),
        ({"anyOf": [TEXT]}, {"anyOf": [TEXT, {"type": "null"}]}, "x|null: was string and is null"),
        ({"anyOf": [TEXT]}, TEXT, "x: is none of its choices any more"),
    ],
)
def test_who_reads_must_find_what_was_there_before(old: Any, new: Any, broken: str):
    assert broken in said("read", old, new)
    assert said("read", old, old) == said("read", new, new) == []


@pytest.mark.parametrize(
    ("direction", "old", "new"),
    [
        ("sent", TEXT, {"type": ["string", "null"]}),
        ("sent", {"enum": ["a"]}, {"enum": ["a", "b"]}),
        ("sent", {"enum": ["a"]}, TEXT),
        ("sent", {"type": "string", "maxLength": 5}, TEXT),
        ("sent", OBJECT, {"type": "object", "properties": {"a": TEXT, "b": TEXT}}),
        ("sent", OBJECT, {"type": "object"}),
        ("sent", False, TEXT),
        ("sent", {"properties": {"a": False}}, {"additionalProperties": True}),
        ("sent", {"if": OBJECT, "then": TEXT}, {"if": TEXT, "then": OBJECT}),
        ("read", {"type": ["string", "null"]}, TEXT),
        ("read", {"enum": ["a"]}, {"enum": ["a", "b"]}),
        ("read", OBJECT, {**OBJECT, "properties": {"a": TEXT, "b": TEXT}, "required": ["a", "b"]}),
        ("read", TEXT, {"type": "string", "maxLength": 5}),
    ],
)
def test_what_only_adds_breaks_nothing(direction: Any, old: Any, new: Any):
    assert said(direction, old, new) == []


def test_references_are_followed_and_one_to_itself_only_once():
    tree = {"type": "object", "properties": {"next": {"$ref": "#/defs/Tree"}, "value": TEXT}}
    other = {**tree, "properties": {**tree["properties"], "value": {"type": "null"}}}  # type: ignore[dict-item]
    compare = Schemas({"defs": {"Tree": tree}}, {"defs": {"Tree": other}}).compare
    found = compare({"$ref": "#/defs/Tree"}, {"$ref": "#/defs/Tree"}, "sent", "x")
    assert [str(one) for one in found] == ["x/value: was string and is null"]
    assert said("sent", {"$ref": "other.json"}, {"$ref": "other.json"}) == []


def test_a_choice_is_compared_with_the_one_of_its_name():
    document = {"defs": {"A": OBJECT, "B": TEXT}}
    choice = {"oneOf": [{"$ref": "#/defs/A"}, {"$ref": "#/defs/B"}]}
    changed = {"defs": {"A": {**OBJECT, "required": ["a", "b"]}, "B": TEXT}}
    found = Schemas(document, changed).compare(choice, choice, "sent", "x")
    assert [str(one) for one in found] == ["x|A/b: is required now"]
    gone = Schemas(document, document).compare(choice, {"oneOf": [{"$ref": "#/defs/A"}]}, "sent", "x")
    assert "x|B: was string and is object" in [str(one) for one in gone]


def test_what_is_told_apart_by_a_word_may_come_to_be_more_for_readers_and_must_stay_what_it_is():
    document = {"defs": {"A": OBJECT, "B": TEXT}}
    one = {"oneOf": [{"$ref": "#/defs/A"}], "discriminator": {"propertyName": "type"}}
    two = {**one, "oneOf": [{"$ref": "#/defs/A"}, {"$ref": "#/defs/B"}]}
    assert said("read", one, two, document) == said("read", two, one, document) == []
    assert said("sent", two, one, document)
    changed = {"defs": {"A": {"type": "object"}, "B": TEXT}}
    found = Schemas(document, changed).compare(one, two, "read", "x")
    assert "x|A/a: is gone" in [str(one) for one in found]


def api(**changed: Any) -> Schema:
    """The description of an API with one operation."""
    operation = {
        "operationId": "post_things",
        "parameters": [{"in": "query", "name": "limit", "schema": {"type": "integer"}}],
        "requestBody": {"content": {"application/json": {"schema": OBJECT}}},
        "responses": {
            "200": {"headers": {"ETag": {}}, "content": {"application/json": {"schema": OBJECT}}},
            "404": {"$ref": "#/components/responses/problem-404"},
        },
    }
    return {"paths": {"/things": {"post": operation | changed}}}


ANSWER = api()["paths"]["/things"]["post"]["responses"]["200"]


@pytest.mark.parametrize(
    ("new", "broken"),
    [
        ({"paths": {}}, "/things: is gone"),
        ({"paths": {"/things": {}}}, "POST /things: is gone"),
        (api(operationId="create"), "POST /things: is no longer called post_things"),
        (api(parameters=[]), "POST /things limit: is gone"),
        (
            api(parameters=[{"in": "query", "name": "limit", "schema": {"type": "integer"}, "required": True}]),
            "POST /things limit: is required now",
        ),
        (
            api(parameters=[{"in": "query", "name": "limit", "schema": {"type": "boolean"}}]),
            "POST /things limit: was integer and is boolean",
        ),
        (api(requestBody=None), "POST /things: takes no body any more"),
        (api(requestBody={"content": {}}), "POST /things: does not take application/json any more"),
        (
            api(requestBody={"required": True, "content": {"application/json": {"schema": OBJECT}}}),
            "POST /things: needs a body now",
        ),
        (
            api(requestBody={"content": {"application/json": {"schema": {**OBJECT, "required": ["a", "b"]}}}}),
            "POST /things application/json/b: is required now",
        ),
        (api(responses={}), "POST /things 200: is gone"),
        (api(responses={"200": ANSWER | {"headers": {}}}), "POST /things 200 ETag: is gone"),
        (api(responses={"200": ANSWER | {"content": {}}}), "POST /things 200 application/json: is gone"),
        (
            api(responses={"200": ANSWER | {"content": {"application/json": {"schema": {"type": "object"}}}}}),
            "POST /things 200 application/json/a: is gone",
        ),
    ],
)  # fmt: skip
def test_what_breaks_a_client_of_the_api_is_found(new: Schema, broken: str):
    assert broken in [str(one) for one in breaks({"openapi.json": api()}, {"openapi.json": new})]
    assert breaks({"openapi.json": new}, {"openapi.json": new}) == []


def test_a_new_path_parameter_and_answer_break_nothing():
    new = api(
        parameters=[*api()["paths"]["/things"]["post"]["parameters"], {"in": "query", "name": "x", "schema": {}}],
        responses={"200": ANSWER, "202": ANSWER},
    )  # fmt: skip
    new["paths"]["/others"] = new["paths"]["/things"]
    assert breaks({"openapi.json": api()}, {"openapi.json": new}) == []


def streams(address: str = "/events", payload: Any = OBJECT, query: Any = OBJECT, **names: str) -> Schema:
    """The description of one stream."""
    message = names.get("message", "thing")
    return {
        "channels": {names.get("channel", "live"): {"address": address, "messages": {message: {}}}},
        "operations": {names.get("operation", "receive"): {"bindings": {"http": {"query": query}}}},
        "components": {"messages": {message: {"payload": payload}}},
    }


@pytest.mark.parametrize(
    ("new", "broken"),
    [
        (streams(channel="other"), "channels/live: is gone"),
        (streams(operation="other"), "operations/receive: is gone"),
        (streams(message="other"), "channels/live/thing: is gone"),
        (streams("/elsewhere"), "channels/live: is no longer at /events"),
        (streams(payload={"type": "object"}), "messages/thing/a: is gone"),
        (streams(query={**OBJECT, "required": ["a", "b"]}), "operations/receive/b: is required now"),
    ],
)
def test_what_breaks_a_listener_is_found(new: Schema, broken: str):
    assert broken in [str(one) for one in breaks({"asyncapi.json": streams()}, {"asyncapi.json": new})]
    assert breaks({"asyncapi.json": new}, {"asyncapi.json": new}) == []


def test_a_contract_that_is_gone_or_narrower_is_found():
    old = {"thing.schema.json": OBJECT, "gone.schema.json": OBJECT}
    new = {"thing.schema.json": {**OBJECT, "required": ["a", "b"]}}
    assert [str(one) for one in breaks(old, new)] == [
        "gone.schema.json: is gone",
        "thing.schema.json/b: is required now",
    ]
