"""The follow-ups of an agreement: what is to be done, by when, and whether it was."""

from collections.abc import Iterable, Mapping
from datetime import date

import msgspec

from registry.domain.agreement import Agreement, Live
from registry.domain.dates import begun, past
from registry.domain.edtf import Edtf
from registry.domain.engagements import latest_first
from registry.domain.events import (
    FollowUpCompleted,
    FollowUpDropped,
    FollowUpProgressed,
    FollowUpScheduled,
)
from registry.domain.merges import kept_id

_KINDS = frozenset({FollowUpCompleted, FollowUpDropped, FollowUpProgressed, FollowUpScheduled})


class Scheduled(msgspec.Struct, frozen=True):
    due: Edtf
    live: Live


class Step(msgspec.Struct, frozen=True):
    """Something done about a follow-up."""

    occurred: Edtf
    live: Live
    new_due: Edtf | None = None


class FollowUp(msgspec.Struct, frozen=True):
    """The live events about one follow-up, under the id that it is kept by. Of steps the latest is first."""

    id: str
    scheduled: tuple[Scheduled, ...] = ()
    progressed: tuple[Step, ...] = ()
    completed: tuple[Step, ...] = ()
    dropped: tuple[Step, ...] = ()

    def state(self, on: date) -> str:
        """Tell what became of it by a day: completed over dropped over open."""
        if any(begun(step.occurred, on).holds for step in self.completed):
            return "completed"
        return "dropped" if any(begun(step.occurred, on).holds for step in self.dropped) else "open"

    def due(self, on: date) -> Edtf | None:
        """Give the day by which it is due as it stood on a day; None when nothing says."""
        moved = (step.new_due for step in self.progressed if begun(step.occurred, on).holds)
        given = next((due for due in moved if due is not None), None)
        return given or (self.scheduled[0].due if self.scheduled else None)

    def overdue(self, on: date) -> bool:
        """Tell whether it is open after the last day that it may be due."""
        due = self.due(on)
        return due is not None and self.state(on) == "open" and past(due, on).holds


def follow_ups(state: Agreement) -> Mapping[str, FollowUp]:
    """Give every follow-up by the id that it is kept by; computed once a state."""
    known: Mapping[str, FollowUp] | None = state.derived.get("follow_ups")
    if known is None:
        known = state.derived["follow_ups"] = _follow_ups(state)
    return known


def _follow_ups(state: Agreement) -> dict[str, FollowUp]:
    scheduled: dict[str, list[Scheduled]] = {}
    progressed: dict[str, list[Step]] = {}
    completed: dict[str, list[Step]] = {}
    dropped: dict[str, list[Step]] = {}

    if not _KINDS & state.index.keys():
        return {}

    def kept(id_: str) -> str:
        return kept_id(state, "follow-up", id_)

    for live, plan in state.of(FollowUpScheduled):
        scheduled.setdefault(kept(plan.follow_up_id), []).append(Scheduled(plan.due, live))
    for live, step in state.of(FollowUpProgressed):
        progressed.setdefault(kept(step.follow_up_id), []).append(Step(step.occurred, live, step.new_due))
    for live, done in state.of(FollowUpCompleted):
        completed.setdefault(kept(done.follow_up_id), []).append(Step(done.occurred, live))
    for live, drop in state.of(FollowUpDropped):
        dropped.setdefault(kept(drop.follow_up_id), []).append(Step(drop.occurred, live))
    return {
        id_: FollowUp(
            id_,
            tuple(sorted(scheduled.get(id_, ()), key=_best_first)),
            _latest_first(progressed.get(id_, ())),
            _latest_first(completed.get(id_, ())),
            _latest_first(dropped.get(id_, ())),
        )
        for id_ in sorted({**scheduled, **progressed, **completed, **dropped})
    }


def _best_first(one: Scheduled) -> tuple[bool, int, tuple[str, str]]:
    return one.live.data.inferred, one.due.width, one.live.identity


def _latest_first(steps: Iterable[Step]) -> tuple[Step, ...]:
    return tuple(sorted(steps, key=lambda step: latest_first(step.occurred, step.live)))
