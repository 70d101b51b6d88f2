"""Commitments, and what is done about them."""

from datetime import date

import msgspec

from registry.domain.agreement import Agreement, Live
from registry.domain.dates import first_day
from registry.domain.events import CommitmentMade, FollowUpScheduled
from registry.domain.follow_ups import FollowUp, follow_ups
from registry.domain.introduced import introduced
from registry.domain.merges import dropped_ids, kept_id
from registry.domain.shown.behind import Said, said
from registry.domain.values import T


class FollowUpShown(msgspec.Struct, frozen=True, kw_only=True):
    follow_up_id: str
    merged_ids: tuple[str, ...]
    text: T | None
    commitment_id: str | None
    dangling: bool
    """Whether no live event introduces the commitment that it names."""
    owner: str | None
    due: str | None
    state: str
    """On the day asked for: ``completed``, ``dropped`` or ``open``."""
    overdue: bool
    """Whether it is open on the day asked for and the last day that it may be due is over."""
    claims: tuple[Said, ...]
    """Everything that was said of it: the plans, then the steps, latest first."""


class CommitmentShown(msgspec.Struct, frozen=True, kw_only=True):
    commitment_id: str
    merged_ids: tuple[str, ...]
    text: T
    by: tuple[str, ...]
    """The parties that made it."""
    strength: str
    claims: tuple[Said, ...]


def follow_ups_shown(state: Agreement, on: date) -> tuple[FollowUpShown, ...]:
    """Show every follow-up, by the day it is due."""
    found = sorted(follow_ups(state).values(), key=lambda one: (_due(one, on), one.id))
    return tuple(_follow_up(state, one, on) for one in found)


def commitments(state: Agreement) -> tuple[CommitmentShown, ...]:
    """Show every commitment, by id."""
    groups: dict[str, list[tuple[Live, CommitmentMade]]] = {}
    for live, data in state.of(CommitmentMade):
        groups.setdefault(kept_id(state, "commitment", data.commitment_id), []).append((live, data))
    return tuple(_commitment(state, id_, groups[id_]) for id_ in sorted(groups))


def _commitment(state: Agreement, id_: str, found: list[tuple[Live, CommitmentMade]]) -> CommitmentShown:
    ordered = sorted(
        found, key=lambda pair: (pair[1].inferred, pair[1].commitment_id != id_, pair[0].identity)
    )
    first = ordered[0][1]
    return CommitmentShown(
        commitment_id=id_,
        merged_ids=dropped_ids(state, "commitment", id_),
        text=first.text,
        by=first.by,
        strength=first.strength,
        claims=tuple(said(live) for live, _ in ordered),
    )


def _due(one: FollowUp, on: date) -> date:
    due = one.due(on)
    return date.max if due is None else first_day(due)


def _follow_up(state: Agreement, one: FollowUp, on: date) -> FollowUpShown:
    plan = one.scheduled[0].live.data if one.scheduled else None
    text = commitment = owner = None
    dangling = False
    if isinstance(plan, FollowUpScheduled):
        text, owner = plan.text, plan.owner
        if plan.commitment_id is not None:
            commitment = kept_id(state, "commitment", plan.commitment_id)
            dangling = not introduced(state, "commitment", plan.commitment_id)
    due = one.due(on)
    lives = [plan.live for plan in one.scheduled]
    lives += [step.live for step in (*one.progressed, *one.completed, *one.dropped)]
    return FollowUpShown(
        follow_up_id=one.id,
        merged_ids=dropped_ids(state, "follow-up", one.id),
        text=text,
        commitment_id=commitment,
        dangling=dangling,
        owner=owner,
        due=None if due is None else str(due),
        state=one.state(on),
        overdue=one.overdue(on),
        claims=tuple(map(said, lives)),
    )
