"""The rules of the CloudEvents attributes that a posted event carries: each says what is wrong, or None."""

import re
from collections.abc import Callable
from datetime import date
from functools import lru_cache
from typing import Any

from registry.domain.events import PersonalDataErased
from registry.domain.events.event import EVENT_TYPES, OLDER_VERSIONS

ADMINISTRATION = "/administration"
"""The source of what the registry itself records: erasures. Nobody posts under it."""

MAX_ID = 128
MAX_SOURCE = 512
MAX_VERSION = 2**31 - 1

_SEGMENTS = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*+"
_AFTER_PATH = r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/?]|%[0-9A-Fa-f]{2})*+"
_URI = re.compile(
    rf"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*):(?=.)(?://(?P<authority>[^/?#]*+))?+|(?=/(?!/)))"
    rf"{_SEGMENTS}(?:\?{_AFTER_PATH})?(?:#{_AFTER_PATH})?"
)
_AUTHORITY = re.compile(
    r"(?:\[[0-9A-Fa-f:.]+\]|(?:[A-Za-z0-9\-._~!$&'()*+,;=]|%[0-9A-Fa-f]{2})*+)(?::[0-9]*)?"
)
_PERSONAL_SCHEMES = ("mailto", "tel", "acct")

_ID = re.compile(r"[!-~](?:[ -~]{0,126}[!-~])?")
_SUBJECT = re.compile(r"[a-z0-9][a-z0-9-]{2,79}")
_TIME = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:(?:[0-5][0-9]|60)(?:\.[0-9]+)?"
    r"(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])"
)
_JSON = re.compile(r"application/json[ \t]*(?:;[ \t]*charset=(?:utf-8|\"utf-8\")[ \t]*)?", re.IGNORECASE)
_EXTENSION = re.compile(r"[a-z0-9]+")
_NONCHARACTERS = "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
_NOT_IN_STRINGS = re.compile(f"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef{_NONCHARACTERS}]")
_VERSION = re.compile(r"0|[1-9][0-9]{0,9}")


def specversion_flaw(value: str) -> str | None:
    """Only version 1.0 of CloudEvents is spoken here."""
    return None if value == "1.0" else "is not 1.0"


def id_flaw(value: str) -> str | None:
    """At most 128 printable ASCII characters; a blank at an end would be invisible, and headers lose it."""
    return (
        None
        if _ID.fullmatch(value)
        else "is not 1 to 128 printable ASCII characters without a blank at an end"
    )


def source_flaw(value: str) -> str | None:
    """An absolute URI or a URI path (RFC 3986), at most 512 characters, that names no person."""
    if not 0 < len(value) <= MAX_SOURCE:
        return f"is not 1 to {MAX_SOURCE} characters long"
    return _uri_flaw(value)


def posted_source_flaw(value: str) -> str | None:
    """A source that somebody may post under."""
    if value == ADMINISTRATION:
        return "is the registry's own, which records erasures"
    return source_flaw(value)


@lru_cache(4096)
def _uri_flaw(value: str) -> str | None:
    match = _URI.fullmatch(value)
    if match is None:
        return "is neither an absolute URI nor a URI path that starts with /"
    scheme, authority = match["scheme"], match["authority"]
    if scheme is not None and scheme.lower() in _PERSONAL_SCHEMES:
        return f"names a person ({scheme}:); a source is an office or a report"
    if authority is not None and "@" in authority:
        return "carries user info before its host"
    if authority is not None and not _AUTHORITY.fullmatch(authority):
        return "has no valid host"
    return None


def type_flaw(value: str) -> str | None:
    """A type of the vocabulary, or an older version of one, that may be posted."""
    if value == PersonalDataErased.type:
        return "is recorded by an erasure alone; it cannot be posted"
    if value in EVENT_TYPES or value in OLDER_VERSIONS:
        return None
    return "is no event type of this registry"


def subject_flaw(value: str) -> str | None:
    """The agreement id."""
    if _SUBJECT.fullmatch(value):
        return None
    return "is no agreement id: 3 to 80 lower-case letters, digits and hyphens, not starting with a hyphen"


def time_flaw(value: str) -> str | None:
    """A timestamp (RFC 3339 section 5.6), any offset, leap seconds allowed."""
    match = _TIME.fullmatch(value)
    if match is not None:
        try:
            date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            return "is no day of the calendar"
        return None
    return "is no RFC 3339 timestamp"


def datacontenttype_flaw(value: str) -> str | None:
    """JSON in UTF-8 is the only form of ``data``."""
    return None if _JSON.fullmatch(value) else "is not application/json"


def dataschema_flaw(value: str, type_: str) -> str | None:
    """A URI whose last segment is the file of the type's schema, wherever it is served."""
    name = f"{type_}.schema.json"
    if value.rpartition("/")[2] == name and len(value) <= MAX_SOURCE + len(name) and _uri_flaw(value) is None:
        return None
    return f"does not name the schema of the type: a URI that ends in /{name}"


def string_flaw(value: str) -> str | None:
    """A CloudEvents String: no control characters, lone surrogates or noncharacters."""
    return "holds a character that CloudEvents does not allow" if _NOT_IN_STRINGS.search(value) else None


def extension_name_flaw(name: str) -> str | None:
    """Lower-case ASCII letters and digits."""
    return None if _EXTENSION.fullmatch(name) else "has a name that is not of lower-case letters and digits"


def canonical(value: Any) -> str | None:
    """Return a string, boolean or 32-bit integer as its CloudEvents canonical string; None for all else."""
    if type(value) is str:
        return value
    if type(value) is bool:
        return "true" if value else "false"
    if type(value) is int and -(2**31) <= value < 2**31:
        return str(value)
    return None


def expectedversion_flaw(value: str) -> str | None:
    """A version of an agreement, 0 if it must not exist."""
    if _VERSION.fullmatch(value) and int(value) <= MAX_VERSION:
        return None
    return "is no version of an agreement"


RULES: dict[str, Callable[[str], str | None]] = {
    "specversion": specversion_flaw,
    "id": id_flaw,
    "source": posted_source_flaw,
    "type": type_flaw,
    "subject": subject_flaw,
    "time": time_flaw,
    "datacontenttype": datacontenttype_flaw,
    "dataschema": string_flaw,
}
"""What can be said about an attribute of CloudEvents by looking at it alone."""
