"""The rules that a status is found by, from the top of the table in the order in which they are tried."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from typing import Any

from registry.domain.course import Course
from registry.domain.dated import Dated, any_begun, latest
from registry.domain.dates import NO, YES, Truth, begun, every, some
from registry.domain.endings import ends_on
from registry.domain.finding import (
    Finding,
    both_signed,
    counted,
    deciding,
    each_signed,
    later,
    period,
    reached_by,
)

Rule = Callable[[Course, date], Iterator[Finding]]


def findings(course: Course, on: date, rules: Iterable[Rule] | None = None) -> list[Finding]:
    """Give what each rule finds, from the top down to the first that holds: the status."""
    tried: list[Finding] = []
    for rule in RULES if rules is None else rules:
        for finding in rule(course, on):
            tried.append(finding)
            if finding.truth.holds:
                return tried
    raise AssertionError("the last rule holds on every day")


def rules_for(course: Course) -> tuple[Rule, ...]:
    """Give the rules that can find anything: those about which nothing is claimed never hold, for certain."""
    return tuple(rule for rule, claimed in RULES.items() if claimed(course))


def _retracted(course: Course, _: date) -> Iterator[Finding]:
    if course.retractions:
        yield Finding("retracted", YES, "the agreement was retracted", behind=course.retractions)
    else:
        yield Finding("retracted", NO, "nobody has retracted the agreement")


def _ended(course: Course, on: date) -> Iterator[Finding]:
    for verdict in ends_on(course, on):
        yield Finding(verdict.code, verdict.truth, verdict.why, verdict.since, verdict.behind)


def _suspended(course: Course, on: date) -> Iterator[Finding]:
    yield period("suspended", "suspension", course.suspensions, course.resumptions, on)


def _in_force(course: Course, on: date) -> Iterator[Finding]:
    claim = course.entry_into_force
    if claim is not None:
        truth = begun(claim.value, on)
        why = (
            f"it entered into force on {claim.value}"
            if truth.holds
            else f"entry into force on {claim.value} is still ahead"
        )
        yield Finding("in-force", truth, why, claim.value, (claim.live,))
        return
    mode = course.entry_mode
    if mode is None or mode.value != "on-signature":
        how = "how it enters into force is not known" if mode is None else f"its entry mode is {mode.value}"
        yield Finding(
            "in-force", NO, f"no entry into force is claimed and {how}", behind=(mode.live,) if mode else ()
        )
        return
    signed = both_signed(course, each_signed(course, on))
    why = "it takes effect on signature, and " + signed.why
    yield Finding("in-force", signed.truth, why, signed.since, (*signed.behind, mode.live))


def _provisional(course: Course, on: date) -> Iterator[Finding]:
    yield period("provisional", "provisional application", course.provisional, course.provisional_ends, on)


def _abandoned(course: Course, on: date) -> Iterator[Finding]:
    given_up = [one for one in course.abandonments if begun(one.when, on).holds]
    if not given_up:
        truth = any_begun(course.abandonments, on)
        yield Finding("abandoned", truth, "no abandonment of the negotiation is claimed by then")
        return
    last = latest(given_up)
    signings = (Dated(one.claim.value, one.claim.live) for one in course.signatures.values())
    others = [one for one in (*course.openings, *course.adoptions, *signings) if begun(one.when, on) != NO]
    after = every(later(last.when, one.when) for one in others if begun(one.when, on).holds)
    unsure = [one for one in others if not begun(one.when, on).holds]
    certain = after.certain and begun(last.when, on).certain and not unsure
    truth = Truth.of(holds=after.holds, certain=certain)
    if truth.holds:
        yield Finding(
            "abandoned", truth, f"negotiation was abandoned on {last.when}", last.when, (last.live,)
        )
    else:
        ahead = latest(one for one in others if not later(last.when, one.when).holds)
        why = f"after the abandonment on {last.when} it went on, on {ahead.when}"
        yield Finding("abandoned", truth, why, behind=(ahead.live, last.live))


def _signed(course: Course, on: date) -> Iterator[Finding]:
    counting = each_signed(course, on)
    yield both_signed(course, counting)
    truth = some(counting.values())
    dates = counted(course.signatures[party] for party, one in counting.items() if one.holds)
    if dates:
        decisive = latest(dates)
        who = " and ".join(party for party, one in counting.items() if one.holds)
        why = f"{who} signed, which counts from {decisive.when}"
        yield Finding("partially-signed", truth, why, decisive.when, deciding(decisive, dates))
    else:
        yield Finding("partially-signed", truth, "no signature of either party counts by then")


def _adopted(course: Course, on: date) -> Iterator[Finding]:
    yield reached_by("adopted", "the text was adopted", course.adoptions, on)


def _negotiation(course: Course, on: date) -> Iterator[Finding]:
    given_up = [one for one in course.abandonments if begun(one.when, on).holds]
    openings = course.openings
    if given_up:
        again = tuple(one for one in openings if not later(latest(given_up).when, one.when).holds)
        openings = tuple(one for one in again if begun(one.when, on).holds) or openings
    yield reached_by("negotiation", "negotiation was opened", openings, on)


def _registered(_: Course, __: date) -> Iterator[Finding]:
    yield Finding("registered", YES, "the agreement is registered, and nothing more is known by then")


RULES: Mapping[Rule, Callable[[Course], Any]] = {
    _retracted: lambda course: course.retractions,
    _ended: lambda course: course.ends or course.term,
    _suspended: lambda course: course.suspensions,
    _in_force: lambda course: course.entry_into_force or course.entry_mode,
    _provisional: lambda course: course.provisional,
    _abandoned: lambda course: course.abandonments,
    _signed: lambda course: course.signatures,
    _adopted: lambda course: course.adoptions,
    _negotiation: lambda course: course.openings,
    _registered: lambda _: True,
}
"""The rules in the order in which they are tried, each with what must be claimed for it ever to hold."""

LAST_RULE: Rule = _registered
"""What holds where no other does: on a day before everything that is dated."""
