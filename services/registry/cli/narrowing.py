"""Whether one JSON Schema keeps what another promised: to who sends what it describes, or to who reads it.

Who sends must be able to send all that was taken before. Who reads must find all that was there before, in a form
that was possible before; fields that are new, and words that are new among those to choose from, are left unread.
Conditions (``if``) are compared where both have them; ``not`` and formats are not.
"""

from collections.abc import Iterator
from typing import Any, Literal

import msgspec

Schema = dict[str, Any]
Direction = Literal["sent", "read"]
"""Whether a client sends what is described, or reads it."""

TYPES = {"array", "boolean", "integer", "null", "number", "object", "string"}
UPPER = ("maximum", "maxLength", "maxItems", "maxProperties")
LOWER = ("minimum", "minLength", "minItems", "minProperties")
CHOICES = ("anyOf", "oneOf")


class Break(msgspec.Struct, frozen=True, order=True):
    """One promise that is not kept."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class Schemas:
    """The schemas of an older document beside those of a newer one, and what has been compared already."""

    def __init__(self, old: Any, new: Any) -> None:
        self.old = old
        self.new = new
        self._seen: set[tuple[str, str, Direction]] = set()

    def compare(self, old: Any, new: Any, direction: Direction, where: str) -> Iterator[Break]:
        """Yield what is broken between two schemas. What refers to itself is followed once."""
        refs = _ref(old), _ref(new)
        if any(refs):
            if (*refs, direction) in self._seen:
                return
            self._seen.add((*refs, direction))
        before, after = _flat(old, self.old), _flat(new, self.new)
        if before is False:
            return
        if after is False:
            yield Break(where, "is not possible any more")
            return
        yield from _values(before, after, direction, where)
        if direction == "sent":
            yield from _limits(before, after, where)
        yield from self._fields(before, after, direction, where)
        yield from self._inside(before, after, direction, where)

    def _fields(self, before: Schema, after: Schema, direction: Direction, where: str) -> Iterator[Break]:
        old, new = before.get("properties", {}), after.get("properties", {})
        for name in old:
            if name in new:
                yield from self.compare(old[name], new[name], direction, f"{where}/{name}")
            elif old[name] is not False and (
                direction == "read" or after.get("additionalProperties") is False
            ):
                yield Break(f"{where}/{name}", "is gone")
        required, needed = set(before.get("required", ())), set(after.get("required", ()))
        if direction == "sent":
            yield from (Break(f"{where}/{name}", "is required now") for name in sorted(needed - required))
            if after.get("additionalProperties") is False and before.get("additionalProperties") is not False:
                yield Break(where, "takes no other fields any more")
        else:
            gone = (required - needed) & new.keys()
            yield from (Break(f"{where}/{name}", "may be absent now") for name in sorted(gone))

    def _inside(self, before: Schema, after: Schema, direction: Direction, where: str) -> Iterator[Break]:
        for key in ("items", "additionalProperties"):
            if isinstance(before.get(key), dict) and isinstance(after.get(key), dict):
                yield from self.compare(before[key], after[key], direction, f"{where}/*")
        for key in before.keys() & after.keys() & {"then"}:
            if before.get("if") == after.get("if"):
                yield from self.compare(before[key], after[key], direction, where)
        old, new = _choices(before), _choices(after)
        if direction == "read" and "discriminator" in before and "discriminator" in after:
            # Told apart by a word, choices may come to be more, as words may.
            new = [choice for choice in new if _ref(choice) in set(map(_ref, old))] or new
        if old and new:
            yield from self._choose(old, new, direction, where)
        elif direction == "sent" and new and not old:
            yield Break(where, "is narrowed to some choices")
        elif direction == "read" and old and not new:
            yield Break(where, "is none of its choices any more")

    def _choose(self, old: list[Any], new: list[Any], direction: Direction, where: str) -> Iterator[Break]:
        """Match each choice that must still be there with one that keeps its promises."""
        wanted, offered = (old, new) if direction == "sent" else (new, old)
        for choice in wanted:
            named = [one for one in offered if _ref(one) == _ref(choice)] if _ref(choice) else []
            found: list[Break] = []
            for one in named or [one for one in offered if not _ref(one)] or offered:
                pair = (choice, one) if direction == "sent" else (one, choice)
                # What merely might match is compared afresh: elsewhere it may have been found broken already.
                within = self if named else Schemas(self.old, self.new)
                found = list(within.compare(*pair, direction, f"{where}|{_name(choice)}"))
                if not found:
                    break
            yield from found


def _values(before: Schema, after: Schema, direction: Direction, where: str) -> Iterator[Break]:
    old, new = _types(before), _types(after)
    lost = old - new if direction == "sent" else new - old
    if lost:
        yield Break(where, f"was {_words(old)} and is {_words(new)}")
    words, remaining = before.get("enum"), after.get("enum")
    if words is not None and remaining is not None:
        gone = [word for word in words if word not in remaining]
        yield from (Break(where, f"cannot be {word!r} any more") for word in gone)
    elif remaining is not None and direction == "sent":
        yield Break(where, "is narrowed to some words")
    elif words is not None and remaining is None and direction == "read":
        yield Break(where, "can be any value now")


def _limits(before: Schema, after: Schema, where: str) -> Iterator[Break]:
    for key in UPPER:
        if key in after and before.get(key, float("inf")) > after[key]:
            yield Break(where, f"is narrowed: {key} is {after[key]}")
    for key in LOWER:
        if key in after and before.get(key, 0 if key != "minimum" else float("-inf")) < after[key]:
            yield Break(where, f"is narrowed: {key} is {after[key]}")
    if "pattern" in after and before.get("pattern") != after["pattern"]:
        yield Break(where, "has another pattern")


def _flat(schema: Any, document: Any) -> Any:
    """Follow references inside a document, and put together what must all hold. False for what nothing is."""
    if isinstance(schema, bool):
        return {} if schema else False
    flat: Schema = {}
    for part in (
        *(_flat(one, document) for one in schema.get("allOf", ())),
        _target(schema, document),
        schema,
    ):
        if part is False:
            return False
        own = {key: value for key, value in part.items() if key not in ("allOf", "$ref")}
        properties = flat.get("properties", {}) | own.get("properties", {})
        required = [*flat.get("required", ()), *own.get("required", ())]
        flat |= (
            own
            | ({"properties": properties} if properties else {})
            | ({"required": required} if required else {})
        )
    if "const" in flat:
        flat["enum"] = [flat["const"]]
    return flat


def _target(schema: Schema, document: Any) -> Any:
    ref = schema.get("$ref", "")
    if not ref.startswith("#/"):
        return {}  # another file is compared by itself
    found = document
    for token in ref[2:].split("/"):
        found = found[token.replace("~1", "/").replace("~0", "~")]
    return _flat(found, document)


def _types(schema: Schema) -> set[str]:
    if "type" in schema:
        named = schema["type"]
        types = {named} if isinstance(named, str) else set(named)
    elif "enum" in schema:
        types = {_type(word) for word in schema["enum"]}
    else:
        types = set(TYPES)
    return types | ({"integer"} if "number" in types else set())


def _type(word: Any) -> str:
    names = {
        bool: "boolean",
        int: "integer",
        float: "number",
        str: "string",
        type(None): "null",
        list: "array",
    }
    return names.get(type(word), "object")


def _choices(schema: Schema) -> list[Any]:
    return [choice for key in CHOICES for choice in schema.get(key, ())]


def _ref(schema: Any) -> str:
    return schema.get("$ref", "") if isinstance(schema, dict) else ""


def _name(schema: Any) -> str:
    return _ref(schema).rpartition("/")[2] or (
        str(schema.get("type", "")) if isinstance(schema, dict) else ""
    )


def _words(types: set[str]) -> str:
    return "anything" if types == TYPES else " or ".join(sorted(types)) or "nothing"
