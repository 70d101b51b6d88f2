"""Calendars as iCalendar objects (RFC 5545, with the properties of RFC 7986)."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import NAMESPACE_URL, uuid5

import icalendar
from msgspec import structs

from registry.domain.calendar import Item
from registry.domain.dates import day_after

REMEMBERED = 20_000
"""Items whose text is kept: writing one takes longer than finding it."""

EVENT_STATUS = {"tentative": "TENTATIVE", "cancelled": "CANCELLED", "dropped": "CANCELLED"}
"""Everything else is confirmed."""
TODO_STATUS = {
    "open": "NEEDS-ACTION",
    "progressed": "IN-PROCESS",
    "completed": "COMPLETED",
    "dropped": "CANCELLED",
}
_END = b"END:VCALENDAR\r\n"
_STRAY = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINE_END = re.compile("[\u2028\u2029]")


def write_calendar(name: str, items: Iterable[Item], *, origin: str, site: str) -> bytes:
    """Write a calendar. ``origin`` is the log's name, ``site`` the URL of the service, empty if not known.

    The same items give the same bytes: the time in each component is that of the last event behind it.
    """
    calendar = icalendar.Calendar()
    calendar.add("prodid", "-//Agreement Registry//Calendar//EN")
    calendar.add("version", "2.0")
    for known_as in ("name", "x-wr-calname"):
        calendar.add(known_as, icalendar.vText(_clean(name)))
    calendar.add("refresh-interval", timedelta(hours=1), parameters={"value": "DURATION"})
    empty: bytes = calendar.to_ical()
    return b"".join((empty.removesuffix(_END), *(_components(item, origin, site) for item in items), _END))


@lru_cache(maxsize=REMEMBERED)
def _components(item: Item, origin: str, site: str) -> bytes:
    """Write an engagement as an event; a follow-up as an event on the day that it is due, and as a to-do."""
    if item.kind == "engagement":
        return bytes(_event(item, item.kind, origin, site).to_ical())
    due = structs.replace(item, summary=f"Due: {item.summary}")
    return bytes(_event(due, "due", origin, site).to_ical() + _todo(item, origin, site).to_ical())


def _event(item: Item, what: str, origin: str, site: str) -> icalendar.Event:
    event = icalendar.Event()
    _describe(event, item, uid(origin, item.agreement, what, item.part), site)
    event.add("dtstart", item.first)
    event.add("dtend", day_after(item.last))  # the first day that is no longer part of it
    event.add("status", EVENT_STATUS.get(item.status, "CONFIRMED"))
    event.add("transp", "TRANSPARENT")  # nobody's day is taken by it
    if item.location:
        event.add("location", _clean(item.location))
    if item.latitude is not None and item.longitude is not None:
        event.add("geo", (float(item.latitude), float(item.longitude)))
    return event


def _todo(item: Item, origin: str, site: str) -> icalendar.Todo:
    todo = icalendar.Todo()
    _describe(todo, item, uid(origin, item.agreement, item.kind, item.part), site)
    todo.add("due", item.last)
    todo.add("status", TODO_STATUS[item.status])
    if item.status == "completed":
        todo.add("percent-complete", 100)
    return todo


def _describe(component: icalendar.Event | icalendar.Todo, item: Item, uid: str, site: str) -> None:
    changed = datetime.fromtimestamp(item.changed // 1_000_000, UTC)
    component.add("uid", uid)
    component.add("dtstamp", changed)
    component.add("last-modified", changed)
    component.add("sequence", item.sequence)
    component.add("summary", _clean(item.summary))
    component.add("description", _clean(item.description))
    component.add("categories", [item.category])
    if site:
        component.add("url", f"{site}/agreements/{item.agreement}")


def uid(origin: str, agreement: str, what: str, part: str) -> str:
    """Name a component for ever, apart from those of every other log."""
    return str(uuid5(NAMESPACE_URL, f"{origin}\n{agreement}\n{what}\n{part}"))


def _clean(text: str) -> str:
    """Leave out what no line of a calendar may hold, and what some readers take for its end."""
    return _STRAY.sub("", _LINE_END.sub("\n", text))
