"""What a request may ask for beside its path: strictly the parameters that are named, each once."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, date, datetime
from urllib.parse import unquote_plus

from registry.errors import Malformed, RegistryError
from registry.http.answer import Asked

READS = "reads"
"""The option of a route that lists what it reads: the log, read models, or nothing that grows."""
MIN_POSITION = "min_position"
"""The parameter of every route that reads something."""
MAX_LIMIT = 1000
MAX_HEADERS = 100
"""Headers of a request."""
MAX_TARGET = 10_240
"""Bytes of a path with its query string."""
MAX_QUERY = 8192
"""Bytes of a query string."""
MAX_PARAMETERS = 64
"""Parameters of a query string."""
DEFAULT_LIMIT = 100

_NUMBER = re.compile(r"0|[1-9][0-9]{0,15}")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")


class BadParameter(Malformed):
    """A query parameter is unknown, repeated or no value of its kind."""

    def __init__(self, parameter: str, detail: str) -> None:
        super().__init__(f"query parameter {parameter!r} {detail}")
        self.parameter = parameter
        self.reason = detail


class BadHeader(Malformed):
    """A header of the request cannot be acted on."""

    def __init__(self, header: str, detail: str) -> None:
        super().__init__(f"header {header} {detail}")
        self.header = header
        self.reason = detail


class TooLong(RegistryError):
    """The line of a request is longer than is taken."""


def check_query(raw: bytes) -> None:
    """Refuse a query string that nobody needs. Raises TooLong or Malformed."""
    if not raw:
        return
    if len(raw) > MAX_QUERY:
        raise TooLong(f"the query string has {len(raw)} bytes, the limit is {MAX_QUERY}")
    if raw.count(b"&") >= MAX_PARAMETERS:
        raise Malformed(f"the query string has over {MAX_PARAMETERS} parameters")


def query(request: Asked, *known: str) -> dict[str, str]:
    """Read the query string. Raises BadParameter on a parameter that is unknown, repeated or not UTF-8.

    Where the route says what it reads, ``min_position`` is known as well; it was dealt with before the handler
    and is left out, unless it is named here.
    """
    if not request.scope["query_string"]:
        return {}
    given = pairs(request)
    every = (*known, MIN_POSITION) if request.route_handler.opt.get(READS) else known
    for name in given:
        if name not in every:
            names = ", ".join(dict.fromkeys(every)) or "none"
            raise BadParameter(name[:64], f"is not known here; known: {names}")
    return {name: value for name, value in given.items() if name in known}


def pairs(request: Asked) -> dict[str, str]:
    """Read the query string, whatever its names are. Raises BadParameter on one repeated or not UTF-8."""
    given: dict[str, str] = {}
    raw: bytes = request.scope["query_string"]
    for pair in raw.decode("latin-1").split("&") if raw else ():
        name, value = (_decoded(piece, of=pair) for piece in pair.partition("=")[::2])
        if name in given:
            raise BadParameter(name[:64], "is given twice")
        given[name] = value
    return given


def number(given: dict[str, str], name: str, *, least: int = 0, most: int = 2**53 - 1) -> int | None:
    """Read an integer in ASCII digits. Raises BadParameter when it is none or out of range."""
    text = given.get(name)
    if text is None:
        return None
    if not _NUMBER.fullmatch(text) or not least <= int(text) <= most:
        raise BadParameter(name, f"is no integer from {least} to {most}")
    return int(text)


def flag(given: dict[str, str], name: str) -> bool:
    """Read whether something is asked for; it is not when nothing is said."""
    said = given.get(name, "false")
    if said not in ("true", "false"):
        raise BadParameter(name, "is neither true nor false")
    return said == "true"


def limit(given: dict[str, str]) -> int:
    """Read how many items a page may have."""
    asked = number(given, "limit", least=1, most=MAX_LIMIT)
    return DEFAULT_LIMIT if asked is None else asked


def day(given: dict[str, str], name: str) -> date:
    """Read a day; without one it is today's, in UTC."""
    text = given.get(name)
    if text is None:
        return datetime.now(UTC).date()
    bad = BadParameter(name, "is no day such as 2025-07-16")
    if not _DAY.fullmatch(text):
        raise bad
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise bad from None


def cursor(given: dict[str, str]) -> int | None:
    """Read where a page continues. Raises BadParameter on what ``next_cursor`` did not make."""
    text = given.get("cursor")
    if text is None:
        return None
    try:
        kind, _, position = urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
    except ValueError:
        kind, position = "", ""
    if kind != "after" or not _NUMBER.fullmatch(position) or next_cursor(int(position)) != text:
        raise BadParameter("cursor", "is none that this registry gave out")
    return int(position)


def begin_behind(given: dict[str, str]) -> int:
    """Read behind which position a page begins: that of a cursor, or ``after``."""
    behind = cursor(given)
    if behind is None:
        return number(given, "after") or 0
    if "after" in given:
        raise BadParameter("after", "contradicts the cursor; give one of them")
    return behind


def next_cursor(position: int) -> str:
    """Make the cursor of what comes behind a position."""
    return urlsafe_b64encode(f"after:{position}".encode()).decode().rstrip("=")


def _decoded(piece: str, *, of: str) -> str:
    bad = BadParameter(of.partition("=")[0][:64], "is not UTF-8 in percent-encoding")
    if not piece.isascii() or _BAD_PERCENT.search(piece):
        raise bad
    try:
        return unquote_plus(piece, errors="strict")
    except UnicodeDecodeError:
        raise bad from None
