"""JSON as the log takes it: strict (RFC 8259, I-JSON of RFC 7493), cut down to what has one canonical form.

The quickest way is msgspec, which lets repeated names pass: it is believed when writing what it read gives the
same bytes. Else it is the C scanner of the standard library with hooks that stop at the first doubt; only then
is the text read again, slowly, to say where each flaw is.
"""

import json
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import Any, NamedTuple

import msgspec

from registry.errors import Flaw, Malformed

MAX_DEPTH = 32
"""Levels of arrays and objects; a scalar alone has none."""
MAX_INTEGER = 2**53 - 1
MAX_VALUES = 100_000
"""Values of a text, as ``values`` counts them: reading and refusing it takes time for each."""
MAX_FLAWS = 100
"""More are not told: what is wrong a million times need not be said as often."""
MAX_NAME = 128
"""Characters of a member's name that a pointer shows."""

_LONGEST_INTEGER = len(str(-MAX_INTEGER))
_ALWAYS_FITS = len(str(MAX_INTEGER)) - 1
"""Characters of which an integer is within the bounds, whatever it is."""
_BOM = b"\xef\xbb\xbf"
_SUSPECT_ESCAPE = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])")
_UNFIT = re.compile("[\x00\ud800-\udfff]")


class _Doubt(Exception):  # no error: it turns the quick reading into the slow one
    """Raised by a hook of the quick decoder: something is to be refused."""


class _Mark(NamedTuple):
    """Left in the tree in the place of a number that is refused."""

    detail: str


class _Repeated(NamedTuple):
    """Left in the tree in the place of an object in which names are repeated."""

    pairs: list[tuple[str, Any]]
    members: dict[str, Any]

    def names(self) -> Iterator[str]:
        """Yield the names that are there twice or more often."""
        counts = Counter(name for name, _ in self.pairs)
        return (name for name, count in counts.items() if count > 1)


def decode(raw: bytes) -> Any:
    """Read one JSON text in UTF-8.

    Gives strings, booleans, None, integers of at most 2^53 - 1 in magnitude, lists and dicts.
    Raises Malformed, with the pointer of each flaw, on repeated names, NaN and Infinity, numbers with a
    fraction or an exponent, -0, NUL, lone surrogates, a byte order mark, more than 32 levels, more than
    100,000 values, and whatever is not JSON at all.
    """
    if len(raw) > MAX_VALUES and values(raw) > MAX_VALUES:
        raise _refusal(iter([Flaw("", f"has more than {MAX_VALUES} values")]))
    if (compact := _compact(raw)) is not _DOUBTED:
        return compact
    text = _text(raw)
    quick, marking = (_QUICK, _MARKING) if _may_hold_odd_integers(raw) else (_QUICK_ELSE, _MARKING_ELSE)
    try:
        value = _parse(quick, text)
    except _Doubt:
        raise _refusal(_flaws(_parse(marking, text))) from None
    if b"\\" in raw and _SUSPECT_ESCAPE.search(raw) and (flaws := tuple(_flaws(value))):
        raise _refusal(iter(flaws))
    if raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _too_deep(value):
        raise _refusal(_flaws(value))
    return value


def values(raw: bytes) -> int:
    """Count what may be the values of a text, without reading it: no more than commas and opening brackets."""
    return raw.count(b",") + raw.count(b"[") + raw.count(b"{")


def _compact(raw: bytes) -> Any:
    """Read a text without blanks between its tokens, as most programs write it, twice as quickly.

    When writing what was read gives the same bytes, nothing was repeated, rounded or otherwise lost on the way.
    """
    if b"\\" in raw or _has_long_number(raw):
        return _DOUBTED
    try:
        value = _COMPACT.decode(raw)
    except (msgspec.MsgspecError, ValueError, RecursionError, _Doubt):
        return _DOUBTED
    if _encode(value) != raw or (raw.count(b"{") + raw.count(b"[") > MAX_DEPTH and _too_deep(value)):
        return _DOUBTED
    return value


def _has_long_number(raw: bytes) -> bool:
    return _LONG_NUMBER in raw.translate(_AS_DIGITS)


def _may_hold_odd_integers(raw: bytes) -> bool:
    """Tell whether integers must be looked at one by one, which takes longer than all else; hardly any text is so."""
    return b"-0" in raw or _has_long_number(raw)


