"""The statuses of an agreement through time: from which day to which each of them holds."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

import msgspec

from registry.domain.agreement import Agreement
from registry.domain.course import Course, course
from registry.domain.dates import day_after
from registry.domain.edtf import Edtf
from registry.domain.stages import LAST_RULE, findings, rules_for
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
    dates = list(_dates(now))
    rules = rules_for(now)
    turns: list[tuple[date, tuple[str, Edtf | None, bool]]] = []
    for day in (date.min, *sorted(_turning_days(now, dates))):
        tried = findings(now, day, (LAST_RULE,) if day == date.min and _all_ahead(now, dates) else rules)
        found = tried[-1]
        said = found.code, found.since, certain_of(tried)
        if not turns or turns[-1][1] != said:
            turns.append((day, said))
    return tuple(
        Span(
            from_=None if day == date.min else day,
            until=after[0] - timedelta(days=1) if after else None,
            status=code,
            status_label=label(now, code),
            certain=certain,
            since=since_of(since),
        )
        for (day, (code, since, certain)), after in zip(turns, (*turns[1:], None), strict=True)
    )


def _turning_days(now: Course, dates: Iterable[Edtf]) -> set[date]:
    days: set[date | None] = set()
    for when in dates:
        days.add(when.earliest)
        days.add(when.latest)
    if now.term is not None:
        days |= {day_after(end) for end in possible_ends(now.term)}
    return {day for day in days if day is not None and day != date.min}


def _all_ahead(now: Course, dates: Iterable[Edtf]) -> bool:
    """Tell whether nothing at all can have begun on the first day of the calendar."""
    return (
        not now.retractions
        and now.term is None
        and all(when.earliest is not None and when.earliest > date.min for when in dates)
    )


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
