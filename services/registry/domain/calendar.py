"""What an agreement has for a calendar: engagements and follow-ups with days that can be shown in one.

It does not depend on today: everything that is told counts, also a cancellation that is still to come. Nor does it name
anybody, so that an erasure has nothing to take back.
"""

from collections.abc import Iterator
from datetime import date
from typing import Literal

import msgspec

from registry.domain.agreement import Agreement
from registry.domain.edtf import Edtf
from registry.domain.engagements import Engagement, engagements
from registry.domain.events import AgreementRetracted, EngagementHeld, EngagementPlanned, FollowUpScheduled
from registry.domain.follow_ups import follow_ups
from registry.domain.part_changes import part_changes
from registry.domain.wording import in_one_language, on_one_line

MOST_DAYS = 31
"""A date that may mean more days than these is in no calendar."""
MOST_LETTERS = 200
"""Letters of a summary; the whole text is in the description."""
EVER = date.max
"""The day on which everything that is told has begun."""

UNSPECIFIED = "Engagement"
KINDS = {"visit": "Visit", "meeting": "Meeting", "call": "Call", "working-group": "Working group"}

Kind = Literal["engagement", "follow-up"]


class Item(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An engagement or a follow-up on its possible days."""

    agreement: str
    kind: Kind
    part: str
    """The id of the engagement or the follow-up."""
    first: date
    last: date
    """The last possible day."""
    summary: str
    description: str
    status: str
    """``tentative``, ``confirmed`` or ``cancelled``; of a follow-up ``open``, ``progressed``, ``completed`` or
    ``dropped``."""
    category: str
    location: str = ""
    latitude: str | None = None
    """In degrees, as a decimal; there with the longitude or not at all."""
    longitude: str | None = None
    sequence: int
    """The version that the agreement had come to when this was last changed."""
    changed: int
    """When that was recorded, in microseconds since 1970."""


def items(state: Agreement) -> tuple[Item, ...]:
    """Give what an agreement has for a calendar, by day; nothing once the agreement is retracted."""
    known: tuple[Item, ...] | None = state.derived.get("calendar")
    if known is None:
        found = () if any(state.of(AgreementRetracted)) else (*_engagements(state), *_follow_ups(state))
        known = tuple(sorted(found, key=lambda item: (item.first, item.last, item.kind, item.part)))
        state.derived["calendar"] = known
    return known


def _engagements(state: Agreement) -> Iterator[Item]:
    of_all = engagements(state).values()
    changes = part_changes(state) if of_all else {}
    for one in of_all:
        told = one.held or one.planned
        data = told[0].live.data if told else None
        held = data if isinstance(data, EngagementHeld) else None
        says = held or (data if isinstance(data, EngagementPlanned) else None)
        when = one.when(EVER)
        end = held.end if held and when == held.start else None
        days = _days(when, end)
        if when is None or days is None:
            continue
        category = KINDS.get(says.kind, UNSPECIFIED) if says else UNSPECIFIED
        place = says.place if says else None
        change = changes["engagement", one.id]
        yield Item(
            agreement=state.id,
            kind="engagement",
            part=one.id,
            first=days[0],
            last=days[1],
            summary=_summary(state, in_one_language(one.label) if one.label else f"{category} {one.id}"),
            description=_description(
                state,
                _in_words("On", when),
                _in_words("Until", end) if end else "",
                f"Topics: {', '.join(says.topics)}" if says and says.topics else "",
                f"Outcome: {in_one_language(held.outcome)}" if held and held.outcome else "",
            ),
            status=_status(one),
            category=category,
            location=", ".join(filter(None, (place.name, place.country))) if place else "",
            latitude=place.lat if place else None,
            longitude=place.lon if place else None,
            sequence=change.version,
            changed=change.recorded_at,
        )


def _status(one: Engagement) -> str:
    state = one.state(EVER)
    if state == "cancelled":
        return state
    plan = one.planned[0].live.data if one.planned else None
    arranged = isinstance(plan, EngagementPlanned) and plan.certainty == "scheduled"
    return "confirmed" if state == "held" or arranged else "tentative"


def _follow_ups(state: Agreement) -> Iterator[Item]:
    of_all = follow_ups(state).values()
    changes = part_changes(state) if of_all else {}
    for one in of_all:
        due = one.due(EVER)
        days = _days(due)
        if due is None or days is None:
            continue
        data = one.scheduled[0].live.data if one.scheduled else None
        says = data if isinstance(data, FollowUpScheduled) else None
        text = in_one_language(says.text) if says else f"Follow-up {one.id}"
        change = changes["follow-up", one.id]
        yield Item(
            agreement=state.id,
            kind="follow-up",
            part=one.id,
            first=days[0],
            last=days[1],
            summary=_summary(state, text),
            description=_description(
                state,
                text,
                _in_words("Due", due),
                f"To be done by {says.owner}" if says and says.owner else "",
            ),
            status="progressed" if one.state(EVER) == "open" and one.progressed else one.state(EVER),
            category="Follow-up",
            sequence=change.version,
            changed=change.recorded_at,
        )


def _days(when: Edtf | None, end: Edtf | None = None) -> tuple[date, date] | None:
    """Give the possible days, from the first to the last; None when they are too many or have no end.

    An end of which too little is known is left aside.
    """
    days = _few_days(when)
    until = _few_days(end)
    return (days[0], max(days[1], until[1])) if days and until else days


def _few_days(when: Edtf | None) -> tuple[date, date] | None:
    if when is None or when.earliest is None or when.latest is None:
        return None
    return (when.earliest, when.latest) if when.width < MOST_DAYS and when.latest < date.max else None


def _summary(state: Agreement, text: str) -> str:
    parties = f" ({', '.join(state.parties)})" if state.parties else ""
    return on_one_line(text, MOST_LETTERS) + parties


def _description(state: Agreement, *lines: str) -> str:
    return "\n".join(filter(None, (*lines, f"Agreement {state.id}")))


def _in_words(what: str, when: Edtf) -> str:
    """Say what an imprecise date means; a day needs no words."""
    if when.precise:
        return f"{what} {when}" if when.qualifier else ""
    first, last = (day.isoformat() if day else "an unknown day" for day in (when.earliest, when.latest))
    return f"{what} some day from {first} to {last} (told as {when})"
