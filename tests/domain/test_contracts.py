"""The schemas, held against the events by a reader of our own that knows just the keywords they use."""

import copy
import json
import random
import re

import pytest

from registry.domain.codec import typed
from registry.domain.contracts import DIALECT, file_name, schemas
from registry.domain.events import EVENT_TYPES
from registry.domain.pointers import value_at
from registry.errors import Invalid

SCHEMAS = schemas()
FILES = {file_name(name): schema for name, schema in SCHEMAS.items()}

KINDS = {"object": dict, "array": list, "string": str, "boolean": bool, "integer": int}
SAID_ELSEWHERE = {
    "$schema",
    "$id",
    "$defs",
    "$comment",
    "title",
    "description",
    "examples",
    "default",
    "x-personal",
}


def matches(value, schema, root):
    return all(holds(keyword, wanted, value, schema, root) for keyword, wanted in schema.items())


def holds(keyword, wanted, value, schema, root):  # noqa: C901, PLR0912 - one branch a keyword
    if keyword in SAID_ELSEWHERE:
        return True
    match keyword:
        case "$ref":
            found = FILES.get(wanted) or root["$defs"][wanted.rpartition("/")[2]]
            return matches(value, found, FILES.get(wanted, root))
        case "type":
            return isinstance(value, KINDS[wanted]) and (wanted == "boolean" or not isinstance(value, bool))
        case "enum":
            return value in wanted
        case "const":
            return value == wanted
        case "pattern":
            return (
                re.search(wanted.replace("$", r"$(?!\n)") if wanted.endswith("$") else wanted, value)
                is not None
            )
        case "minLength" | "maxLength" | "minItems" | "maxItems" | "minProperties":
            return len(value) >= wanted if keyword.startswith("min") else len(value) <= wanted
        case "minimum":
            return value >= wanted
        case "maximum":
            return value <= wanted
        case "required":
            return all(name in value for name in wanted)
        case "properties":
            return all(matches(value[name], inner, root) for name, inner in wanted.items() if name in value)
        case "additionalProperties":
            others = [name for name in value if name not in schema.get("properties", {})]
            return all(
                wanted is not False and (wanted == {} or matches(value[name], wanted, root))
                for name in others
            )
        case "propertyNames":
            return all(matches(name, wanted, root) for name in value)
        case "dependentRequired":
            return all(set(wanted[name]) <= set(value) for name in value if name in wanted)
        case "items":
            return all(matches(element, wanted, root) for element in value)
        case "allOf":
            return all(matches(value, one, root) for one in wanted)
        case "if":
            return not matches(value, wanted, root) or matches(value, schema["then"], root)
        case "then":
            return True
    raise AssertionError(f"the schemas use {keyword}, which this test does not know")


def admits(name, body):
    """Tell whether the schema of a type admits a body; what is of the wrong kind has no length to ask for."""
    try:
        return matches(body, SCHEMAS[name], SCHEMAS[name])
    except (TypeError, AttributeError):
        return False


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_type_has_a_schema_that_admits_its_examples(name):
    schema = SCHEMAS[name]

    assert schema["$schema"] == DIALECT
    assert schema["$id"] == f"{name}.schema.json" == file_name(name)
    assert schema["title"] == name
    assert schema["examples"]
    assert all(admits(name, body) for body in schema["examples"])


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_every_field_says_what_it_is(name):
    for struct in (SCHEMAS[name], *SCHEMAS[name].get("$defs", {}).values()):
        assert struct["description"]
        assert struct["additionalProperties"] is False
        for field in struct["properties"].values():
            assert field["description"][0].isupper()


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_a_schema_is_json_and_free_of_null_and_of_python(name):
    text = json.dumps(SCHEMAS[name])

    assert json.loads(text) == SCHEMAS[name] | {"examples": json.loads(text)["examples"]}
    assert '"null"' not in text
    assert "(?!\\n)" not in text
    assert "(?P" not in text


def personal_fields(schema):
    for title, struct in (("", schema), *schema.get("$defs", {}).items()):
        for field, drawn in struct["properties"].items():
            if drawn.get("x-personal"):
                yield f"{title}.{field}".lstrip(".")


@pytest.mark.parametrize(
    ("name", "personal"),
    [
        ("signed", {"Signature.capacity", "Person.name"}),
        ("engagement-planned", {"Person.name"}),
        ("engagement-held", {"Person.name"}),
        ("role-held", {"Person.name", "title", "from", "to"}),
        ("statement-recorded", {"Person.name", "gist"}),
        ("institution-linked", set()),
        ("fact-recorded", set()),
    ],
)
def test_personal_fields_are_marked(name, personal):
    assert set(personal_fields(SCHEMAS[f"agreement.{name}.v1"])) == personal


def test_a_replacement_is_held_to_the_schema_of_the_type_it_replaces():
    name = "agreement.event-corrected.v1"
    body = copy.deepcopy(EVENT_TYPES[name].examples[0])
    assert admits(name, body)

    body["replacement"]["occurred"] = "someday"
    assert not admits(name, body)

    body["target"]["type"] = "agreement.event-retracted.v1"
    assert not admits(name, body)


STRANGE = [
    None, 1, True, -1, 70_000, "", "x", "2025", "2025-13", "A B", "pak", "SUHH", "USD", "XYZ", "P1Y", "P", "-1", "1e3",
    "https://x.example/", "binding", "public", "../2025", "/", "a" * 90, [], {}, [1], ["a"], {"en": "x"}, {"EN": "x"},
]  # fmt: skip


def places(value, at=()):
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, element in inner:
        yield from places(element, (*at, step))


def spoilt(body, chance):
    """Change one place of a body: take it away, put something strange there, or add what nobody knows."""
    body = copy.deepcopy(body)
    at = chance.choice([place for place in places(body) if place])
    holder = value_at(body, at[:-1])
    what = chance.random()
    if what < 0.3:
        del holder[at[-1]]
    elif what < 0.4 and isinstance(holder, dict):
        holder["extra"] = 1
    else:
        holder[at[-1]] = copy.deepcopy(chance.choice(STRANGE))
    return body


def refusal(name, body):
    """Say why a body is no event; nothing when it is one."""
    try:
        typed(name, body)
    except Invalid as refused:
        return refused.flaws[0].detail
    return ""


@pytest.mark.parametrize("name", EVENT_TYPES)
def test_a_schema_and_its_class_agree_on_what_is_spoilt(name):
    chance = random.Random(name)
    for body in [spoilt(example, chance) for example in EVENT_TYPES[name].examples for _ in range(60)]:
        reason = refusal(name, body)

        if "does not exist" not in reason:  # a pattern knows no calendar
            assert admits(name, body) is not bool(reason), (body, reason)
