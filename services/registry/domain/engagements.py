"""The engagements of an agreement: what became of each by a day, and which two may be one and the same."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

import msgspec

from registry.domain.agreement import Agreement, Live
from registry.domain.dates import begun, first_day, last_day
from registry.domain.edtf import UNBOUNDED, Edtf
from registry.domain.events import (
    EngagementCancelled,
    EngagementHeld,
    EngagementPlanned,
    EngagementRescheduled,
)
from registry.domain.merges import kept_id
from registry.domain.values import T

_KINDS = frozenset({EngagementCancelled, EngagementHeld, EngagementPlanned, EngagementRescheduled})


class About(msgspec.Struct, frozen=True):
    """An event about an engagement, with the day that matters: held, planned, moved or cancelled on."""

    when: Edtf | None
    live: Live


class Moved(About, frozen=True):
    to: Edtf


class Engagement(msgspec.Struct, frozen=True):
    """The live events about one engagement, under the id that it is kept by; of each kind the best first."""

    id: str
    held: tuple[About, ...] = ()
    planned: tuple[About, ...] = ()
    moved: tuple[Moved, ...] = ()
    cancelled: tuple[About, ...] = ()

    @property
    def all(self) -> Iterator[About]:
        yield from (*self.held, *self.planned, *self.moved, *self.cancelled)

    @property
    def label(self) -> T | None:
        """What it is called: a name that a plan gave stays when it is held, unless it is then given another."""
        for about in (*self.held, *self.planned):
            data = about.live.data
            if isinstance(data, EngagementHeld | EngagementPlanned) and data.label:
                return data.label
        return None

    def state(self, on: date) -> str:
        """Tell what became of it by a day: held over cancelled over planned."""
        if any(begun(one.when, on).holds for one in self.held):
            return "held"
        if any(begun(one.when, on).holds for one in self.cancelled):
            return "cancelled"
        return "planned" if self.held or self.planned else "unknown"

    def when(self, on: date) -> Edtf | None:
        """Give the day that it is on as far as that was known on a day; None when nothing says."""
        if self.state(on) == "held":
            return self.held[0].when
        moved = [one for one in self.moved if begun(one.when, on).holds]
        if moved:
            return moved[0].to
        return next((one.when for one in (*self.planned, *self.held) if one.when is not None), None)


def engagements(state: Agreement) -> Mapping[str, Engagement]:
    """Give every engagement by the id that it is kept by; computed once a state."""
    known: Mapping[str, Engagement] | None = state.derived.get("engagements")
    if known is None:
        known = state.derived["engagements"] = _engagements(state)
    return known


def possible_duplicates(state: Agreement) -> Mapping[str, tuple[str, ...]]:
    """Give for each engagement those that may be the same: of one kind, on common days, from other sources.

    A source that tells of both tells them apart.
    """
    known: Mapping[str, tuple[str, ...]] | None = state.derived.get("duplicates")
    if known is None:
        known = state.derived["duplicates"] = _duplicates(engagements(state).values())
    return known


def latest_first(occurred: Edtf, live: Live) -> tuple[int, int, tuple[str, str]]:
    """Sort what happened to a part: the latest counts, then the lowest identity."""
    return -last_day(occurred).toordinal(), -first_day(occurred).toordinal(), live.identity


def _engagements(state: Agreement) -> dict[str, Engagement]:
    held: dict[str, list[About]] = {}
    planned: dict[str, list[About]] = {}
    moved: dict[str, list[Moved]] = {}
    cancelled: dict[str, list[About]] = {}

    if not _KINDS & state.index.keys():
        return {}

    def kept(id_: str) -> str:
        return kept_id(state, "engagement", id_)

    for live, took_place in state.of(EngagementHeld):
        held.setdefault(kept(took_place.engagement_id), []).append(About(took_place.start, live))
    for live, plan in state.of(EngagementPlanned):
        planned.setdefault(kept(plan.engagement_id), []).append(About(plan.when, live))
    for live, move in state.of(EngagementRescheduled):
        moved.setdefault(kept(move.engagement_id), []).append(Moved(move.occurred, live, move.when))
    for live, off in state.of(EngagementCancelled):
        cancelled.setdefault(kept(off.engagement_id), []).append(About(off.occurred, live))
    return {
        id_: Engagement(
            id_,
            tuple(sorted(held.get(id_, ()), key=_best_first)),
            tuple(sorted(planned.get(id_, ()), key=_best_first)),
            tuple(sorted(moved.get(id_, ()), key=_latest_first)),
            tuple(sorted(cancelled.get(id_, ()), key=_latest_first)),
        )
        for id_ in {**held, **planned, **moved, **cancelled}
    }


def _best_first(one: About) -> tuple[bool, int, tuple[str, str]]:
    width = one.when.width if one.when is not None else UNBOUNDED + 1
    return one.live.data.inferred, width, one.live.identity


def _latest_first(one: About) -> tuple[int, int, tuple[str, str]]:
    return (0, 0, one.live.identity) if one.when is None else latest_first(one.when, one.live)


class Span(msgspec.Struct, frozen=True):
    """The days that one event gives to an engagement of a kind."""

    id: str
    kind: str
    source: str
    days: tuple[date, date]


def _duplicates(groups: Iterable[Engagement]) -> dict[str, tuple[str, ...]]:
    given = list(groups)
    found: dict[str, set[str]] = {one.id: set() for one in given}
    sources = {one.id: {part.live.source for part in (*one.held, *one.planned)} for one in given}
    spans = sorted(_spans(given), key=lambda span: span.days[0])
    for i, span in enumerate(spans):
        for other in spans[i + 1 :]:
            if other.days[0] > span.days[1]:
                break
            if other.kind == span.kind and not sources[span.id] & sources[other.id]:
                found[span.id].add(other.id)
                found[other.id].add(span.id)
    return {id_: tuple(sorted(others)) for id_, others in found.items()}


def _spans(given: Iterable[Engagement]) -> Iterator[Span]:
    for one in given:
        for part in (*one.held, *one.planned):
            data = part.live.data
            if isinstance(data, EngagementHeld):
                last = data.end or data.start
                days = data.start.earliest or date.min, last_day(last)
                yield Span(one.id, data.kind, part.live.source, days)
            elif isinstance(data, EngagementPlanned) and data.when is not None:
                days = data.when.earliest or date.min, last_day(data.when)
                yield Span(one.id, data.kind, part.live.source, days)
