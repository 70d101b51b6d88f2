"""The published documents, as a reader gets them, and a validator for what they describe."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from registry.api.openapi import describe
from registry.api.routes import route_handlers
from registry.domain.contracts import file_name, schemas
from registry.ui.routes import page_handlers

Schema = dict[str, Any]
Flaws = Callable[[Schema, Any], list[str]]


@pytest.fixture(scope="session")
def openapi() -> Schema:
    """The description of the API."""
    read: Schema = json.loads(json.dumps(describe([*route_handlers, *page_handlers])))
    return read


@pytest.fixture(scope="session")
def flaws(openapi: Schema) -> Flaws:
    """Tell what is wrong with a value by a schema of the description of the API."""
    return checker(openapi)


@pytest.fixture(scope="session")
def type_schemas() -> dict[str, Schema]:
    """The JSON Schema of every event type, by its type."""
    read: dict[str, Schema] = json.loads(json.dumps(schemas()))
    return read


@pytest.fixture(scope="session")
def data_flaws(type_schemas: dict[str, Schema]) -> Callable[[str, Any], list[str]]:
    """Tell what is wrong with the data of an event by the published schema of its type."""
    resources = [(file_name(name), Resource.from_contents(schema)) for name, schema in type_schemas.items()]
    known: Registry[Any] = Registry().with_resources(resources)

    def check(name: str, data: Any) -> list[str]:
        validator = Draft202012Validator(
            type_schemas[name], registry=known, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(data)]

    return check


def checker(document: Schema) -> Flaws:
    """Make a check of values by the schemas that stand in a document."""
    resource = Resource.from_contents(document, default_specification=DRAFT202012)
    known: Registry[Any] = Registry().with_resource("urn:document", resource)

    def check(schema: Schema, value: Any) -> list[str]:
        standing = json.loads(json.dumps(schema).replace('"#/', '"urn:document#/'))
        validator = Draft202012Validator(
            standing, registry=known, format_checker=Draft202012Validator.FORMAT_CHECKER
        )
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(value)]

    return check


def examples_in(part: Any, where: str = "") -> Iterator[tuple[str, Schema, Any]]:
    """Yield every example of a document: its place, the schema it is an example of, and the example."""
    if isinstance(part, list):
        for index, each in enumerate(part):
            yield from examples_in(each, f"{where}/{index}")
    if not isinstance(part, dict):
        return
    if "schema" in part:
        if "example" in part:
            yield where, part["schema"], part["example"]
        for name, example in part.get("examples", {}).items():
            yield f"{where}/{name}", part["schema"], example["value"]
    elif isinstance(part.get("examples"), list) and ("type" in part or "$ref" in part):
        for index, example in enumerate(part["examples"]):
            yield f"{where}/examples/{index}", part, example
    for name, each in part.items():
        yield from examples_in(each, f"{where}/{name}")
