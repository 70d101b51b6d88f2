"""What the vocabulary promises to those who post and read: one JSON Schema a type (2020-12)."""

from typing import Any

import msgspec

from registry.domain.duration import DURATION_PATTERN, Duration
from registry.domain.edtf import DATE_PATTERN, Edtf
from registry.domain.events import EVENT_TYPES, Event, EventCorrected
from registry.domain.events.correction import NEVER_REPLACED
from registry.domain.shapes import description_of, fields_of, owner_of, structs_of
from registry.domain.values import END, Actor, Place

Schema = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"

_CUSTOM: dict[type, Schema] = {
    Edtf: {
        "type": "string",
        "pattern": DATE_PATTERN,
        "$comment": "A possible date in the subset of EDTF that the documentation lists",
    },
    Duration: {"type": "string", "pattern": DURATION_PATTERN},
}
# What a struct checks by itself, said once more for who reads the schema.
_ALSO: dict[type, Schema] = {
    Actor: {"minProperties": 1},
    Place: {"dependentRequired": {"lat": ["lon"], "lon": ["lat"]}},
}


def file_name(name: str) -> str:
    """Give the name of the file with the schema of a type."""
    return f"{name}.schema.json"


def schemas() -> dict[str, Schema]:
    """Give the JSON Schema of ``data`` for every type. Personal fields are marked ``"x-personal": true``."""
    return {name: _schema(cls) for name, cls in EVENT_TYPES.items()}


def _schema(cls: type[Event]) -> Schema:
    defs: dict[str, Schema] = msgspec.json.schema(cls, schema_hook=_custom)["$defs"]
    structs = structs_of(cls)
    for name, struct in structs.items():
        defs[name] = _described(struct, defs[name])
    for owned in cls.personal:
        for value in owned.values:
            path = [step for step in f"{owned.at}/{value}".split("/") if step]
            properties = defs[owner_of(cls, path).__name__]["properties"]
            properties[path[-1]]["x-personal"] = True
    root = defs.pop(cls.__name__)
    if cls is EventCorrected:
        _replacements(root, defs)
    schema = {"$schema": DIALECT, "$id": file_name(cls.type), **root, "title": cls.type}
    return schema | {"examples": list(cls.examples)} | ({"$defs": defs} if defs else {})


def _custom(kind: type) -> Schema:
    return dict(_CUSTOM[kind])


def _described(struct: type[Any], drawn: Schema) -> Schema:
    """Take out what is msgspec's own: null for an absent field, and the end of a pattern as Python has it."""
    properties = {}
    for field in fields_of(struct):
        given = drawn["properties"][field.encode_name]
        if "anyOf" in given:
            given = next(kind for kind in given["anyOf"] if kind.get("type") != "null")
        if given.get("default", ...) in (None, ()):
            given = {key: value for key, value in given.items() if key != "default"}
        properties[field.encode_name] = {"description": description_of(field), **for_readers(given)}
    required = {"required": drawn["required"]} if drawn["required"] else {}
    return {**for_readers(drawn), "properties": properties} | required | _ALSO.get(struct, {})


def for_readers(schema: Any) -> Any:
    """Write patterns for ECMA-262, where ``$`` is the end and nothing else; and code in Markdown."""
    if isinstance(schema, dict):
        return {key: for_readers(value) for key, value in schema.items()}
    if isinstance(schema, (list, tuple)):
        return [for_readers(value) for value in schema]
    return schema.replace(END, "$").replace("``", "`") if isinstance(schema, str) else schema


def _replacements(root: Schema, defs: dict[str, Schema]) -> None:
    """Tie the replacement of a correction to the type of its target."""
    names = sorted(EVENT_TYPES.keys() - NEVER_REPLACED)
    defs["CorrectedRef"]["properties"]["type"]["enum"] = names
    root["allOf"] = [
        {
            "if": {"properties": {"target": {"properties": {"type": {"const": name}}}}},
            "then": {"properties": {"replacement": {"$ref": file_name(name)}}},
        }
        for name in names
    ]
