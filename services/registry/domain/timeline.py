"""The statuses of an agreement through time: from which day to which each of them holds."""

from collections.abc import Iterator
from datetime import date, timedelta

import msgspec

from registry.domain.agreement import Agreement
from registry.domain.course import Course, course
from registry.domain.dates import day_after
from registry.domain.edtf import Edtf
from registry.domain.stages import findings, rules_for
from registry.domain.status import Since, certain_of, label, since_of
from registry.domain.term import possible_ends


class Span(msgspec.Struct, frozen=True, kw_only=True, gc=False):
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
    """Give the statuses of an agreement in order; together they cover every day once. Computed once a state."""
    found: tuple[Span, ...] | None = state.derived.get("timeline")
    if found is None:
        found = state.derived["timeline"] = _timeline(state)
    return found


def _timeline(state: Agreement) -> tuple[Span, ...]:
    """Try the days on which the status may change.

    A status changes only on days that a date in the course of the agreement names, and only rules about which
    something is claimed can find one, so nothing else is tried.
    """
    now = course(state)
    rules = rules_for(now)
    spans: list[Span] = []
    until: date | None = None
    for day in (*sorted(_turning_days(now), reverse=True), date.min):
        tried = findings(now, day, rules)
        found = tried[-1]
        certain, since = certain_of(tried), since_of(found)
        if (
            spans
            and (last := spans[-1]).status == found.code
            and (last.certain, last.since) == (certain, since)
        ):
            until = spans.pop().until
        spans.append(
            Span(
                from_=None if day == date.min else day,
                until=until,
                status=found.code,
                status_label=label(now, found.code),
                certain=certain,
                since=since,
            )
        )
        until = day - timedelta(days=1) if day != date.min else None
    return tuple(reversed(spans))


def _turning_days(now: Course) -> set[date]:
    days: set[date] = set()
    for when in _dates(now):
        if when.earliest is not None:
            days.add(when.earliest)
        if when.latest is not None:
            days.add(when.latest)
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
