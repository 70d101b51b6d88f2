"""Items as CSV (RFC 4180): a header row, and no cell that a spreadsheet would take for a formula."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

CSV = "text/csv"
HEADED = "text/csv; header=present"
"""As it is sent, but for the encoding (RFC 4180 section 3)."""

FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""How a cell begins that a spreadsheet may compute, or cut in two; the last four are the first four, twice as wide."""
QUOTED = frozenset('",;\r\n')
_ENDS = ";\t\r\n"
_INNER = re.compile("([;\t\r\n] *)(?=[=+@\uff1d\uff0b\uff0d\uff20-])")
"""Where a cell would begin for a spreadsheet that separates by semicolons or tabs: it does not see our quotes."""

_encode = msgspec.json.Encoder(enc_hook=str).encode


def header_row(item: type[msgspec.Struct]) -> bytes:
    """Write the names of the fields of an item."""
    return _line(field.encode_name for field in msgspec.structs.fields(item))


def rows(items: Sequence[msgspec.Struct]) -> bytes:
    """Write items, one a row. A list of texts is joined by semicolons, and so is one of what says how it is written
    (``__str__``); whatever else has a shape of its own is JSON.
    """
    if not items:
        return b""
    names = items[0].__struct_fields__
    return b"".join(_line(_text(getattr(item, name)) for name in names) for item in items)


def cell(text: str) -> str:
    """Write one cell. What looks like a formula gets an apostrophe first, which spreadsheets do not show.

    So does what would be one if the table were cut up at semicolons, as spreadsheets do where a comma is decimal.
    """
    if any(end in text for end in _ENDS):
        text = _INNER.sub(r"\1'", text)
    if text.lstrip(" ").startswith(FORMULA):
        text = f"'{text}"
    return f'"{text.replace(chr(34), chr(34) * 2)}"' if not QUOTED.isdisjoint(text) else text


def _line(texts: Iterable[str]) -> bytes:
    return (",".join(map(cell, texts)) + "\r\n").encode()


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    if isinstance(value, (tuple, list)) and all(map(_is_word, value)):
        return "; ".join(map(str, value))
    encoded = _encode(value).decode()
    return encoded.strip('"') if encoded.startswith('"') else encoded


def _is_word(value: Any) -> bool:
    if isinstance(value, msgspec.Struct):
        return type(value).__str__ is not msgspec.Struct.__str__
    return isinstance(value, str)
