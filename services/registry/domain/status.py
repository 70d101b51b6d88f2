"""The status of an agreement on a day: the first rule from the top that holds, and what it rests on."""

from collections.abc import Iterable
from datetime import date
from itertools import takewhile

import msgspec

from registry.domain.agreement import Agreement, Live
from registry.domain.course import Course, course
from registry.domain.edtf import Edtf
from registry.domain.finding import Finding
from registry.domain.imprecise import Precision, precision
from registry.domain.stages import findings

Day = date


class Since(msgspec.Struct, frozen=True):
    """The day from which a status holds, as precisely as it is known."""

    date: str
    """EDTF."""
    earliest: Day | None
    latest: Day | None
    precision: Precision


class EventAt(msgspec.Struct, frozen=True):
    """An event, where it stands in the log."""

    source: str
    id: str
    position: int


class Reason(msgspec.Struct, frozen=True):
    """Why the status is what it is."""

    text: str
    """A sentence."""
    positions: tuple[int, ...]
    """Of the events behind it and their corrections; the first is the one whose date decides."""
    events: tuple[EventAt, ...]
    """The same, without the corrections, by identity."""


class Status(msgspec.Struct, frozen=True):
    """What an agreement is on one day."""

    code: str
    """Stable, such as ``in-force``."""
    label: str
    """The words to show; for a non-binding instrument in their own terms, such as ``in effect``."""
    since: Since | None
    """None when no date decides."""
    certain: bool
    """False when another reading of an imprecise date gives another status."""
    reason: Reason


def status(state: Agreement, on: date) -> Status:
    """Give the status of an agreement on a day."""
    now = course(state)
    return status_of(now, findings(now, on))


def status_of(now: Course, tried: list[Finding]) -> Status:
    """Make a status of the findings down to the first that holds."""
    found = tried[-1]
    unsure = list(takewhile(lambda one: one is not found, (one for one in tried if not one.truth.certain)))
    text = found.why
    if not found.truth.certain:
        text += ", as far as its imprecise date tells"
    for one in unsure:
        text += f"; {words(one.code)} is possible, as a date is imprecise: {one.why}"
    behind = (*found.behind, *(live for one in unsure for live in one.behind))
    return Status(
        code=found.code,
        label=label(now, found.code),
        since=since_of(found.since),
        certain=certain_of(tried),
        reason=Reason(f"{text[0].upper()}{text[1:]}.", positions(behind), events(behind)),
    )


def since_of(when: Edtf | None) -> Since | None:
    """Give the day from which a status holds, with what is known of it."""
    return None if when is None else Since(when.text, when.earliest, when.latest, precision(when))


def certain_of(tried: Iterable[Finding]) -> bool:
    """Tell whether no other reading of an imprecise date would have found another status."""
    return all([one.truth.certain for one in tried])  # noqa: C419 - few, and asked for every turn of every agreement


def label(now: Course, code: str) -> str:
    """Give the words for a status code, as they suit the legal character that is shown."""
    character = now.legal_character
    if code == "in-force" and character is not None and character.value == "non-binding":
        return "in effect"
    return words(code)


def words(code: str) -> str:
    """Give the plain words of a code."""
    return code.replace("-", " ")


def positions(lives: tuple[Live, ...]) -> tuple[int, ...]:
    """Give the positions of events and of their corrections, each once, in the order given."""
    return tuple(dict.fromkeys(position for live in lives for position in live.positions))


def events(lives: tuple[Live, ...]) -> tuple[EventAt, ...]:
    """Give the identities of events, each once, in the order given."""
    return tuple(
        EventAt(source, id_, live.first.position)
        for (source, id_), live in {live.identity: live for live in lives}.items()
    )
