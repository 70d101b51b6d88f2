"""Durations in whole years, months, weeks and days (ISO 8601), as terms and notice periods are written."""

import re
from calendar import monthrange
from datetime import date, timedelta
from functools import lru_cache
from typing import Any

DURATION_PATTERN = r"^P(?=[0-9])([0-9]{1,4}Y)?([0-9]{1,4}M)?([0-9]{1,4}W)?([0-9]{1,5}D)?$"

_DURATION = re.compile(r"P(?=[0-9])(?:([0-9]{1,4})Y)?(?:([0-9]{1,4})M)?(?:([0-9]{1,4})W)?(?:([0-9]{1,5})D)?")


class Duration:
    """A length of calendar time. Immutable; ``P1Y`` equals ``P12M``, and ``P1W`` equals ``P7D``."""

    __slots__ = ("days", "months", "text")

    text: str
    """As posted."""
    months: int
    """Years and months, in months."""
    days: int
    """Weeks and days, in days; added after the months."""

    def __init__(self, text: str, months: int, days: int) -> None:
        assign = object.__setattr__
        assign(self, "text", text)
        assign(self, "months", months)
        assign(self, "days", days)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a duration never changes: {name}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a duration never changes: {name}")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Duration):
            return NotImplemented
        return (self.months, self.days) == (other.months, other.days)

    def __hash__(self) -> int:
        return hash((self.months, self.days))

    def __bool__(self) -> bool:
        """False for a duration of nothing, such as ``P0D``."""
        return bool(self.months or self.days)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Duration({self.text!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return parse_duration, (self.text,)


@lru_cache(maxsize=1024)
def parse_duration(text: str) -> Duration:
    """Read a duration such as ``P2Y``, ``P6M``, ``P1Y6M`` or ``P90D``. Raises ValueError otherwise."""
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ValueError(
            f"{text[:40]!r} is not a duration in years, months, weeks and days such as P2Y, P6M or P90D"
        )
    years, months, weeks, days = (int(number or 0) for number in found.groups())
    return Duration(text, 12 * years + months, 7 * weeks + days)


def shift(day: date, duration: Duration, times: int = 1) -> date:
    """Move a day by a duration, ``times`` over; negative is back.

    All months are added at once and the day of the month is clamped to the month's end, so 31 January plus
    twice ``P1M`` is 31 March. What falls outside the years 1 to 9999 stops at the calendar's end.
    """
    month_count = day.year * 12 + day.month - 1 + times * duration.months
    year, month = divmod(month_count, 12)
    if not date.min.year <= year <= date.max.year:
        return date.max if times > 0 else date.min
    moved = date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))
    try:
        return moved + timedelta(days=times * duration.days)
    except OverflowError:
        return date.max if times > 0 else date.min
