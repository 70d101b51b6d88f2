"""The statuses of an agreement through time: from which day to which each of them holds."""

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from registry.domain.agreement import Agreement
from registry.domain.course import Course, course
from registry.domain.dates import day_after
from registry.domain.edtf import Edtf
from registry.domain.status import Since, Status, status
from registry.domain.term import possible_ends


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """Days on which the status is one and the same."""

    from_: date | None = msgspec.field(name="from")
    """The first day; None for as long as anybody can say."""
    until: date | None
    """The last day; None for ever, as far as is known."""
    status: str
    status_label: str
    certain: bool
    since: Since | None


def timeline(state: Agreement) -> tuple[Span, ...]:
    """Give the statuses of an agreement in order; together they cover every day once.

    A status changes only on days that a date in the course of the agreement names, so no other is tried.
    """
    spans: list[Span] = []
    for day in (date.min, *sorted(_turning_days(course(state)))):
        now = status(state, day)
        if spans and _same(spans[-1], now):
            continue
        if spans:
            spans[-1] = msgspec.structs.replace(spans[-1], until=day - timedelta(days=1))
        spans.append(
            Span(
                from_=None if day == date.min else day,
                until=None,
                status=now.code,
                status_label=now.label,
                certain=now.certain,
                since=now.since,
            )
        )
    return tuple(spans)


def _same(span: Span, now: Status) -> bool:
    return (span.status, span.certain, span.since) == (now.code, now.certain, now.since)


def _turning_days(now: Course) -> set[date]:
    days: set[date] = set()
    for when in _dates(now):
        for day in (when.earliest, when.latest):
            if day is not None:
                days |= {day, day_after(day)}
    if now.term is not None:
        days |= {day_after(end) for end in possible_ends(now.term)}
    return days - {date.min}


def _dates(now: Course) -> Iterator[Edtf]:
    for end in now.ends:
        yield end.when
    if now.entry_into_force is not None:
        yield now.entry_into_force.value
    for signature in now.signatures.values():
        for dated in signature.dates:
            yield dated.when
        yield signature.claim.value
    for stages in (
        now.suspensions,
        now.resumptions,
        now.provisional,
        now.provisional_ends,
        now.openings,
        now.adoptions,
        now.abandonments,
    ):
        for dated in stages:
            yield dated.when