def pointer_token(name: str) -> str:
    """Write a member's name as it stands in a JSON pointer (RFC 6901), fit to be shown."""
    name = _UNFIT.sub("\ufffd", name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…")
    return name.replace("~", "~0").replace("/", "~1")


def _text(raw: bytes) -> str:
    if raw.startswith(_BOM):
        raise _refusal(iter([Flaw("", "starts with a byte order mark")]))
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise _refusal(iter([Flaw("", f"is not UTF-8 at byte {error.start}")])) from None


def _parse(decoder: json.JSONDecoder, text: str) -> Any:
    try:
        return decoder.decode(text)
    except json.JSONDecodeError as error:
        detail = f"{error.msg.rstrip(':')} at line {error.lineno}, column {error.colno}"
        raise _refusal(iter([Flaw("", detail)])) from None
    except RecursionError:
        raise _refusal(iter([Flaw("", _TOO_DEEP)])) from None


def _refusal(flaws: Iterator[Flaw]) -> Malformed:
    return Malformed(
        "the body is not JSON in the strict form that is taken here", list(islice(flaws, MAX_FLAWS))
    )


_END: Any = object()
_LOOKED_AT = frozenset((_Mark, str, dict, list, _Repeated))
_TOO_DEEP = f"is nested more than {MAX_DEPTH} levels deep"


def _too_deep(root: Any) -> bool:
    """Go down level by level, looking at nothing but arrays and objects."""
    level = [root]
    for _ in range(MAX_DEPTH):
        level = [
            child
            for parent in level
            for child in (parent.values() if type(parent) is dict else parent)
            if type(child) is dict or type(child) is list
        ]
        if not level:
            return False
    return True


def _flaws(root: Any) -> Iterator[Flaw]:
    """Walk the tree in the order of the text, no further than is asked. Below a level that is too deep nothing is."""
    pending: list[Iterator[tuple[str, Any]]] = [iter([("", root)])]
    while pending:
        pointer, value = next(pending[-1], ("", _END))
        if value is _END:
            pending.pop()
        elif isinstance(value, _Mark):
            yield Flaw(pointer, value.detail)
        elif isinstance(value, str):
            if _UNFIT.search(value):
                yield Flaw(pointer, "holds a NUL or a lone surrogate")
        elif isinstance(value, dict | list | _Repeated):
            if len(pending) > MAX_DEPTH:
                yield Flaw(pointer, _TOO_DEEP)
                continue
            if isinstance(value, _Repeated):
                yield from (
                    Flaw(f"{pointer}/{pointer_token(name)}", "is there twice") for name in value.names()
                )
                value = value.members
            if isinstance(value, dict):
                yield from (
                    Flaw(f"{pointer}/{pointer_token(name)}", "has a name with a NUL or a lone surrogate")
                    for name in value
                    if _UNFIT.search(name)
                )
            pending.append(_children(pointer, value))


def _children(pointer: str, value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    """Yield what may have flaws in an object or array, each with its pointer."""
    if isinstance(value, dict):
        for name, child in value.items():
            if type(child) in _LOOKED_AT:
                yield f"{pointer}/{pointer_token(name)}", child
    else:
        for index, child in enumerate(value):
            if type(child) in _LOOKED_AT:
                yield f"{pointer}/{index}", child


def _number_flaw(text: str) -> str | None:
    if text == "-0":
        return "is -0, which has no canonical form here"
    if len(text) > _LONGEST_INTEGER or abs(int(text)) > MAX_INTEGER:
        return "is an integer beyond 2^53 - 1"
    return None


def _quick_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        raise _Doubt
    return members


def _quick_integer(text: str) -> int:
    if (len(text) > _ALWAYS_FITS or text == "-0") and _number_flaw(text) is not None:
        raise _Doubt
    return int(text)


def _quick_refusal(_: str) -> Any:
    raise _Doubt


def _marking_object(pairs: list[tuple[str, Any]]) -> dict[str, Any] | _Repeated:
    members = dict(pairs)
    return members if len(members) == len(pairs) else _Repeated(pairs, members)


def _marking_integer(text: str) -> int | _Mark:
    if (len(text) > _ALWAYS_FITS or text == "-0") and (flaw := _number_flaw(text)) is not None:
        return _Mark(flaw)
    return int(text)


_DOUBTED = object()
"""What ``_compact`` gives for a text that must be read with more care."""
_AS_DIGITS = bytes(ord("0") if chr(byte).isdigit() and byte < 128 else ord(".") for byte in range(256))  # noqa: PLR2004
_LONG_NUMBER = b"0" * len(str(MAX_INTEGER))
_COMPACT = msgspec.json.Decoder(float_hook=_quick_refusal)
_encode = msgspec.json.Encoder().encode

_QUICK_ELSE = json.JSONDecoder(
    object_pairs_hook=_quick_object, parse_float=_quick_refusal, parse_constant=_quick_refusal
)
"""For a text in which no integer is odd."""
_QUICK = json.JSONDecoder(
    object_pairs_hook=_quick_object,
    parse_int=_quick_integer,
    parse_float=_quick_refusal,
    parse_constant=_quick_refusal,
)
_FRACTION = _Mark("is a number with a fraction or an exponent; send a decimal as a string")


def _marking_constant(text: str) -> _Mark:
    return _Mark(f"is {text}, which is not JSON")


_MARKING_ELSE = json.JSONDecoder(
    object_pairs_hook=_marking_object, parse_float=lambda _: _FRACTION, parse_constant=_marking_constant
)
_MARKING = json.JSONDecoder(
    object_pairs_hook=_marking_object,
    parse_int=_marking_integer,
    parse_float=lambda _: _FRACTION,
    parse_constant=_marking_constant,
)
