"""A scale of days: far from linear, so that days of one week can be told apart beside years."""

from bisect import bisect_left
from collections.abc import Iterable
from datetime import date
from math import log2

import msgspec

LEAST = 1.6
"""What a step has at least, in the units of the logarithm."""
FAR = date(1, 1, 2), date(9999, 12, 30)
"""Days that stand for an open end and get no place of their own."""


class Tick(msgspec.Struct, frozen=True):
    """A day that is written at the scale."""

    day: date
    x: float
    row: int
    """0 or 1: neighbours that would touch stand in two rows."""
    now: bool
    """Whether it is the day that is asked for."""


class Scale:
    """Gives days their place from ``start`` to ``end``: distances grow with the logarithm of the time."""

    def __init__(self, days: Iterable[date], start: float, end: float) -> None:
        self.days = sorted({day for day in days if FAR[0] <= day <= FAR[1]})
        self.start, self.end = start, end
        steps = [
            LEAST + log2(1 + (later - earlier).days)
            for earlier, later in zip(self.days, self.days[1:], strict=False)
        ]
        whole = sum(steps) or 1.0
        self._xs = [start if steps else (start + end) / 2]
        for step in steps:
            self._xs.append(self._xs[-1] + step / whole * (end - start))

    def x(self, day: date) -> float:
        """Give the place of a day; one beyond both ends has the place of the end."""
        at = bisect_left(self.days, day)
        if at < len(self.days) and self.days[at] == day:
            return round(self._xs[at], 1)
        if at == 0:
            return self.start
        if at == len(self.days):
            return self.end
        before, after = self.days[at - 1], self.days[at]
        share = (day - before).days / (after - before).days
        return round(self._xs[at - 1] + share * (self._xs[at] - self._xs[at - 1]), 1)

    def ticks(self, now: date, room: float) -> tuple[Tick, ...]:
        """Choose the days that are written, each with ``room`` to itself: the one asked for, then from the left."""
        taken: tuple[list[float], list[float]] = ([], [])
        found: list[Tick] = []
        for day in (now, *(day for day in self.days if day != now)):
            x = self.x(day)
            for row in (0, 1):
                if all(abs(x - other) >= room for other in taken[row]):
                    taken[row].append(x)
                    found.append(Tick(day, x, row, day == now))
                    break
        return tuple(sorted(found, key=lambda tick: tick.x))
