"""How many agreements are in which status, day by day: areas upon each other."""

from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta

import msgspec

from registry.projections.activity import Turn

ORDER = (
    "in-force",
    "provisional",
    "suspended",
    "signed",
    "partially-signed",
    "adopted",
    "negotiation",
    "expired",
    "terminated",
    "superseded",
    "abandoned",
    "retracted",
)
"""Statuses from the lowest area to the highest. Of those that are only registered no day is known."""
WIDTH, HEIGHT = 720, 180
OF_ONE = 44
"""The most height that one agreement has."""
POINTS = 240
"""About how many days are drawn; a day is no narrower than a line."""
YEARS = 30
"""How far back the drawing goes at most."""


class Area(msgspec.Struct, frozen=True):
    status: str
    path: str
    now: int
    """How many there are at the end."""


class Tick(msgspec.Struct, frozen=True):
    x: float
    year: int
    total: int
    """How many agreements there are in any of the areas."""


class Stacked(msgspec.Struct, frozen=True):
    """A drawing of ``width`` by ``height``, from one day to another."""

    width: int
    height: int
    first: date
    last: date
    areas: tuple[Area, ...]
    ticks: tuple[Tick, ...]
    most: int
    """How many agreements the height stands for."""
    table: tuple[tuple[date, tuple[int, ...]], ...]
    """The same in numbers: for some days, how many are in each of the areas."""


def stacked(turns: Sequence[Turn], last: date) -> Stacked:
    """Lay out the areas up to a day."""
    drawn = [turn for turn in turns if turn.status in ORDER and turn.day <= last.isoformat()]
    began = [date.fromisoformat(turn.day) for turn in drawn if turn.day > date.min.isoformat()]
    earliest = date(max(1, last.year - YEARS), 1, 1)
    first = max(earliest, min([*began, last - timedelta(days=365)]).replace(day=1))
    days = _days(first, last)
    counts = _counts(drawn, days)
    statuses = [status for status in ORDER if any(count[status] for count in counts)]
    most = max((sum(count[status] for status in statuses) for count in counts), default=0) or 1

    def x(day: date) -> float:
        return round((day - first).days / max(1, (last - first).days) * WIDTH, 1)

    height = min(HEIGHT, OF_ONE * most)
    areas = []
    below = [0] * len(days)
    for status in statuses:
        above = [low + count[status] for low, count in zip(below, counts, strict=True)]
        areas.append(
            Area(status, _path([x(day) for day in days], below, above, height / most), counts[-1][status])
        )
        below = above
    years = [date(year, 1, 1) for year in range(first.year, last.year + 1)]
    shown = [day for day in years if day >= first][:: max(1, len(years) // 8)]
    return Stacked(
        WIDTH,
        height,
        first,
        last,
        tuple(areas),
        tuple(Tick(x(day), day.year, sum(_counts(drawn, [day])[0].values())) for day in shown),
        most,
        tuple(
            (day, tuple(_counts(drawn, [day])[0][status] for status in statuses))
            for day in dict.fromkeys((*shown, last))
        ),
    )


def _days(first: date, last: date) -> list[date]:
    step = max(1, (last - first).days // POINTS)
    days = [first + timedelta(days=number) for number in range(0, (last - first).days, step)]
    return [*days, last]


def _counts(turns: Sequence[Turn], days: Sequence[date]) -> list[Counter[str]]:
    """Count for each of some days, which are in order, how many are in each status."""
    found: list[Counter[str]] = []
    now: Counter[str] = Counter()
    number = 0
    for day in days:
        text = day.isoformat()
        while number < len(turns) and turns[number].day <= text:
            now[turns[number].status] += turns[number].agreements
            number += 1
        found.append(now.copy())
    return found


def _path(xs: Sequence[float], below: Sequence[int], above: Sequence[int], unit: float) -> str:
    """Draw the outline in steps: a status begins on a day, not between two."""

    def y(count: int) -> float:
        return round(-count * unit, 1)

    top = _steps(xs, [y(count) for count in above])
    bottom = _steps(xs, [y(count) for count in below])
    there = [f"{px} {py}" for px, py in top]
    back = [f"{px} {py}" for px, py in reversed(bottom)]
    return f"M{'L'.join([*there, *back])}Z"


def _steps(xs: Sequence[float], ys: Sequence[float]) -> list[tuple[float, float]]:
    """Turn points into steps, without those between equals."""
    points: list[tuple[float, float]] = [(xs[0], ys[0])]
    for px, py in zip(xs[1:], ys[1:], strict=True):
        if py != points[-1][1]:
            points += [(px, points[-1][1]), (px, py)]
    points.append((xs[-1], points[-1][1]))
    return points
