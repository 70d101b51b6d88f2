"""Forms made of the JSON Schemas of the event types: which fields there are, and what was put into them.

A field is named by its JSON pointer in the event, of which array indexes count the rows of the form.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final

import msgspec

from registry.domain import strict_json
from registry.domain.contracts import schemas
from registry.errors import Malformed
from registry.ui.fields import BadField

DATA: Final = "/data"
MOST_ROWS = 50
"""Of one array in one form."""
LONG = 5000
"""Letters from which on a text is written in more than a line."""
LAST: Final = ("cites", "confidence")
"""What every type has, and which comes behind what it says itself."""

Schema = Mapping[str, Any]
Given = dict[str, str]


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """A field of the form, or several."""

    name: str
    label: str
    says: str
    kind: str
    """``line``, ``text``, ``date``, ``choice``, ``truth`` or ``json``; ``group``, ``rows`` or ``texts`` have fields."""
    required: bool
    personal: bool = False
    value: str = ""
    options: tuple[str, ...] = ()
    fields: tuple["Field", ...] = ()
    fresh: bool = False
    """Whether a new random id can be put in."""
    more: bool = False
    """Whether a row can be added."""
    less: bool = False
    """Whether rows can be taken out."""
    flaws: tuple[str, ...] = ()

    @property
    def open(self) -> bool:
        """Whether something is in it, or wrong with it."""
        return bool(self.value or self.flaws) or any(field.open for field in self.fields)


class Read(msgspec.Struct):
    """What a form says. Made by one reading of it."""

    data: dict[str, Any]
    names: dict[str, str]
    """The field that is behind each JSON pointer of the event."""
    flaws: dict[str, list[str]]
    """What is wrong with fields, by name, before anything is known of the event."""
    known: set[str]
    """The names of what can be filled in."""
    places: set[str]
    """The names of everything in the form, groups and rows among it."""


@lru_cache
def schema_of(type_: str) -> Schema:
    """Give the schema of a type."""
    return schemas()[type_]


class Form:
    """The form of one type with what was put into it. Lives for one request."""

    def __init__(self, type_: str, given: Given) -> None:
        self._schema = schema_of(type_)
        self._given = given
        self._rows = _rows_in(given)

    def read(self) -> Read:
        """Put the ``data`` together that was filled in. Raises BadField on too many rows."""
        found = Read({}, {}, {}, set(), set())
        found.data = self._value(self._schema, DATA, DATA, found, required=True)
        return found

    def fields(self, flaws: Mapping[str, list[str]]) -> tuple[Field, ...]:
        """Give the fields to show, each with what is wrong with it."""
        return self._field(self._schema, DATA, flaws, required=True).fields

    def add(self, name: str) -> None:
        """Have one more row."""
        self._rows[name] = self._rows.get(name, 0) + 1

    def _field(self, schema: Schema, name: str, flaws: Mapping[str, list[str]], *, required: bool) -> Field:
        whole = schema
        schema = self._target(schema)
        kind = kind_of(schema)
        fields: list[Field] = []
        many = self._count(schema, kind, name, required=required)
        if kind == "group":
            needed = schema.get("required", ())
            fields = [
                self._field(inner, f"{name}/{key}", flaws, required=key in needed)
                for key, inner in sorted(schema["properties"].items(), key=lambda one: one[0] in LAST)
            ]
        elif kind == "rows":
            fields = [self._field(schema["items"], f"{name}/{n}", flaws, required=True) for n in range(many)]
        elif kind == "texts":
            fields = [self._text(f"{name}/{n}", flaws, first=n == 0) for n in range(many)]
        return Field(
            name=name,
            label=name.rpartition("/")[2].replace("_", " "),
            says=str(whole.get("description", "")),
            kind=kind,
            required=required,
            personal=bool(whole.get("x-personal")),
            value=self._given.get(name, ""),
            options=tuple(schema.get("enum", ())),
            fields=tuple(fields),
            fresh=name.endswith("/person_id"),
            more=kind in ("rows", "texts") and many < min(MOST_ROWS, schema.get("maxItems", MOST_ROWS)),
            less=many > max(1 if required else 0, schema.get("minItems", 0)),
            flaws=tuple(flaws.get(name, ())),
        )

    def _text(self, name: str, flaws: Mapping[str, list[str]], *, first: bool) -> Field:
        tag = self._given.get(f"{name}/tag", "en" if first else "")
        inner = Field(
            name=f"{name}/text",
            label="text",
            says="",
            kind="text",
            required=False,
            value=self._given.get(f"{name}/text", ""),
            flaws=tuple(flaws.get(f"{name}/text", ())),
        )
        return Field(name=name, label="", says=tag, kind="text-row", required=False, fields=(inner,))

    def _value(self, schema: Schema, name: str, pointer: str, found: Read, *, required: bool) -> Any:
        schema = self._target(schema)
        kind = kind_of(schema)
        found.names[pointer] = name
        found.places.add(name)
        if kind == "group":
            needed = schema.get("required", ())
            read = {
                key: self._value(inner, f"{name}/{key}", f"{pointer}/{key}", found, required=key in needed)
                for key, inner in schema["properties"].items()
            }
            whole = {key: value for key, value in read.items() if value is not None and value != {}}
            return whole if whole or (required and pointer == DATA) else None
        if kind == "texts":
            return self._texts(name, pointer, found, self._count(schema, kind, name, required=required))
        if kind == "rows":
            return self._list(schema, name, pointer, found, required=required)
        found.known.add(name)
        text = self._given.get(name, "")
        if not text:
            return None
        if kind == "truth":
            return {"true": True, "false": False}.get(text, text)
        return self._json(name, text, found) if kind == "json" else text

    def _list(self, schema: Schema, name: str, pointer: str, found: Read, *, required: bool) -> Any:
        values: list[Any] = []
        for n in range(self._count(schema, "rows", name, required=required)):
            place = f"{pointer}/{len(values)}"
            value = self._value(schema["items"], f"{name}/{n}", place, found, required=False)
            if value is not None:
                values.append(value)
        return values or None

    def _texts(self, name: str, pointer: str, found: Read, many: int) -> Any:
        texts: dict[str, str] = {}
        for n in range(many):
            row = f"{name}/{n}/text"
            found.known |= {row, f"{name}/{n}/tag"}
            found.places.add(f"{name}/{n}")
            tag, text = self._given.get(f"{name}/{n}/tag", ""), self._given.get(row, "")
            if not text:
                continue
            found.names[f"{pointer}/{tag}"] = row
            if tag in texts:
                found.flaws.setdefault(row, []).append(f"there is a text with the language {tag!r} already")
            texts[tag] = text
        return texts or None

    def _json(self, name: str, text: str, found: Read) -> Any:
        try:
            return strict_json.decode(text.encode())
        except Malformed as error:
            found.flaws.setdefault(name, []).append(error.detail)
            return {}

    def _count(self, schema: Schema, kind: str, name: str, *, required: bool) -> int:
        """Tell how many rows an array has: those that are there, and those that it must have."""
        least = {"rows": max(1, schema.get("minItems", 0)) if required else 0, "texts": 1}.get(kind, 0)
        many = max(least, self._rows.get(name, 0))
        if many > MOST_ROWS:
            raise BadField(name, f"has more than {MOST_ROWS} rows")
        return many

    def _target(self, schema: Schema) -> Schema:
        ref = schema.get("$ref")
        if ref is None:
            return schema
        target: Schema = self._schema["$defs"][ref.removeprefix("#/$defs/")]
        return target


def kind_of(schema: Schema) -> str:
    """Tell which kind of field fits a schema."""
    if "enum" in schema:
        return "choice"
    match schema.get("type"):
        case "array":
            return "rows"
        case "boolean":
            return "truth"
        case "object":
            return "group" if "properties" in schema else "texts" if "propertyNames" in schema else "json"
    if "$comment" in schema:
        return "date"
    return "text" if schema.get("maxLength", 0) >= LONG else "line"


def without_row(given: Given, row: str) -> Given:
    """Take a row out; those behind it move up."""
    array, _, number = row.rpartition("/")
    if not number.isdecimal() or not number.isascii():
        raise BadField("do", "names no row")
    kept: Given = {}
    for name, value in given.items():
        place = name.removeprefix(f"{array}/")
        n, slash, rest = place.partition("/")
        if place == name or not n.isdecimal() or int(n) < int(number):
            kept[name] = value
        elif int(n) > int(number):
            kept[f"{array}/{int(n) - 1}{slash}{rest}"] = value
    return kept


def _rows_in(given: Given) -> dict[str, int]:
    """Count the rows of every array by the names of what was sent."""
    rows: dict[str, int] = {}
    for name in given:
        tokens = name.split("/")
        for place, token in enumerate(tokens):
            if token.isascii() and token.isdecimal() and len(token) < len("1000"):
                array = "/".join(tokens[:place])
                rows[array] = max(rows.get(array, 0), int(token) + 1)
    return rows
