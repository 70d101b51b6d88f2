"""The JSON that the log may hold, and its one canonical form (RFC 8785 on that subset)."""

from collections.abc import Iterator
from typing import Any

import msgspec

from registry.domain.pointers import Tokens, pointer
from registry.errors import Flaw, Invalid

LARGEST_INTEGER = 2**53 - 1
SAYS_NOTHING = "leave out a field that says nothing"

_encoder = msgspec.json.Encoder(order="sorted")


def canonical(value: Any) -> bytes:
    """Encode as RFC 8785 says: msgspec gives the same bytes on what ``check_subset`` admits."""
    return _encoder.encode(value)


def check_subset(value: Any, *, nulls: bool = False) -> None:
    """Raise Invalid, with every place, unless a value is in the JSON subset of the log.

    Admitted are strings that UTF-8 can hold, booleans, integers below 2^53, arrays, and objects with ASCII
    names; null only when ``nulls`` says so, as a field of ``data`` that says nothing is left out.
    """
    flaws = tuple(flaw for flaw in _flaws(value, ()) if not (nulls and flaw.detail == SAYS_NOTHING))
    if flaws:
        raise Invalid("the document is outside the JSON subset of the log", flaws)


def _flaws(value: Any, at: Tokens) -> Iterator[Flaw]:
    if isinstance(value, dict):
        for name, inner in value.items():
            if isinstance(name, str) and name.isascii():
                yield from _flaws(inner, (*at, name))
            else:
                yield Flaw(pointer((*at, str(name))), "a name is written in ASCII")
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from _flaws(inner, (*at, i))
    elif wrong := _wrong_with(value):
        yield Flaw(pointer(at), wrong)


def _wrong_with(leaf: Any) -> str:
    """Say why a value may not be in the log; nothing when it may."""
    if isinstance(leaf, bool):
        return ""
    if isinstance(leaf, str):
        return "" if _encodable(leaf) else "the string has a lone surrogate"
    if isinstance(leaf, int):
        return "" if abs(leaf) <= LARGEST_INTEGER else "an integer lies between -(2^53 - 1) and 2^53 - 1"
    if isinstance(leaf, float):
        return "write a number that is no integer as a string"
    return SAYS_NOTHING if leaf is None else f"{type(leaf).__name__} is no JSON"


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
