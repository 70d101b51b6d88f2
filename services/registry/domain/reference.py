"""The page of the documentation on every event type, written from the classes so that it cannot lag."""

from types import ModuleType
from typing import Any

import msgspec

from registry.domain.contracts import Schema, schemas
from registry.domain.duration import DURATION_PATTERN
from registry.domain.edtf import DATE_PATTERN
from registry.domain.events import (
    EVENT_TYPES,
    Event,
    correction,
    engagement,
    evidence,
    follow_up,
    force,
    instrument,
    signature,
    term,
    who,
)
from registry.domain.events.event import read
from registry.domain.values import (
    AGREEMENT_ID_PATTERN,
    CODE_PATTERN,
    DECIMAL_PATTERN,
    END,
    EVENT_ID_PATTERN,
    ID_PATTERN,
    IN_WORDS,
    LINE_PATTERN,
    PERSON_ID_PATTERN,
    SHA256_PATTERN,
    SOURCE_PATTERN,
    TAG_PATTERN,
    TEXT_PATTERN,
    UNIT_PATTERN,
    URL_PATTERN,
)

_COMMON = ("cites", "confidence")
_MOST_WORDS = 12
_NAMES = {
    ID_PATTERN: "id",
    AGREEMENT_ID_PATTERN: "agreement id",
    PERSON_ID_PATTERN: "random UUID",
    EVENT_ID_PATTERN: "event id",
    SOURCE_PATTERN: "source",
    LINE_PATTERN: "line",
    TEXT_PATTERN: "text",
    TAG_PATTERN: "language tag",
    DECIMAL_PATTERN: "decimal",
    SHA256_PATTERN: "SHA-256",
    URL_PATTERN: "URL",
    CODE_PATTERN: "code",
    UNIT_PATTERN: "unit",
}
_KINDS = {pattern.replace(END, "$"): name for pattern, name in _NAMES.items()} | {
    DATE_PATTERN: "date",
    DURATION_PATTERN: "duration",
}

_INTRODUCTION = """\
# Events

An event is a claim by a source about one agreement. These are the types it can have, each with the fields of
its `data`. A field that says nothing is left out: `null` is refused, and so is a field that is not listed.
A JSON Schema of every type is published with the registry.

Every `data` may also carry:

{common}

A claim is *inferred* when every citation says so, else it is *stated*. *Once a source* lists the keys that a
source may claim only once: to say something else, it corrects the event. They are those of the example.
*Personal* fields go to their person's own part of the event, which can be erased.

## Kinds of values

| kind | what it is |
|---|---|
| date | EDTF: `2025-07-16`, `2025-07`, `2025`; open digits: `2025-07-1X`, `2025-XX`, `20XX` |
| | `~` approximate, `?` uncertain, `%` both, at the end |
| | some day within an interval: `2025-07-01/2025-07-16` |
| | an open or unknown end: `../2025`, `/2025`, `2025/..`, `2025/` |
| duration | ISO 8601 in years, months, weeks and days, such as `P2Y` or `P6M` |
| text by language | an object of at least one language tag with its text, such as `{{"en": "visit"}}` |
| country | ISO 3166-1 alpha-3, or ISO 3166-3 alpha-4 for a state that is no more, such as `SUHH` |
{kinds}
"""

_GROUPS = (instrument, signature, force, term, engagement, follow_up, who, evidence, correction)


def events_page() -> str:
    """Write the page, in Markdown."""
    drawn = schemas()
    kinds = "\n".join(f"| {_NAMES[pattern]} | {words} |" for pattern, words in IN_WORDS.items())
    first = next(iter(drawn.values()))
    lines = [_INTRODUCTION.format(common=_table(first, _COMMON), kinds=kinds)]
    structs: dict[str, Schema] = {}
    for schema in drawn.values():
        structs.update(schema.get("$defs", {}))
    for name in sorted(structs):
        fields = tuple(structs[name]["properties"])
        lines.append(f"### {name}\n\n{_prose(structs[name])}\n\n{_table(structs[name], fields)}\n")
    for group in _GROUPS:
        lines.append(f"## {(group.__doc__ or '').strip().rstrip('.')}\n")
        lines += [_section(cls, drawn[cls.type]) for cls in _of(group)]
    return "\n".join(lines)


def _of(group: ModuleType) -> list[type[Event]]:
    return [cls for cls in EVENT_TYPES.values() if cls.__module__ == group.__name__]


def _section(cls: type[Event], schema: Schema) -> str:
    own = tuple(name for name in schema["properties"] if name not in _COMMON)
    example = cls.examples[0]
    event = read(cls.type, example)
    predicates = [predicate for predicate, _ in event.claims()]
    paths = (f"{owned.at}/{value}" for owned in cls.personal for value in owned.values)
    notes = {
        "Claims": predicates,
        "Once a source": list(dict.fromkeys([*predicates, *event.keys()])),
        "Personal": [path.replace("*/", "").lstrip("/") for path in paths],
    }
    said = "".join(
        f"{title}: {', '.join(f'`{each}`' for each in listed)}.\n\n"
        for title, listed in notes.items()
        if listed
    )
    body = msgspec.json.format(msgspec.json.encode(example), indent=2).decode()
    return f"### `{cls.type}`\n\n{_prose(schema)}\n\n{_table(schema, own)}\n\n{said}```json\n{body}\n```\n"


def _prose(schema: Schema) -> str:
    """Give what a class says about itself; what Python marks with two backticks Markdown marks with one."""
    return str(schema["description"])


def _table(schema: Schema, names: tuple[str, ...]) -> str:
    required = schema.get("required", [])
    rows = ["| field | kind | | what it says |", "|---|---|---|---|"]
    for name in names:
        field = schema["properties"][name]
        need = "required" if name in required else ""
        rows.append(f"| `{name}` | {_kind(field)} | {need} | {field['description']} |")
    return "\n".join(rows)


def _kind(field: dict[str, Any]) -> str:
    """Name the kind of value that a field holds."""
    if "$ref" in field:
        name = field["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "enum" in field:
        words = field["enum"]
        return ", ".join(f"`{word}`" for word in words) if len(words) <= _MOST_WORDS else _of_many(words)
    if field["type"] == "array":
        return f"list of {_kind(field['items'])}"
    if "pattern" in field:
        return _KINDS.get(field["pattern"], "predicate")
    if field["type"] == "object":
        return "text by language" if "propertyNames" in field else "object"
    return {"boolean": "true or false", "integer": "integer"}[field["type"]]


def _of_many(words: list[str]) -> str:
    return "event type" if words[0] in EVENT_TYPES else "country"
