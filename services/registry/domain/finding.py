"""What a rule finds about one day, and the findings that several rules are made of."""

from collections.abc import Iterable, Mapping
from datetime import date

import msgspec

from registry.domain.agreement import Live
from registry.domain.course import Course
from registry.domain.dated import Dated, PartySignature, all_begun, any_begun, earliest, latest
from registry.domain.dates import NO, Truth, begun, ended, every, first_day, last_day, opposite, some
from registry.domain.edtf import Edtf, meets


class Finding(msgspec.Struct, frozen=True, gc=False):
    """What one rule says about one day."""

    code: str
    """The status that the rule stands for."""
    truth: Truth
    why: str
    """A sentence without its first capital and full stop."""
    since: Edtf | None = None
    behind: tuple[Live, ...] = ()
    """The events that the finding rests on; the first is the one whose date decides."""


def signed_by(course: Course, party: str, on: date) -> Truth:
    """Tell whether the signature of a party counts on a day."""
    signature = course.signatures.get(party)
    if signature is None or not signature.counts:
        return NO
    return all_begun(signature.dates, on)


def period(code: str, what: str, starts: tuple[Dated, ...], ends: tuple[Dated, ...], on: date) -> Finding:
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


def each_signed(course: Course, on: date) -> dict[str, Truth]:
    """Tell of each party whether its signature counts on a day."""
    return {party: signed_by(course, party, on) for party in course.parties}


def both_signed(course: Course, truths: Mapping[str, Truth]) -> Finding:
    """Tell whether the signatures of both parties count, and from when, by what is true of each of them."""
    truth = every(truths.values()) if truths else NO  # no party is known once the founding event was erased
    dates = counted(course.signatures.values())
    if truth.holds:
        decisive = latest(dates)
        why = f"both parties have signed, the later of which counts from {decisive.when}"
        return Finding("signed", truth, why, decisive.when, deciding(decisive, dates))
    missing = " and ".join(party for party, one in truths.items() if not one.holds)
    return Finding(
        "signed", truth, f"no signature of {missing} counts by then", behind=tuple(d.live for d in dates)
    )


def counted(signatures: Iterable[PartySignature]) -> list[Dated]:
    """Give what must have come for each of the signatures that count at all."""
    return [one for signature in signatures if signature.counts for one in signature.dates]


def deciding(first: Dated, rest: Iterable[Dated]) -> tuple[Live, ...]:
    """Give the deciding event and the others behind the same finding, each once."""
    others = [one.live for one in rest if one.live is not first.live]
    if not others:  # as one event often tells of both signatures
        return (first.live,)
    return tuple({live.identity: live for live in (first.live, *others)}.values())


def reached_by(code: str, what: str, stages: tuple[Dated, ...], on: date) -> Finding:
    """Tell whether one of several reports of a stage has come."""
    truth = any_begun(stages, on)
    reached = [stage for stage in stages if begun(stage.when, on).holds]
    if reached:
        first = earliest(reached)
        return Finding(code, truth, f"{what} on {first.when}", first.when, (first.live,))
    return Finding(code, truth, f"it is not claimed that {what} by then")


def later(one: Edtf, other: Edtf) -> Truth:
    """Tell whether one date is later than another; uncertain while they may be the same day."""
    holds = last_day(one) > last_day(other)
    return Truth.of(holds=holds, certain=not meets(one, other) or (one.width == other.width == 0))
