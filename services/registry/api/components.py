"""The schemas of the description: our own answers, the envelope, and ``data`` for every event type."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from registry.domain.attributes import MAX_ID, MAX_SOURCE, MAX_VERSION, type_flaw
from registry.domain.cloudevents import OUTGOING
from registry.domain.contracts import file_name, for_readers, schemas
from registry.domain.events import EVENT_TYPES, EventCorrected
from registry.http.problems import Problem
from registry.store.receipt import Forecast

Schema = dict[str, Any]

PREFIX = "#/components/schemas/"
SCHEMA_FILE = file_name("")

_FIRST = "[A-Za-z0-9._~!$&'()*+,;=:@?-]"
_URI = f"({_FIRST}|/|%[0-9A-Fa-f]{{2}})"
_IPV6 = r"(//\[[0-9A-Fa-f:.]+\])?"
_ANY_URI = f"([A-Za-z][A-Za-z0-9+.-]*:{_IPV6}{_URI}*|(/{_FIRST}{_URI}*)?)"
"""A URI without what only a parser can tell: it admits all that are taken, and some that are not."""
_STRING = {"type": "string", "pattern": "^[^\\x00-\\x1f\\x7f-\\x9f]*$"}
_ENVELOPE: Schema = {
    "specversion": {"const": "1.0", "description": "The version of CloudEvents"},
    "id": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_ID,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
        "description": "With `source` the identity of the event, for ever: posting it again is safe",
    },
    "source": {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_SOURCE,
        "pattern": f"^([A-Za-z][A-Za-z0-9+.-]*:{_IPV6}{_URI}*|/(({_FIRST}|%[0-9A-Fa-f]{{2}}){_URI}*)?)(#{_URI}*)?$",
        "description": "The claimant, an office or a report: an absolute URI or a URI path without user info",
    },
    "type": {"type": "string", "description": "The event type"},
    "subject": {
        "type": "string",
        "pattern": "^[a-z0-9][a-z0-9-]{2,79}$",
        "description": "The id of the agreement, chosen by whoever registers it first",
    },
    "time": {
        "type": "string",
        "format": "date-time",
        "description": "Kept and given back; when something happened stands in `data`",
    },
    "dataschema": {
        "type": "string",
        "format": "uri-reference",
        "description": "If given, it names the schema of the type: it ends in `/<type>.schema.json`",
    },
    "correlationid": {**_STRING, "description": "Names what the event belongs to; kept"},
    "causationid": {**_STRING, "description": "Names what caused the event; kept"},
    "traceparent": {**_STRING, "description": "Trace context of the posting (W3C); kept, never compared"},
    "tracestate": {**_STRING, "description": "Trace state of the posting (W3C); kept, never compared"},
}
_POSTED: Schema = {
    "datacontenttype": {
        "type": "string",
        "pattern": "^application/json( *; *charset=utf-8)?$",
        "description": "Absent or `application/json`; not kept",
    },
    "expectedversion": {
        "type": ["integer", "string"],
        "minimum": 0,
        "maximum": MAX_VERSION,
        "pattern": "^(0|[1-9][0-9]{0,8})$",
        "description": "The version the agreement must have, 0 if it must not exist; not kept",
    },
    "data": {"type": "object", "description": "What is said; the type says how"},
    **dict.fromkeys(sorted(OUTGOING), False),  # what cannot be posted
}
_RECORDED: Schema = {
    "recordedtime": {"type": "string", "format": "date-time", "description": "When it was recorded"},
    "sequence": {
        "type": "string",
        "pattern": "^[0-9]{19}$",
        "description": "Its position, with leading zeros, as this extension sorts as text",
    },
    "agreementversion": {"type": "integer", "minimum": 1, "description": "Its version in its agreement"},
    "leafhash": {
        "type": "string",
        "pattern": "^[0-9a-f]{64}$",
        "description": "The hash of its leaf in the tree of the log",
    },
    "erasedparts": {"type": "string", "description": "Numbers of its erased parts, separated by commas"},
    "withheldparts": {
        "type": "string",
        "description": "Numbers of its parts that whoever asks may not see, separated by commas",
    },
    "data": {
        "type": "object",
        "description": 'As posted; an erased or withheld value is `{"$part": k}`. Absent when all of it is erased',
    },
}
ERASED: Schema = {
    "type": "object",
    "description": "Some of what it says has been erased, or is withheld: "
    '`{"$part": k}` stands in the place of each such value',
}
_OTHERS = {
    **_STRING,
    "type": ["string", "boolean", "integer"],
    "minimum": -(2**31),
    "maximum": 2**31 - 1,
    "description": "Any other extension; given back as a string",
}
_REQUIRED = ["specversion", "id", "source", "type", "subject"]


def of_types(types: Iterable[Any]) -> tuple[list[Schema], dict[str, Schema]]:
    """Describe types of ours: a schema each, and the components that these refer to.

    A forecast and a problem are among them; what refers to these does so by name.
    """
    found, components = msgspec.json.schema_components(
        [*types, Forecast, Problem], schema_hook=lambda _: {"type": "string"}, ref_template=PREFIX + "{name}"
    )
    return list(found[:-2]), for_readers(components)


def of_events() -> dict[str, Schema]:
    """Describe events: the envelope, ``data`` by type, and what is posted and given back."""
    components: dict[str, Schema] = {}
    for type_, schema in schemas().items():
        _hoist(type_, schema, components)
    mapping = {type_: f"{PREFIX}event.{type_}" for type_ in schemas() if type_flaw(type_) is None}
    for type_ in mapping:
        components[f"event.{type_}"] = {
            "title": type_,
            "allOf": [{"$ref": f"{PREFIX}PostedEnvelope"}],
            "properties": {
                "type": {"const": type_},
                "data": {"$ref": PREFIX + type_},
                "dataschema": {"pattern": f"^{_ANY_URI}/{re.escape(type_)}\\.schema\\.json$"},
            },
            "required": ["data"],
        }
    components["PostedEnvelope"] = _object(
        _ENVELOPE | _POSTED, _REQUIRED, "The attributes of an event", _OTHERS
    )
    components["PostedEvent"] = {
        "description": "An event as it is posted (CloudEvents 1.0); `type` decides what `data` is",
        "oneOf": [{"$ref": ref} for ref in mapping.values()],
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }
    return components | of_recorded_events()


def of_recorded_events() -> dict[str, Schema]:
    """Describe events as they are given back, by type, beside the schemas of ``data``."""
    components: dict[str, Schema] = {"ErasedData": ERASED}
    for type_, cls in EVENT_TYPES.items():
        data: Schema = {"$ref": PREFIX + type_}
        if cls.personal or cls is EventCorrected:  # whose replacement may have what its target has
            data = {"anyOf": [data, {"$ref": f"{PREFIX}ErasedData"}]}
        components[f"recorded.{type_}"] = {
            "title": type_,
            "allOf": [{"$ref": f"{PREFIX}RecordedEnvelope"}],
            "properties": {"type": {"const": type_}, "data": data},
        }
    components["RecordedEnvelope"] = _object(
        _ENVELOPE | _RECORDED,
        [*_REQUIRED, "recordedtime", "sequence", "agreementversion", "leafhash"],
        "The attributes of an event as it is given back",
        {**_STRING, "description": "Any other extension it was posted with"},
    )
    mapping = {type_: f"{PREFIX}recorded.{type_}" for type_ in EVENT_TYPES}
    components["RecordedEvent"] = {
        "description": "An event as it is given back (CloudEvents 1.0); `type` decides what `data` is. There may "
        "come to be more types: pass over what you do not know",
        "oneOf": [{"$ref": ref} for ref in mapping.values()],
        "discriminator": {"propertyName": "type", "mapping": mapping},
    }
    return components


def _object(properties: Schema, required: list[str], description: str, others: Schema) -> Schema:
    return {
        "type": "object",
        "description": description,
        "properties": properties,
        "required": required,
        "propertyNames": {"pattern": "^[a-z0-9]+$"},
        "additionalProperties": others,
    }


def _hoist(type_: str, schema: Schema, components: dict[str, Schema]) -> None:
    """Put a schema that stands by itself among the components, its definitions beside it as ``data.<name>``.

    A definition of one name is the same in every type.
    """
    for name, definition in schema.get("$defs", {}).items():
        components[f"data.{name}"] = _pointed(definition)
    components[type_] = _pointed(
        {key: value for key, value in schema.items() if key not in ("$schema", "$id", "$defs")}
    )


def _pointed(schema: Any) -> Any:
    """Point the references of a schema that stood by itself to where they now lead."""
    if isinstance(schema, list):
        return [_pointed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    pointed = {key: _pointed(value) for key, value in schema.items()}
    if isinstance(ref := schema.get("$ref"), str):
        local = ref.removeprefix("#/$defs/")
        pointed["$ref"] = PREFIX + (f"data.{local}" if local != ref else ref.removesuffix(SCHEMA_FILE))
    return pointed
