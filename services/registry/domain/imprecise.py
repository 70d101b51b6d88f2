"""How precise a date is, said in one word."""

from calendar import monthrange
from typing import Literal

from registry.domain.edtf import Edtf

Precision = Literal["day", "month", "year", "range"]


def precision(when: Edtf) -> Precision:
    """Tell whether a date means a day, a whole month, a whole year, or some other range of days."""
    first, last = when.earliest, when.latest
    if first is None or last is None:
        return "range"
    if first == last:
        return "day"
    if first.day == 1 and last.year == first.year:
        if (first.month, last.month, last.day) == (1, 12, 31):
            return "year"
        if first.month == last.month and last.day == monthrange(first.year, first.month)[1]:
            return "month"
    return "range"
