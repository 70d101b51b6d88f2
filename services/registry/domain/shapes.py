"""The shape of a type, asked for by place. Only errors, erasures and contracts ask, so it may take its time."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from msgspec import inspect


def field_at(cls: type[Any], tokens: Sequence[str | int]) -> inspect.Field | None:
    """Find the field that a place in a body of ``cls`` belongs to: the last one that the way there has.

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
        elif isinstance(shape, inspect.DictType):
            shape = shape.value_type
        else:
            return None
    return found


def allowed_at(cls: type[Any], tokens: Sequence[str | int]) -> tuple[str, ...]:
    """List the words that may stand at a place; empty when it is not a choice of words."""
    field = field_at(cls, tokens)
    shape = None if field is None else _plain(field.type)
    return tuple(str(word) for word in shape.values) if isinstance(shape, inspect.LiteralType) else ()


@lru_cache(maxsize=128)
def _shape(cls: type[Any]) -> inspect.Type:
    return inspect.type_info(cls)


def _plain(shape: inspect.Type) -> inspect.Type:
    """Take off what does not change the shape: descriptions, and that it may be left out."""
    while True:
        if isinstance(shape, inspect.Metadata):
            shape = shape.type
        elif isinstance(shape, inspect.UnionType):
            shape = next(kind for kind in shape.types if not isinstance(kind, inspect.NoneType))
        else:
            return shape
