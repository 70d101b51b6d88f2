"""Commitments and entries: the bytes that the log is made of. This format can never change.

An entry is the canonical JSON (RFC 8785) of one object of fixed shape, so it is written here directly: its
members stand in sorted order, and the standard library's C encoder escapes strings as section 3.2.2.2 says.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha1, sha256
from json.encoder import encode_basestring
from typing import Any, NamedTuple
from uuid import NAMESPACE_URL

FORMAT = 1
"""The member ``v`` of every entry."""

MAX_ENTRY_BYTES = 65_535
SALT_BYTES = 32
MAX_INTEGER = 2**53 - 1
"""The largest integer that every JSON reader reads exactly (RFC 8785 section 3.2.2.3)."""

_PART_DOMAIN = b"agreement-registry/part/v1\x00"
_URL_NAMESPACE = NAMESPACE_URL.bytes
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001  (naive is UTC here: no offset is ever written or read)
_MICROSECOND = timedelta(microseconds=1)
# The hour goes to 23 only: from Python 3.13 on fromisoformat takes 24:00 for the next day's 00:00.
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T(?:[01][0-9]|2[0-3]):[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")
_MEMBERS = frozenset(("id", "parts", "rec", "seq", "source", "stream", "type", "v", "ver"))


class Entry(NamedTuple):
    """What an entry says."""

    id: str
    parts: tuple[bytes, ...]
    """The commitments, 32 bytes each, by part number from 0."""
    recorded_at: int
    """Microseconds since 1970-01-01T00:00:00Z."""
    position: int
    source: str
    stream: str
    type: str
    version: int


def event_uuid(source: str, id: str) -> bytes:
    """Make the UUIDv5 (RFC 9562 section 5.5) of an event, 16 bytes: namespace URL, name ``source LF id``.

    Raises ValueError on a source with a line feed, with which two identities could share one name.
    """
    check_source(source)
    digest = bytearray(sha1(_URL_NAMESPACE + f"{source}\n{id}".encode(), usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return bytes(digest)


def check_source(source: str) -> None:
    """Raise ValueError on a source with a line feed, which none has."""
    if "\n" in source:
        raise ValueError("a source holds no line feed")


def commitment(salt: bytes, uuid: bytes, k: int, data: bytes) -> bytes:
    """Commit to the bytes of part ``k`` of an event: the 32 bytes that its entry holds.

    Raises ValueError on a salt that is not 32 bytes, a UUID that is not 16, a number or length out of range.
    """
    if len(salt) != SALT_BYTES or len(uuid) != 16:  # noqa: PLR2004
        raise ValueError(f"a commitment takes a salt of {SALT_BYTES} bytes and a UUID of 16")
    try:
        numbers = k.to_bytes(2) + len(data).to_bytes(4)
    except OverflowError as error:
        raise ValueError("a part number takes two bytes and the length of a part four") from error
    return sha256(_PART_DOMAIN + salt + uuid + numbers + data).digest()


def encode_entry(
    *,
    id: str,
    parts: Sequence[bytes],
    recorded_at: int,
    position: int,
    source: str,
    stream: str,
    type: str,
    version: int,
) -> bytes:
    """Write an entry: the fields as in ``Entry``. Raises ValueError when they do not make one."""
    if not 1 <= position <= MAX_INTEGER or not 0 <= version <= MAX_INTEGER:
        raise ValueError(f"position {position} or version {version} is out of range")
    check_source(source)
    if not parts or any(len(part) != 32 for part in parts):  # noqa: PLR2004
        raise ValueError("an entry holds at least one commitment, each of 32 bytes")
    commitments = ",".join([f'"{b64encode(part).decode()}"' for part in parts])
    entry = (
        f'{{"id":{encode_basestring(id)},"parts":[{commitments}],"rec":"{format_time(recorded_at)}",'
        f'"seq":{position},"source":{encode_basestring(source)},"stream":{encode_basestring(stream)},'
        f'"type":{encode_basestring(type)},"v":{FORMAT},"ver":{version}}}'
    ).encode()
    if len(entry) > MAX_ENTRY_BYTES:
        raise ValueError(f"an entry of {len(entry)} bytes is over {MAX_ENTRY_BYTES}")
    return entry


def parse_entry(entry: bytes) -> Entry:
    """Read an entry strictly: only the very bytes that ``encode_entry`` writes are accepted.

    The leaf hash is that of the bytes given, so hash them before they are parsed. Raises ValueError that says
    what is wrong.
    """
    if len(entry) > MAX_ENTRY_BYTES:
        raise ValueError(f"an entry of {len(entry)} bytes is over {MAX_ENTRY_BYTES}")
    try:
        read = json.loads(entry.decode())
    except RecursionError as error:
        raise ValueError("the entry is nested too deep") from error
    except ValueError as error:
        raise ValueError(f"the entry is no JSON text: {error}") from error
    parsed = _fields(read)
    if encode_entry(**parsed._asdict()) != entry:
        raise ValueError("the entry is not in its canonical form")
    return parsed


def _fields(read: Any) -> Entry:
    if type(read) is not dict or read.keys() != _MEMBERS:
        raise ValueError(f"an entry is an object with the members {', '.join(sorted(_MEMBERS))}")
    for name in ("id", "rec", "source", "stream", "type"):
        if type(read[name]) is not str:
            raise ValueError(f"member {name} of the entry is no string")
    for name in ("seq", "v", "ver"):
        if type(read[name]) is not int:
            raise ValueError(f"member {name} of the entry is no integer")
    if read["v"] != FORMAT:
        raise ValueError(f"leaf format {read['v']} is not known")
    if type(read["parts"]) is not list:
        raise ValueError("member parts of the entry is no array")
    return Entry(
        id=read["id"],
        parts=tuple([_commitment(text) for text in read["parts"]]),
        recorded_at=parse_time(read["rec"]),
        position=read["seq"],
        source=read["source"],
        stream=read["stream"],
        type=read["type"],
        version=read["ver"],
    )


def _commitment(text: Any) -> bytes:
    """Read a base64 commitment; ``parse_entry`` re-encodes it, which refuses stray trailing bits."""
    if type(text) is not str:
        raise ValueError("a commitment in the entry is no string")
    try:
        return b64decode(text, validate=True)
    except ValueError as error:
        raise ValueError("a commitment in the entry is no base64") from error


@lru_cache(maxsize=256)  # all events of one append share their record time
def format_time(us: int) -> str:
    """Write microseconds since 1970 as ``YYYY-MM-DDTHH:MM:SS.ffffffZ``.

    Raises ValueError outside the years 1970 to 9999.
    """
    if us < 0:
        raise ValueError("a record time is not before 1970")
    try:
        return (_EPOCH + timedelta(0, 0, us)).isoformat("T", "microseconds") + "Z"
    except OverflowError as error:
        raise ValueError("a record time is not after 9999") from error


def parse_time(text: str) -> int:
    """Read what ``format_time`` writes, and nothing else. Raises ValueError."""
    if not _TIME.fullmatch(text):
        raise ValueError("a record time is written YYYY-MM-DDTHH:MM:SS.ffffffZ")
    us = (datetime.fromisoformat(text[:-1]) - _EPOCH) // _MICROSECOND
    if us < 0:
        raise ValueError("a record time is not before 1970")
    return us
