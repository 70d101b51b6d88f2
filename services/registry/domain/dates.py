"""Whether something has begun or ended on a day, when its date may be imprecise.

A stage begins on the earliest day its date can mean and is certain from the latest; without an earliest day
it begins on the latest, and before that it is uncertain. An end passes after the latest day.
"""

from collections.abc import Iterable
from datetime import date, timedelta
from enum import IntEnum

from registry.domain.edtf import Edtf


class Truth(IntEnum):
    """An answer, and whether it is so for every day that the dates behind it can mean: the surer the greater."""

    NO = 0
    POSSIBLE = 1
    LIKELY = 2
    YES = 3

    def __init__(self, value: int) -> None:
        self.holds = value >= 2  # noqa: PLR2004 - the upper half
        self.certain = value in (0, 3)

    @classmethod
    def of(cls, *, holds: bool, certain: bool) -> "Truth":
        """Give the answer that holds or does not, for certain or not."""
        if holds:
            return YES if certain else LIKELY
        return NO if certain else POSSIBLE


NO, POSSIBLE, LIKELY, YES = Truth


def first_day(when: Edtf) -> date:
    """Give the day on which a stage begins: the earliest, or the latest where no earliest is known."""
    return when.earliest or when.latest or date.max


def last_day(when: Edtf) -> date:
    """Give the last day it can mean; an open end is never reached."""
    return when.latest or date.max


def begun(when: Edtf | None, on: date) -> Truth:
    """Tell whether a stage has begun on a day. What is undated holds on every day."""
    if when is None:
        return YES
    first, last = when.earliest, when.latest or date.max
    if (first or last) <= on:
        return YES if last <= on else LIKELY
    return NO if first is not None else POSSIBLE


def ended(first_day_out: Edtf, on: date) -> Truth:
    """Tell whether the first day after the end has come."""
    if last_day(first_day_out) <= on:
        return YES
    return NO if first_day_out.earliest is not None and on < first_day_out.earliest else POSSIBLE


def past(due: Edtf, on: date) -> Truth:
    """Tell whether a last day, or the day on which something is due, is over."""
    if last_day(due) < on:
        return YES
    return NO if due.earliest is not None and on <= due.earliest else POSSIBLE


def day_after(day: date) -> date:
    """Give the next day; the calendar's last day has none after it."""
    return day if day == date.max else day + timedelta(days=1)


def every(truths: Iterable[Truth]) -> Truth:
    """All of them hold."""
    return min(truths, default=YES)


def some(truths: Iterable[Truth]) -> Truth:
    """At least one of them holds."""
    return max(truths, default=NO)


def opposite(truth: Truth) -> Truth:
    """It does not hold."""
    return Truth(YES - truth)
