"""Filters of a list as query parameters: a struct of them is described, and read, field by field.

A field is text, an integer, a truth, a day, one of several words, a class with a method ``parse`` that raises
ValueError (and the ``PATTERN`` of its texts), or a tuple of one of these, whose values a comma separates.
Fields ``…_from`` and ``…_to`` are the two ends of one range.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from types import NoneType, UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

import msgspec
from msgspec import inspect

from registry.domain.values import END, IN_WORDS
from registry.http.parameters import BadParameter
from registry.http.routing import Parameter

F = TypeVar("F", bound=msgspec.Struct)

TRUTHS = {"true": True, "false": False}
MOST_VALUES = 100
"""Values that a comma may separate in one parameter."""

MOST_NAMED = 20
"""Words that are all named when none of them was given."""

_NUMBER = re.compile(r"0|-?[1-9][0-9]{0,15}")


def parameters_of(filters: type[msgspec.Struct]) -> tuple[Parameter, ...]:
    """Describe every field of a struct of filters as a parameter of the query."""
    return tuple(
        Parameter(field.encode_name, *_described(_present(field.type)))
        for field in msgspec.structs.fields(filters)
    )


def filters_of(filters: type[F], given: Mapping[str, str], path: Mapping[str, Any]) -> F:
    """Read the filters that are given, and add those that stand in the path. Raises BadParameter."""
    values = dict(path)
    for field in msgspec.structs.fields(filters):
        if field.encode_name in given:
            values[field.name] = _read(field.encode_name, _present(field.type), given[field.encode_name])
    for name, value in values.items():
        # Imprecise dates would meet both ends of a range that has nothing in it.
        start = name.removesuffix("_to") + "_from"
        if name.endswith("_to") and start in values and value < values[start]:
            raise BadParameter(name, f"is before {start}")
    return filters(**values)


def _read(name: str, kind: Any, text: str) -> Any:
    plain = _plain(kind)
    if get_origin(plain) is not tuple:
        return _one(name, kind, text)
    texts = text.split(",")
    (each, *others) = get_args(plain)
    if others == [...]:
        if len(texts) > MOST_VALUES:
            raise BadParameter(name, f"has more than {MOST_VALUES} values")
        return tuple(_one(name, each, one) for one in texts)
    if len(texts) != len(others) + 1:
        raise BadParameter(name, f"has not {len(others) + 1} values, separated by commas")
    return tuple(_one(name, kind, one) for kind, one in zip((each, *others), texts, strict=True))


def _one(name: str, kind: Any, text: str) -> Any:
    info = _bare(inspect.type_info(kind))
    given: Any = text
    if isinstance(info, inspect.BoolType):
        given = TRUTHS.get(text, text)
    elif isinstance(info, inspect.IntType):
        given = int(text) if _NUMBER.fullmatch(text) else text
    try:
        return msgspec.convert(given, kind, dec_hook=_parse)
    except msgspec.ValidationError as error:
        raise BadParameter(name, _reason(info, str(error))) from None


def _reason(info: inspect.Type, said: str) -> str:
    match info:
        case inspect.BoolType():
            return "is neither true nor false"
        case inspect.IntType():
            return "is no such number"
        case inspect.DateType():
            return "is no day such as 2025-07-16"
        case inspect.LiteralType() if len(info.values) > MOST_NAMED:
            return "is no such code"
        case inspect.LiteralType():
            return f"is none of {', '.join(map(str, info.values))}"
        case inspect.StrType() if info.pattern in IN_WORDS:
            return f"is not {IN_WORDS[info.pattern]}"
        case inspect.CustomType():
            return said
    return "has not its form"


def _parse(kind: Any, text: Any) -> Any:
    return kind.parse(text)


def _present(kind: Any) -> Any:
    """Give the type of a field when it is given: without None."""
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (one for one in get_args(kind) if one is not NoneType)
    return kind


def _plain(kind: Any) -> Any:
    return get_args(kind)[0] if get_origin(kind) is Annotated else kind


def _bare(info: inspect.Type) -> inspect.Type:
    return info.type if isinstance(info, inspect.Metadata) else info


@lru_cache
def _described(kind: Any) -> tuple[str, dict[str, Any]]:
    """Give the description of a parameter, and the schema of its text."""
    schema: dict[str, Any] = msgspec.json.schema(kind, schema_hook=_custom)
    said = schema.pop("description", "")
    if schema.get("type") != "array":
        return said, schema
    words = f"{said}; several separated by commas" if schema.get("items") else said
    each = _pattern(schema.get("items") or schema["prefixItems"][0])
    number = "*" if schema.get("items") else f"{{{schema['minItems'] - 1}}}"
    return words, {"type": "string", "pattern": f"^{each}(,{each}){number}$"}


def _custom(kind: Any) -> dict[str, Any]:
    return {"type": "string", "pattern": kind.PATTERN}


def _pattern(schema: dict[str, Any]) -> str:
    """Give the pattern of one of the texts that commas separate."""
    if "enum" in schema:
        return f"({'|'.join(map(re.escape, schema['enum']))})"
    if schema.get("type") == "integer":
        return "(0|-?[1-9][0-9]*)"
    within: str = schema.get("pattern", "[^,]*")
    return f"({within.removesuffix(END).removeprefix('^')})"
