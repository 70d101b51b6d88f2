"""How an agreement ended: of all the ends that have passed by a day the earliest names the status."""

from collections.abc import Iterator
from datetime import date

import msgspec

from registry.domain import edtf
from registry.domain.agreement import Live
from registry.domain.course import Course
from registry.domain.dated import End
from registry.domain.dates import NO, Truth, day_after, ended, last_day
from registry.domain.edtf import Edtf
from registry.domain.term import Term, expired, run

ORDER = ("superseded", "terminated", "expired")
"""The statuses of an end; of two ends on one day the first of these names it."""

NOUNS = {
    "superseded": "supersession",
    "terminated": "termination or denunciation",
    "expired": "end of a term",
}


class Ending(msgspec.Struct, frozen=True):
    """An end of the agreement as it looks on one day."""

    code: str
    truth: Truth
    first_day_out: Edtf
    why: str
    behind: tuple[Live, ...]


class Verdict(msgspec.Struct, frozen=True):
    """Whether the agreement has ended in one of the three ways."""

    code: str
    truth: Truth
    why: str
    since: Edtf | None = None
    behind: tuple[Live, ...] = ()


def ends_on(course: Course, on: date) -> Iterator[Verdict]:
    """Yield a verdict on each of the three ways to end."""
    endings = [_ending(end, on) for end in course.ends]
    if course.term is not None and (by_term := _by_term(course.term, on)):
        endings.append(by_term)
    passed = [one for one in endings if one.truth.holds]
    first = min(passed, key=_rank) if passed else None
    for code in ORDER:
        if first is not None and first.code == code:
            certain = first.truth.certain and not any(_may_come_before(one, first) for one in endings)
            yield Verdict(
                code, Truth.of(holds=True, certain=certain), first.why, first.first_day_out, first.behind
            )
        else:
            yield _not_by(code, [one for one in endings if one.code == code], first)


def _ending(end: End, on: date) -> Ending:
    return Ending(
        end.status,
        ended(end.when, on),
        end.when,
        f"{end.what} ended it on {end.when}",
        (end.live,),
    )


def _by_term(term: Term, on: date) -> Ending | None:
    now = run(term, on)
    if now is None:
        return None
    days = [day_after(day).isoformat() if day else ".." for day in (now.end.earliest, now.end.latest)]
    first_day_out = edtf.parse(days[0] if days[0] == days[1] else "/".join(days))
    lives = (now.stopped_by, term.base_by, term.claim.live if term.claim else None)
    why = f"its term ended on {now.end}"
    if now.renewals:
        why += f", after {now.renewals} tacit renewal{'s' if now.renewals > 1 else ''}"
    if now.stopped_by:
        why += ", as notice against renewal was given in time"
    behind = tuple({live.identity: live for live in lives if live is not None}.values())
    return Ending("expired", expired(term, on), first_day_out, why, behind)


def _rank(ending: Ending) -> tuple[date, int, tuple[str, str]]:
    return last_day(ending.first_day_out), ORDER.index(ending.code), ending.behind[0].identity


def _may_come_before(other: Ending, first: Ending) -> bool:
    """Tell whether another end, imprecise or not certain, may have been the earlier and named the status."""
    possible = other.truth.holds or not other.truth.certain
    starts = other.first_day_out.earliest or date.min
    return possible and other.code != first.code and starts < last_day(first.first_day_out)


def _not_by(code: str, endings: list[Ending], first: Ending | None) -> Verdict:
    noun = NOUNS[code]
    behind = tuple(live for one in endings for live in one.behind)
    if any(one.truth.holds for one in endings) and first is not None:
        return Verdict(code, NO, f"it had ended before: {first.why}", behind=behind)
    certain = all(one.truth.certain for one in endings)
    why = f"no {noun} is claimed" if not endings else f"the {noun} has not come by then"
    return Verdict(code, Truth.of(holds=False, certain=certain), why, behind=behind)
