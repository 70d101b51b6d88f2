"""GET /calendar: what was on and what is due, month by month."""

import re
from calendar import Calendar
from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any

import msgspec
from litestar import Response

from registry.domain.calendar import Item
from registry.domain.values import ID_PATTERN
from registry.http.answer import Asked
from registry.http.parameters import BadParameter, day
from registry.http.principal import principal_of
from registry.projections.agreements import AGREEMENTS
from registry.projections.calendar import CALENDAR, Found, find_items
from registry.ui.page import answer_page, asked_of, page

MOST = 1000
"""Items of a month."""
IN_A_DAY = 4
"""Items that are named in the square of a day; the list below has all."""
_MONTH = re.compile(r"([0-9]{4})-(0[1-9]|1[0-2])")
_decode = msgspec.json.Decoder(Item).decode


class Shown(msgspec.Struct, frozen=True):
    """An item as the month shows it."""

    item: Item
    state: str
    """``overdue``, or the status of the item."""
    exact: bool
    """Whether it is on one day only."""


class Square(msgspec.Struct, frozen=True):
    """A day of the grid."""

    day: date
    within: bool
    """Whether it is of the month shown."""
    today: bool
    named: tuple[Shown, ...]
    more: int
    """How many more there are."""


@page("/calendar", reads=(CALENDAR, AGREEMENTS))
async def get_calendar_page(request: Asked) -> Response[Any]:
    """Show a month, of all agreements or of those with a party."""
    given = asked_of(request, "month", "party")
    today = day({}, "today")
    first = _month(given, today)
    party = given.get("party")
    if party is not None and not re.match(ID_PATTERN, party):
        raise BadParameter("party", "is no id of a party")
    last = next_month(first) - timedelta(1)
    found: Found = await request.app.state.views.read(
        find_items, party=party, start=first, end=last, most=MOST, sight=principal_of(request).sight
    )
    shown = [seen(item, today) for item in map(_decode, found.items)]
    return answer_page(
        request,
        "calendar.html",
        first=first,
        before=_written(first - timedelta(1)),
        behind=_written(next_month(first)),
        this_month=_written(today),
        party=party,
        weeks=grid(first, shown, today),
        shown=shown,
        full=len(shown) == MOST,
        today=today,
    )


def seen(item: Item, today: date) -> Shown:
    """Tell what has become of an item by today."""
    overdue = item.kind == "follow-up" and item.status in ("open", "progressed") and item.last < today
    return Shown(item, "overdue" if overdue else item.status, item.first == item.last)


def grid(first: date, shown: Iterable[Shown], today: date) -> list[list[Square]]:
    """Lay a month out in weeks from Monday on; items of several days stand on each of them."""
    by_day: dict[date, list[Shown]] = {}
    for one in shown:
        for number in range((one.item.last - one.item.first).days + 1):
            by_day.setdefault(one.item.first + timedelta(number), []).append(one)
    return [
        [
            Square(
                each,
                each.month == first.month,
                each == today,
                tuple(by_day.get(each, [])[:IN_A_DAY]),
                max(0, len(by_day.get(each, [])) - IN_A_DAY),
            )
            for each in week
        ]
        for week in Calendar().monthdatescalendar(first.year, first.month)
    ]


def next_month(first: date) -> date:
    """Give the first day of the month behind."""
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)


def _written(of: date) -> str:
    return f"{of.year:04}-{of.month:02}"


def _month(given: dict[str, str], today: date) -> date:
    """Read the month asked for: one of the years 2 to 9998, so that those around it exist too."""
    if "month" not in given:
        return today.replace(day=1)
    match = _MONTH.fullmatch(given["month"])
    if match is None or not 2 <= int(match[1]) <= 9998:  # noqa: PLR2004
        raise BadParameter("month", "is not a month, written YYYY-MM")
    return date(int(match[1]), int(match[2]), 1)
