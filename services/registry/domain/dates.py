"""Whether something has begun or ended on a day, when its date may be imprecise.

A stage begins on the earliest day its date can mean and is certain from the latest; without an earliest day
it begins on the latest, and before that it is uncertain. An end passes after the latest day.
"""

from collections.abc import Iterable
from datetime import date, timedelta

import msgspec

from registry.domain.edtf import Edtf


class Truth(msgspec.Struct, frozen=True):
    """An answer, and whether it holds for every day that the dates behind it can mean."""

    holds: bool
    certain: bool = True


YES = Truth(holds=True)
NO = Truth(holds=False)


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
    if first_day(when) <= on:
        return Truth(holds=True, certain=last_day(when) <= on)
    return Truth(holds=False, certain=when.earliest is not None)


def ended(first_day_out: Edtf, on: date) -> Truth:
    """Tell whether the first day after the end has come."""
    if last_day(first_day_out) <= on:
        return YES
    return Truth(holds=False, certain=first_day_out.earliest is not None and on < first_day_out.earliest)


def past(due: Edtf, on: date) -> Truth:
    """Tell whether a last day, or the day on which something is due, is over."""
    if last_day(due) < on:
        return YES
    return Truth(holds=False, certain=due.earliest is not None and on <= due.earliest)


def day_after(day: date) -> date:
    """Give the next day; the calendar's last day has none after it."""
    return day if day == date.max else day + timedelta(days=1)


def every(truths: Iterable[Truth]) -> Truth:
    """All of them hold."""
    given = tuple(truths)
    holds = all(truth.holds for truth in given)
    if holds:
        return Truth(holds=True, certain=all(truth.certain for truth in given))
    return Truth(holds=False, certain=any(truth.certain and not truth.holds for truth in given))


def some(truths: Iterable[Truth]) -> Truth:
    """At least one of them holds."""
    given = tuple(truths)
    holds = any(truth.holds for truth in given)
    if holds:
        return Truth(holds=True, certain=any(truth.certain and truth.holds for truth in given))
    return Truth(holds=False, certain=all(truth.certain for truth in given))


def opposite(truth: Truth) -> Truth:
    """It does not hold."""
    return Truth(not truth.holds, truth.certain)
