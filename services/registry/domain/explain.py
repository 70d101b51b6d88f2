"""Why the status is what it is: the rule that matched, and why each one above it did not."""

from datetime import date

import msgspec

from registry.domain.agreement import Agreement
from registry.domain.course import course
from registry.domain.stages import findings
from registry.domain.status import EventAt, Status, events, positions, status_of, words


class RuleTried(msgspec.Struct, frozen=True):
    """One rule of the table, and what it found."""

    code: str
    """The status it stands for."""
    holds: bool
    certain: bool
    why: str
    positions: tuple[int, ...]
    """Of the events that the finding rests on, and their corrections."""
    events: tuple[EventAt, ...]


class Explanation(msgspec.Struct, frozen=True):
    """How the status on a day was found."""

    agreement: str
    on: date
    status: Status
    sentence: str
    """All of it, for people."""
    rules: tuple[RuleTried, ...]
    """Every rule tried, from the top; the last is the one that matched."""


def explain(state: Agreement, on: date) -> Explanation:
    """Explain the status of an agreement on a day."""
    now = course(state)
    tried = findings(now, on)
    found = status_of(now, tried)
    above = "; ".join(f"not {words(one.code)}, as {one.why}" for one in tried[:-1])
    since = f" since {found.since.date}" if found.since else ""
    sentence = f"On {on} it is {found.label}{since}. {found.reason.text}"
    if above:
        sentence += f" It is {above}."
    rules = tuple(
        RuleTried(
            code=one.code,
            holds=one.truth.holds,
            certain=one.truth.certain,
            why=one.why,
            positions=positions(one.behind),
            events=events(one.behind),
        )
        for one in tried
    )
    return Explanation(state.id, on, found, sentence, rules)
