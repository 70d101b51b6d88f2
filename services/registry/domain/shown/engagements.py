"""Engagements: planned, held, moved and cancelled."""

from datetime import date

import msgspec

from registry.domain.agreement import Agreement
from registry.domain.dates import first_day
from registry.domain.engagements import Engagement, engagements, possible_duplicates
from registry.domain.merges import dropped_ids
from registry.domain.shown.behind import Said, in_order, said, said_now
from registry.domain.shown.people import ActorShown, actor
from registry.domain.values import Place, T


class EngagementShown(msgspec.Struct, frozen=True, kw_only=True):
    """An engagement, with what is shown of it and everything that was said."""

    engagement_id: str
    merged_ids: tuple[str, ...]
    """The ids that were merged into this one."""
    state: str
    """On the day asked for: ``held``, ``cancelled`` or ``planned``; ``unknown`` if no event introduces it."""
    kind: str | None
    label: T | None
    when: str | None
    """The day that it is on, or was to be on, as far as known on the day asked for."""
    end: str | None
    place: Place | None
    host: str | None
    certainty: str | None
    participants: tuple[ActorShown, ...]
    topics: tuple[str, ...]
    outcome: T | None
    possible_duplicates: tuple[str, ...]
    """Engagements of the same kind from other sources on days that overlap, not merged."""
    claims: tuple[Said, ...]
    """Everything that was said of it, by day and source."""


def engagements_shown(state: Agreement, on: date) -> tuple[EngagementShown, ...]:
    """Show every engagement, by its day, the undated last."""
    alike = possible_duplicates(state)
    found = sorted(engagements(state).values(), key=lambda one: (_day(one, on), one.id))
    return tuple(_shown(state, one, on, alike[one.id]) for one in found)


def _day(one: Engagement, on: date) -> date:
    when = one.when(on)
    return date.max if when is None else first_day(when)


def _shown(state: Agreement, one: Engagement, on: date, alike: tuple[str, ...]) -> EngagementShown:
    best = (one.held or one.planned or (None,))[0]
    says = said_now(best.live) if best else {}
    when = one.when(on)
    return EngagementShown(
        engagement_id=one.id,
        merged_ids=dropped_ids(state, "engagement", one.id),
        state=one.state(on),
        kind=says.get("kind"),
        label=one.label,
        when=None if when is None else str(when),
        end=says.get("end"),
        place=msgspec.convert(says["place"], Place) if "place" in says else None,
        host=says.get("host"),
        certainty=says.get("certainty"),
        participants=tuple(map(actor, says.get("participants", ()))),
        topics=tuple(says.get("topics", ())),
        outcome=says.get("outcome"),
        possible_duplicates=alike,
        claims=tuple(map(said, in_order((part.when, part.live) for part in one.all))),
    )
