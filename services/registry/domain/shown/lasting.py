"""How long the agreement runs: its term, changes, suspensions, denunciations and its end."""

from collections.abc import Iterable
from datetime import date

import msgspec

from registry.domain.agreement import Agreement, Live
from registry.domain.claims import claimed
from registry.domain.course import course
from registry.domain.dates import first_day, last_day
from registry.domain.edtf import Edtf
from registry.domain.events import (
    Amended,
    NonRenewalNotified,
    Renewed,
    Resumed,
    Superseded,
    Suspended,
    Terminated,
)
from registry.domain.shown.behind import Behind, behind, by_day
from registry.domain.term import run
from registry.domain.values import T


class RenewalShown(msgspec.Struct, frozen=True, kw_only=True):
    occurred: str
    new_end: str | None
    mode: str
    by: Behind


class NoticeShown(msgspec.Struct, frozen=True, kw_only=True):
    """Notice against renewal."""

    party: str
    occurred: str
    by: Behind


class TermShown(msgspec.Struct, frozen=True, kw_only=True):
    """The term that is shown, and where it stands on the day asked for."""

    start: str | None
    end: str | None
    """As claimed for the term itself; the last day in force."""
    auto_renew: bool
    renew_for: str | None
    notice: str | None
    current_end: str | None
    """The last day in force after every renewal up to the day asked for."""
    tacit_renewals: int
    """How often it has renewed itself by then."""
    stopped: bool
    """Whether a notice in time lets it end there."""
    notice_deadline: str | None
    """The last day for a notice that prevents the next renewal."""
    renewals: tuple[RenewalShown, ...]
    notices: tuple[NoticeShown, ...]
    by: tuple[Behind, ...]
    """The events that claim the term, the shown one first."""


class TerminationShown(msgspec.Struct, frozen=True, kw_only=True):
    date: str
    """The first day out."""
    ground: str
    survival_until: str | None
    by: tuple[Behind, ...]


class SupersessionShown(msgspec.Struct, frozen=True, kw_only=True):
    by_id: str
    date: str
    """The first day out."""
    by: Behind


class SuspensionShown(msgspec.Struct, frozen=True, kw_only=True):
    from_: str = msgspec.field(name="from")
    resumed: str | None
    """The first day in operation again."""
    reason: str | None
    by: tuple[Behind, ...]


class DenunciationShown(msgspec.Struct, frozen=True, kw_only=True):
    party: str
    occurred: str
    effective: str | None
    withdrawn: str | None
    pending: bool
    """Whether, on the day asked for, it has been notified and neither taken effect nor been withdrawn."""
    by: tuple[Behind, ...]


class AmendmentShown(msgspec.Struct, frozen=True, kw_only=True):
    amendment_id: str
    summary: T
    effective: str
    articles: tuple[str, ...]
    by: Behind


def term_shown(state: Agreement, on: date) -> TermShown | None:
    """Show the term; None when nothing is known of any."""
    term = course(state).term
    if term is None:
        return None
    now = run(term, on)
    said = term.claim.value if term.claim else None
    group = claimed(state).get("term")
    return TermShown(
        start=_text(term.start),
        end=_text(said.end if said else None),
        auto_renew=term.auto_renew,
        renew_for=str(term.renew_for) if term.renew_for else None,
        notice=str(term.notice) if term.notice else None,
        current_end=_text(now.end if now else None),
        tacit_renewals=now.renewals if now else 0,
        stopped=bool(now and now.stopped_by),
        notice_deadline=now.deadline.isoformat() if now and now.deadline else None,
        renewals=tuple(
            RenewalShown(
                occurred=str(data.occurred), new_end=_text(data.new_end), mode=data.mode, by=behind(live)
            )
            for live, data in sorted(state.of(Renewed), key=lambda pair: by_day(pair[1].occurred, pair[0]))
        ),
        notices=tuple(
            NoticeShown(party=data.party, occurred=str(data.occurred), by=behind(live))
            for live, data in sorted(
                state.of(NonRenewalNotified), key=lambda pair: by_day(pair[1].occurred, pair[0])
            )
        ),
        by=tuple(behind(claim.live) for claim in group.claims) if group else (),
    )


def termination(state: Agreement) -> TerminationShown | None:
    """Show the termination that is claimed; None without any."""
    group = claimed(state).get("termination")
    if group is None or not isinstance(data := group.shown.live.data, Terminated):
        return None
    return TerminationShown(
        date=str(data.date),
        ground=data.ground,
        survival_until=_text(data.survival_until),
        by=tuple(behind(claim.live) for claim in group.claims),
    )


def supersessions(state: Agreement) -> tuple[SupersessionShown, ...]:
    """Show what took the place of the agreement, by day."""
    found = sorted(state.of(Superseded), key=lambda pair: by_day(pair[1].date, pair[0]))
    return tuple(
        SupersessionShown(by_id=data.by_id, date=str(data.date), by=behind(live)) for live, data in found
    )


def suspensions(state: Agreement) -> tuple[SuspensionShown, ...]:
    """Show every suspension, by day, each with the first resumption after it."""
    resumed = sorted(state.of(Resumed), key=lambda pair: by_day(pair[1].occurred, pair[0]))
    found = []
    for live, data in sorted(state.of(Suspended), key=lambda pair: by_day(pair[1].from_, pair[0])):
        after = [pair for pair in resumed if last_day(pair[1].occurred) >= first_day(data.from_)]
        found.append(
            SuspensionShown(
                from_=str(data.from_),
                resumed=str(after[0][1].occurred) if after else None,
                reason=data.reason,
                by=_behind(live, after[0][0] if after else None),
            )
        )
    return tuple(found)


def denunciations(state: Agreement, on: date) -> tuple[DenunciationShown, ...]:
    """Show every denunciation, by day."""
    return tuple(
        DenunciationShown(
            party=one.party,
            occurred=str(one.notified.when),
            effective=_text(one.effective),
            withdrawn=str(one.withdrawn.when) if one.withdrawn else None,
            pending=one.pending(on),
            by=_behind(one.notified.live, one.withdrawn.live if one.withdrawn else None),
        )
        for one in course(state).denunciations
    )


def amendments(state: Agreement) -> tuple[AmendmentShown, ...]:
    """Show the amendments, by the day from which they apply."""
    found = sorted(state.of(Amended), key=lambda pair: by_day(pair[1].effective, pair[0]))
    return tuple(
        AmendmentShown(
            amendment_id=data.amendment_id,
            summary=data.summary,
            effective=str(data.effective),
            articles=data.articles,
            by=behind(live),
        )
        for live, data in found
    )


def _text(when: Edtf | None) -> str | None:
    return None if when is None else str(when)


def _behind(*lives: Live | None) -> tuple[Behind, ...]:
    given: Iterable[Live] = (live for live in lives if live is not None)
    return tuple(map(behind, given))
