"""JSON and base64 in their one spelling, read with the standard library alone.

What was read is written again and must give the same bytes. That refuses at once whatever another reader might take
otherwise: repeated names, blanks, escapes that need not be, integers that do not fit, names out of order.
"""

import json
from typing import Any

from registry.merkle.entry import MAX_INTEGER
from registry.merkle.note import decode_base64
from registry.merkle.tree import HASH_BYTES

MAX_DEPTH = 64
"""Levels of arrays and objects. An event has at most 32; what is shown of an agreement is shallow as well."""

_QUOTE, _BACKSLASH = b'"\\'


def _no_float(text: str) -> Any:
    raise ValueError(f"{text[:40]} is a number that is no integer")


def _integer(text: str) -> int:
    if len(text) > len(str(-MAX_INTEGER)) or abs(int(text)) > MAX_INTEGER:
        raise ValueError(f"{text[:40]} is an integer beyond 2^53 - 1")
    return int(text)


_read = json.JSONDecoder(parse_float=_no_float, parse_constant=_no_float, parse_int=_integer).decode
_write = json.JSONEncoder(
    ensure_ascii=False, sort_keys=True, separators=(",", ":"), check_circular=False
).encode


def canonical(raw: bytes) -> Any:
    """Read canonical JSON (RFC 8785 on names in ASCII, without floats). Raises ValueError that says what is wrong."""
    if raw.count(b"[") + raw.count(b"{") > MAX_DEPTH:
        check_depth(raw)
    try:
        value = _read(raw.decode())
        again = _write(value).encode()
    except RecursionError as error:  # pragma: no cover - no interpreter is known to be so small
        raise ValueError("it is nested too deep") from error
    if again != raw:
        raise ValueError("it is not in its canonical form")
    return value


def check_depth(raw: bytes) -> None:
    """Raise ValueError when brackets outside strings are nested too deep; they need not match."""
    depth, inside, i = 0, False, 0
    while i < len(raw):
        byte = raw[i]
        if inside:
            if byte == _BACKSLASH:  # what follows it ends no string
                i += 1
            elif byte == _QUOTE:
                inside = False
        elif byte == _QUOTE:
            inside = True
        elif byte in b"[{":
            depth += 1
            if depth > MAX_DEPTH:
                raise ValueError("it is nested too deep")
        elif byte in b"]}":
            depth -= 1
        i += 1


def members(value: Any, *names: str) -> tuple[Any, ...]:
    """Give the members of an object that has exactly these. Raises ValueError."""
    if type(value) is not dict or value.keys() != set(names):
        raise ValueError(f"it is an object with the members {', '.join(sorted(names))}")
    return tuple([value[name] for name in names])


def text(value: Any) -> str:
    """Take a string. Raises ValueError on anything else."""
    if type(value) is not str:
        raise ValueError("a member that is a string is none")
    return value


def number(value: Any) -> int:
    """Take an integer from 0. Raises ValueError on anything else, a boolean among it."""
    if type(value) is not int or value < 0:
        raise ValueError("a member that is a number from 0 is none")
    return value


def base64(value: Any) -> bytes:
    """Take bytes in base64. Raises ValueError on any other spelling."""
    return decode_base64(text(value))


def root(value: Any) -> bytes:
    """Take the root of a tree in base64. Raises ValueError."""
    found = base64(value)
    if len(found) != HASH_BYTES:
        raise ValueError(f"a root has {HASH_BYTES} bytes")
    return found


def hashes(value: Any, most: int = 64) -> tuple[bytes, ...]:
    """Take the hashes of a proof. Raises ValueError."""
    if type(value) is not list or len(value) > most:
        raise ValueError(f"a proof is an array of at most {most} hashes")
    found = tuple([base64(one) for one in value])
    if any(len(one) != HASH_BYTES for one in found):
        raise ValueError(f"a hash of a proof has {HASH_BYTES} bytes")
    return found
