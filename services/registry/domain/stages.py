"""The rules that a status is found by, from the top of the table in the order in which they are tried."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date

import msgspec

from registry.domain.agreement import Live
from registry.domain.course import Course, Dated, PartySignature, all_begun, any_begun, earliest, latest
from registry.domain.dates import NO, YES, Truth, begun, ended, every, first_day, last_day, opposite, some
from registry.domain.edtf import Edtf, meets
from registry.domain.endings import ends_on


class Finding(msgspec.Struct, frozen=True):
    """What one rule says about one day."""

    code: str
    """The status that the rule stands for."""
    truth: Truth
    why: str
    """A sentence without its first capital and full stop."""
    since: Edtf | None = None
    behind: tuple[Live, ...] = ()
    """The events that the finding rests on; the first is the one whose date decides."""


Rule = Callable[[Course, date], Iterator[Finding]]


def findings(course: Course, on: date) -> list[Finding]:
    """Give what each rule finds, from the top down to the first that holds: the status."""
    tried: list[Finding] = []
    for rule in RULES:
        for finding in rule(course, on):
            tried.append(finding)
            if finding.truth.holds:
                return tried
    raise AssertionError("the last rule holds on every day")  # pragma: no cover


def signed_by(course: Course, party: str, on: date) -> Truth:
    """Tell whether the signature of a party counts on a day."""
    signature = course.signatures.get(party)
    if signature is None or not signature.counts:
        return NO
    return all_begun(signature.dates, on)


def _retracted(course: Course, _: date) -> Iterator[Finding]:
    if course.retractions:
        yield Finding("retracted", YES, "the agreement was retracted", behind=course.retractions)
    else:
        yield Finding("retracted", NO, "nobody has retracted the agreement")


def _ended(course: Course, on: date) -> Iterator[Finding]:
    for verdict in ends_on(course, on):
        yield Finding(verdict.code, verdict.truth, verdict.why, verdict.since, verdict.behind)


def _suspended(course: Course, on: date) -> Iterator[Finding]:
    yield _period("suspended", "suspension", course.suspensions, course.resumptions, on)


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
    signed = _both_signed(course, on)
    why = "it takes effect on signature, and " + signed.why
    yield Finding("in-force", signed.truth, why, signed.since, (*signed.behind, mode.live))


def _provisional(course: Course, on: date) -> Iterator[Finding]:
    yield _period("provisional", "provisional application", course.provisional, course.provisional_ends, on)


def _abandoned(course: Course, on: date) -> Iterator[Finding]:
    given_up = [one for one in course.abandonments if begun(one.when, on).holds]
    if not given_up:
        truth = any_begun(course.abandonments, on)
        yield Finding("abandoned", truth, "no abandonment of the negotiation is claimed by then")
        return
    last = latest(given_up)
    signings = (Dated(one.claim.value, one.claim.live) for one in course.signatures.values())
    others = [one for one in (*course.openings, *course.adoptions, *signings) if begun(one.when, on) != NO]
    after = every(_later(last.when, one.when) for one in others if begun(one.when, on).holds)
    unsure = [one for one in others if not begun(one.when, on).holds]
    truth = Truth(after.holds, after.certain and begun(last.when, on).certain and not unsure)
    if truth.holds:
        yield Finding(
            "abandoned", truth, f"negotiation was abandoned on {last.when}", last.when, (last.live,)
        )
    else:
        ahead = latest(one for one in others if not _later(last.when, one.when).holds)
        why = f"after the abandonment on {last.when} it went on, on {ahead.when}"
        yield Finding("abandoned", truth, why, behind=(ahead.live, last.live))


def _signed(course: Course, on: date) -> Iterator[Finding]:
    yield _both_signed(course, on)
    counting = {party: signed_by(course, party, on) for party in course.parties}
    truth = some(counting.values())
    dates = _counted(course.signatures[party] for party, one in counting.items() if one.holds)
    if dates:
        decisive = latest(dates)
        who = " and ".join(party for party, one in counting.items() if one.holds)
        why = f"{who} signed, which counts from {decisive.when}"
        yield Finding("partially-signed", truth, why, decisive.when, _lives(decisive, dates))
    else:
        yield Finding("partially-signed", truth, "no signature of either party counts by then")


def _adopted(course: Course, on: date) -> Iterator[Finding]:
    yield _reached("adopted", "the text was adopted", course.adoptions, on)


def _negotiation(course: Course, on: date) -> Iterator[Finding]:
    given_up = [one for one in course.abandonments if begun(one.when, on).holds]
    openings = course.openings
    if given_up:
        again = tuple(one for one in openings if not _later(latest(given_up).when, one.when).holds)
        openings = tuple(one for one in again if begun(one.when, on).holds) or openings
    yield _reached("negotiation", "negotiation was opened", openings, on)


def _registered(_: Course, __: date) -> Iterator[Finding]:
    yield Finding("registered", YES, "the agreement is registered, and nothing more is known by then")


RULES: tuple[Rule, ...] = (
    _retracted,
    _ended,
    _suspended,
    _in_force,
    _provisional,
    _abandoned,
    _signed,
    _adopted,
    _negotiation,
    _registered,
)


def _period(code: str, what: str, starts: tuple[Dated, ...], ends: tuple[Dated, ...], on: date) -> Finding:
    """Tell whether one of several periods has begun and none of the ends after its start has passed."""
    truths = [
        every(
            (
                begun(start.when, on),
                opposite(some(ended(end.when, on) for end in _ends_of(start, ends))),
            )
        )
        for start in starts
    ]
    truth = some(truths)
    running = [start for start, one in zip(starts, truths, strict=True) if one.holds]
    if running:
        start = earliest(running)
        return Finding(
            code, truth, f"{what} began on {start.when} and has not ended", start.when, (start.live,)
        )
    over = [start for start in starts if begun(start.when, on).holds]
    if over:
        start = latest(over)
        end = earliest(_ends_of(start, ends))
        why = f"{what} from {start.when} ended on {end.when}"
        return Finding(code, truth, why, behind=(end.live, start.live))
    if starts:
        start = earliest(starts)
        return Finding(code, truth, f"{what} from {start.when} is still ahead", behind=(start.live,))
    return Finding(code, truth, f"no {what} is claimed")


def _ends_of(start: Dated, ends: tuple[Dated, ...]) -> list[Dated]:
    return [end for end in ends if last_day(end.when) >= first_day(start.when)]


def _both_signed(course: Course, on: date) -> Finding:
    truths = {party: signed_by(course, party, on) for party in course.parties}
    truth = every(truths.values()) if truths else NO  # no party is known once the founding event was erased
    dates = _counted(course.signatures.values())
    if truth.holds:
        decisive = latest(dates)
        why = f"both parties have signed, the later of which counts from {decisive.when}"
        return Finding("signed", truth, why, decisive.when, _lives(decisive, dates))
    missing = " and ".join(party for party, one in truths.items() if not one.holds)
    return Finding(
        "signed", truth, f"no signature of {missing} counts by then", behind=tuple(d.live for d in dates)
    )


def _counted(signatures: Iterable[PartySignature]) -> list[Dated]:
    return [one for signature in signatures if signature.counts for one in signature.dates]


def _lives(first: Dated, rest: Iterable[Dated]) -> tuple[Live, ...]:
    """Give the deciding event and the others behind the same finding, each once."""
    lives = (first.live, *(one.live for one in rest))
    return tuple({live.identity: live for live in lives}.values())


def _reached(code: str, what: str, stages: tuple[Dated, ...], on: date) -> Finding:
    truth = any_begun(stages, on)
    reached = [stage for stage in stages if begun(stage.when, on).holds]
    if reached:
        first = earliest(reached)
        return Finding(code, truth, f"{what} on {first.when}", first.when, (first.live,))
    return Finding(code, truth, f"it is not claimed that {what} by then")


def _later(one: Edtf, other: Edtf) -> Truth:
    """Tell whether one date is later than another; uncertain while they may be the same day."""
    holds = last_day(one) > last_day(other)
    return Truth(holds, certain=not meets(one, other) or (one.width == other.width == 0))
