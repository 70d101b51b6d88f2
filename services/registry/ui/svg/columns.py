"""Columns of two kinds by month: one kind upwards, the other downwards from the same line."""

from collections.abc import Mapping, Sequence

import msgspec

from registry.projections.activity import Counted

MONTHS = 24
"""How many months are drawn at most: the last ones in which there is anything."""
WIDTH, HEIGHT, LETTERS = 720, 96, 14
GAP = 0.28
"""How much of a month stays white."""
LEAST = 1.5
"""The least height of a column of anything."""


class Column(msgspec.Struct, frozen=True):
    """One month."""

    month: str
    """``2025-07``."""
    x: float
    width: float
    up: int
    down: int
    up_height: float
    down_height: float
    marked: bool
    """Whether its year is written below: the first month, and every January."""


class Columns(msgspec.Struct, frozen=True):
    """A drawing of ``width`` by ``height``, with the line at ``base``."""

    width: int
    height: float
    base: float
    columns: tuple[Column, ...]


def columns(up: Sequence[Counted], down: Sequence[Counted], last: str) -> Columns:
    """Lay out the columns of the months up to ``last``, such as ``2025-07``."""
    ups, downs = _by_month(up), _by_month(down)
    given = sorted(month for month in {*ups, *downs} if month <= last)
    months = _months(given[0] if given else last, last)[-MONTHS:]
    most = max((max(ups.get(month, 0), downs.get(month, 0)) for month in months), default=0) or 1
    step = WIDTH / len(months)
    base = LETTERS + max(_height(ups.get(month, 0), most) for month in months)
    below = max(_height(downs.get(month, 0), most) for month in months)
    return Columns(
        WIDTH,
        base + below + LETTERS,
        base,
        tuple(
            Column(
                month=month,
                x=round(number * step + step * GAP / 2, 1),
                width=round(step * (1 - GAP), 1),
                up=ups.get(month, 0),
                down=downs.get(month, 0),
                up_height=_height(ups.get(month, 0), most),
                down_height=_height(downs.get(month, 0), most),
                marked=number == 0 or month.endswith("-01"),
            )
            for number, month in enumerate(months)
        ),
    )


def _by_month(counted: Sequence[Counted]) -> Mapping[str, int]:
    return {each.time: each.events for each in counted}


def _height(number: int, most: int) -> float:
    """Scale by the square root, so that one event beside a thousand can still be seen."""
    return round(max(LEAST, (number / most) ** 0.5 * HEIGHT), 1) if number else 0


def _months(first: str, last: str) -> list[str]:
    start, end = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last))
    return [f"{number // 12:04}-{number % 12 + 1:02}" for number in range(max(start, end - MONTHS), end + 1)]
