"""The term: its base end, the ends that tacit renewal rolls it to, and the notice that stops it."""

from collections.abc import Callable, Iterable
from datetime import date
from itertools import product

import msgspec

from registry.domain import edtf
from registry.domain.agreement import Agreement, Live
from registry.domain.claims import Claim, shown
from registry.domain.dates import NO, Truth, first_day, last_day
from registry.domain.duration import Duration, shift
from registry.domain.edtf import Edtf
from registry.domain.events import NonRenewalNotified, Renewed
from registry.domain.events import Term as TermClaim


class Notice(msgspec.Struct, frozen=True):
    """A notification that the term shall not be renewed."""

    when: Edtf
    live: Live


class Term(msgspec.Struct, frozen=True):
    """How long the agreement runs, as far as its live events say."""

    claim: Claim | None
    """The term that is shown; None when only a renewal gave an end."""
    base: Edtf | None
    """The latest of the term's end and every new end; None for a term without end."""
    base_by: Live | None
    """The event that gave the base end."""
    start: Edtf | None = None
    auto_renew: bool = False
    renew_for: Duration | None = None
    notice: Duration | None = None
    notices: tuple[Notice, ...] = ()


class Run(msgspec.Struct, frozen=True):
    """The end a term has rolled to by a day."""

    end: Edtf
    """The last day in force, as imprecise as the base end."""
    renewals: int
    """How often the term was renewed by itself."""
    stopped_by: Live | None
    """The notice in time that lets it end there."""
    deadline: date | None
    """The last day for a notice that prevents the renewal at this end; None when it would not renew."""


def term(state: Agreement) -> Term | None:
    """Give the term of an agreement, None when nothing is known of any."""
    claim = shown(state, "term")
    if claim is None and Renewed not in state.index:  # as of most agreements
        return None
    ends: list[tuple[Edtf, Live]] = [
        (data.new_end, live) for live, data in state.of(Renewed) if data.new_end is not None
    ]
    if claim is None:
        if not ends:
            return None
        base, by = _latest(ends)
        return Term(None, base, by)
    said: TermClaim = claim.value
    if said.end is not None:
        ends.append((said.end, claim.live))
    last = _latest(ends) if ends else None
    return Term(
        claim=claim,
        base=last[0] if last else None,
        base_by=last[1] if last else None,
        start=said.start,
        auto_renew=said.auto_renew,
        renew_for=said.renew_for,
        notice=said.notice,
        notices=tuple(
            sorted(
                (Notice(data.occurred, live) for live, data in state.of(NonRenewalNotified)),
                key=lambda notice: (first_day(notice.when), notice.live.identity),
            )
        ),
    )


def run(of: Term, on: date) -> Run | None:
    """Roll a term until its end is on or after a day, or a notice has stopped it; None without an end."""
    if of.base is None:
        return None
    if not of.auto_renew or not of.renew_for or of.base.latest is None:
        return Run(of.base, 0, None, None)
    needed = _least(of.base.latest, of.renew_for, lambda end: end >= on)
    stops = [
        (_stop(of, of.base.latest, of.renew_for, first_day(notice.when)), index)
        for index, notice in enumerate(of.notices)
    ]
    stop, index = min(stops, default=(needed + 1, -1))
    renewals = min(needed, stop)
    stopped = of.notices[index].live if stop <= needed else None
    end = _rolled(of.base, of.renew_for, renewals)
    return Run(end, renewals, stopped, None if stopped else _deadline(of, last_day(end)))


def expired(of: Term, on: date) -> Truth:
    """Tell whether the rolled end has passed. Certain when it is so whatever the imprecise dates mean."""
    if of.base is None:
        return NO
    holds = _is_over(of, last_day(of.base), [first_day(notice.when) for notice in of.notices], on)
    readings = product(
        _days(of.base),
        zip(*(_days(notice.when) for notice in of.notices), strict=True) if of.notices else [()],
    )
    certain = all(_is_over(of, base, notices, on) == holds for base, notices in readings)
    return Truth.of(holds=holds, certain=certain)


def expiry(of: Term) -> date | None:
    """Give the last day in force, whenever that is; None while nothing stops the term from going on."""
    if of.base is None or of.base.latest is None:
        return None
    if not of.auto_renew or not of.renew_for:
        return of.base.latest
    stops = [_stop(of, of.base.latest, of.renew_for, first_day(notice.when)) for notice in of.notices]
    return shift(of.base.latest, of.renew_for, min(stops)) if stops else None


def possible_ends(of: Term) -> set[date]:
    """Give every day that may be the last in force, whatever the imprecise dates mean."""
    if of.base is None:
        return set()
    bases = _days(of.base)
    if not of.auto_renew or not of.renew_for:
        return set(bases)
    return {
        shift(base, of.renew_for, _stop(of, base, of.renew_for, notified))
        for base in bases
        for notice in of.notices
        for notified in (*_days(notice.when), first_day(notice.when))
    }


def _days(when: Edtf) -> tuple[date, date]:
    return when.earliest or date.min, when.latest or date.max


def _is_over(of: Term, base: date, notices: Iterable[date], on: date) -> bool:
    if not of.auto_renew or not of.renew_for:
        return base < on
    stop = min((_stop(of, base, of.renew_for, notified) for notified in notices), default=None)
    return stop is not None and shift(base, of.renew_for, stop) < on


def _stop(of: Term, base: date, step: Duration, notified: date) -> int:
    """Give the number of the first end that a notice is in time for."""
    return _least(base, step, lambda end: notified <= _deadline(of, end))


def _deadline(of: Term, end: date) -> date:
    return end if of.notice is None else shift(end, of.notice, -1)


def _least(base: date, step: Duration, reached: Callable[[date], bool]) -> int:
    """Give the least number of steps whose end is far enough, found by halving, as steps may be days."""

    def far_enough(steps: int) -> bool:
        end = shift(base, step, steps)
        return end == date.max or reached(end)

    if far_enough(0):
        return 0
    high = 1
    while not far_enough(high):
        high *= 2
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if far_enough(middle) else (middle, high)
    return high


def _rolled(base: Edtf, step: Duration, times: int) -> Edtf:
    """Move an end by several steps; what was imprecise stays as imprecise."""
    if times == 0:
        return base
    ends = [
        ".." if day is None else shift(day, step, times).isoformat() for day in (base.earliest, base.latest)
    ]
    return edtf.parse(ends[0] if ends[0] == ends[1] else "/".join(ends))


def _latest(ends: Iterable[tuple[Edtf, Live]]) -> tuple[Edtf, Live]:
    """Give the latest of several ends; of equal ones the narrowest, then the lowest identity."""

    def order(end: tuple[Edtf, Live]) -> tuple[int, int, tuple[str, str]]:
        return -last_day(end[0]).toordinal(), end[0].width, end[1].identity

    return min(ends, key=order)
