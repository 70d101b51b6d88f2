"""The shape of a type, asked for by place. Only errors, erasures and contracts ask, so it may be slow."""

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import inspect

_shapes: dict[type[Any], inspect.Type] = {}
"""What msgspec found out about a class; it takes long to."""


def field_at(cls: type[Any], tokens: Sequence[str | int]) -> inspect.Field | None:
    """Find the field at a place in a body of ``cls``, or the list whose element is there.

    None when the place is no field of the type, or the whole body.
    """
    shape: inspect.Type = _shape(cls)
    found = None
    for token in tokens:
        shape = _plain(shape)
        if isinstance(shape, inspect.StructType):
            found = next((field for field in shape.fields if field.encode_name == token), None)
            if found is None:
                return None
            shape = found.type
        elif isinstance(shape, inspect.VarTupleType):
            shape = shape.item_type
        else:
            return None
    return found


def allowed_at(cls: type[Any], tokens: Sequence[str | int]) -> tuple[str, ...]:
    """List the words that may stand at a place; empty when it is not a choice of words."""
    field = field_at(cls, tokens)
    shape = None if field is None else _plain(field.type)
    return tuple(str(word) for word in shape.values) if isinstance(shape, inspect.LiteralType) else ()


def _shape(cls: type[Any]) -> inspect.Type:
    found = _shapes.get(cls)
    if found is None:
        found = _shapes[cls] = inspect.type_info(cls)
    return found


def _plain(shape: inspect.Type) -> inspect.Type:
    """Take off what does not change the shape: descriptions, and that it may be left out."""
    while True:
        if isinstance(shape, inspect.Metadata):
            shape = shape.type
        elif isinstance(shape, inspect.UnionType):
            shape = next(kind for kind in shape.types if not isinstance(kind, inspect.NoneType))
        else:
            return shape


def owner_of(cls: type[Any], path: Sequence[str | int]) -> type[Any]:
    """Give the struct class that has the last field of a path. Raises LookupError when nothing has it."""
    *way, last = path
    field = field_at(cls, way)
    shape = _shape(cls) if not way else _plain(field.type) if field is not None else None
    if isinstance(shape, inspect.VarTupleType):
        shape = _plain(shape.item_type)
    if isinstance(shape, inspect.StructType) and field_at(shape.cls, [last]) is not None:
        return shape.cls
    raise LookupError(f"{cls.__name__} has nothing at {path}")


def structs_of(cls: type[Any]) -> dict[str, type[Any]]:
    """Give every struct class that a class is made of, itself included, by name."""
    found: dict[str, type[Any]] = {}
    waiting: list[inspect.Type] = [_shape(cls)]
    while waiting:
        shape = _plain(waiting.pop())
        if isinstance(shape, inspect.VarTupleType):
            waiting.append(shape.item_type)
        elif isinstance(shape, inspect.StructType) and shape.cls.__name__ not in found:
            found[shape.cls.__name__] = shape.cls
            waiting.extend(field.type for field in shape.fields)
    return found


def description_of(field: inspect.Field) -> str:
    """Give the description of a field, whether it stands on the field or on the type that may be left out."""
    shape = field.type
    if isinstance(shape, inspect.UnionType):
        shape = next(kind for kind in shape.types if not isinstance(kind, inspect.NoneType))
    described = isinstance(shape, inspect.Metadata) and shape.extra_json_schema
    return str(described["description"]) if described else ""


def fields_of(cls: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    """Give the fields of a struct class, in the order in which it declares them."""
    shape = _shape(cls)
    assert isinstance(shape, inspect.StructType)  # noqa: S101 - for the type checker; the argument says so
    return shape.fields
