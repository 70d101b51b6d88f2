"""Dates as a source knows them: the subset of EDTF (ISO 8601-2) that an event may carry.

A date keeps the text it was posted with and derives the first and the last day it can mean.
Nothing is rounded.
"""

import re
from calendar import monthrange
from datetime import date
from functools import lru_cache
from typing import Any

UNBOUNDED = 10_000_000
"""The width of a date that has an open or unknown end: wider than any that has two."""

_POINT = re.compile(
    r"(?P<year>[0-9]{4}|[0-9]{3}X|[0-9]{2}XX)"
    r"(?:-(?P<month>[0-9]{2}|[01]X|XX)(?:-(?P<day>[0-9]{2}|[0-3]X|XX))?)?"
    r"(?P<qualifier>[~?%]?)"
)
_PLAIN = re.sub(r"\?P<\w+>|\?:", "", _POINT.pattern)
DATE_PATTERN = rf"^({_PLAIN}(/({_PLAIN}|\.\.)?)?|(\.\.)?/{_PLAIN})$"
"""How every date looks, for who has only regular expressions; it also lets through days that do not exist."""
_OPEN = ("", "..")


class Edtf:
    """An imprecise date. Immutable; two are equal when their texts are."""

    __slots__ = ("earliest", "latest", "qualifier", "text")

    text: str
    """As posted."""
    earliest: date | None
    """The first day it can mean; None when that end is open or unknown."""
    latest: date | None
    """The last day it can mean; None when that end is open or unknown."""
    qualifier: str
    """``~`` approximate, ``?`` uncertain, ``%`` both, or empty. Shown; it does not widen the range."""

    def __init__(self, text: str, earliest: date | None, latest: date | None, qualifier: str = "") -> None:
        assign = object.__setattr__
        assign(self, "text", text)
        assign(self, "earliest", earliest)
        assign(self, "latest", latest)
        assign(self, "qualifier", qualifier)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a date never changes: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a date never changes: {name}")

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, Edtf) else NotImplemented

    def __hash__(self) -> int:
        return hash(self.text)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Edtf({self.text!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return parse, (self.text,)

    @property
    def width(self) -> int:
        """Days between the first and the last, 0 for a single day; ``UNBOUNDED`` with an open end."""
        if self.earliest is None or self.latest is None:
            return UNBOUNDED
        return (self.latest - self.earliest).days

    @property
    def precise(self) -> bool:
        """True when it means one single day."""
        return self.width == 0


def meets(a: Edtf, b: Edtf) -> bool:
    """Tell whether some day is within both ranges; an open or unknown end reaches any day."""
    a_starts_in_time = a.earliest is None or b.latest is None or a.earliest <= b.latest
    b_starts_in_time = b.earliest is None or a.latest is None or b.earliest <= a.latest
    return a_starts_in_time and b_starts_in_time


@lru_cache(maxsize=16_384)
def parse(text: str) -> Edtf:
    """Read a date such as ``2025-07-16``, ``2025-07-1X~`` or ``../2025-07``.

    Raises ValueError, in words for the person who posted it, when the text is outside the subset or names no
    possible day.
    """
    start, slash, end = text.partition("/")
    if not slash:
        earliest, latest, qualifier = _point(text)
        return Edtf(text, earliest, latest, qualifier)
    if start in _OPEN and end in _OPEN:
        raise ValueError("an interval needs at least one end that is a date")
    first, _, before = _point(start) if start not in _OPEN else (None, None, "")
    _, last, after = _point(end) if end not in _OPEN else (None, None, "")
    if first is not None and last is not None and first > last:
        raise ValueError(f"the interval {text!r} ends before it starts")
    return Edtf(text, first, last, before if before == after or not after else after if not before else "%")


def _point(text: str) -> tuple[date, date, str]:
    """Read one date without ``/``: its first day, its last day, its qualifier."""
    found = _POINT.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text[:40]!r} is not a date of the kinds 2025-07-16, 2025-07, 2025, 2025-07-1X, 2025-XX, 20XX, "
            "with ~, ? or % at the end, or an interval of them with /"
        )
    year, month, day, qualifier = found.groups()
    if ("X" in year and month) or ("X" in (month or "") and day not in (None, "XX")):
        raise ValueError(f"{text!r} leaves a digit open and gives a later one")
    if year == "0000":
        raise ValueError("there is no year 0000")
    first_year, last_year = _span(year, 1, 9999)
    first_month, last_month = _span(month or "XX", 1, 12)
    if first_month > last_month:
        raise ValueError(f"{text!r} names a month that does not exist")
    days_of_first, days_of_last = monthrange(first_year, first_month)[1], monthrange(last_year, last_month)[1]
    first_day, _ = _span(day or "XX", 1, days_of_first)
    _, last_day = _span(day or "XX", 1, days_of_last)
    if first_day > min(last_day, days_of_first):
        raise ValueError(f"{text!r} names a day that does not exist")
    return date(first_year, first_month, first_day), date(last_year, last_month, last_day), qualifier


def _span(digits: str, least: int, most: int) -> tuple[int, int]:
    """The least and the greatest number that unspecified digits can mean, kept within the limits."""
    return max(int(digits.replace("X", "0")), least), min(int(digits.replace("X", "9")), most)
