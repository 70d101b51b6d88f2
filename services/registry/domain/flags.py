"""What follows from the events on a day and is never stored: overdue, dormant, awaiting and the like."""

from collections.abc import Iterator
from datetime import date

import msgspec

from registry.domain.agreement import Agreement
from registry.domain.course import Course, course
from registry.domain.dates import begun, first_day, last_day
from registry.domain.duration import parse_duration, shift
from registry.domain.engagements import engagements
from registry.domain.events import EventRetracted, FactRecorded, PublicationRecorded
from registry.domain.finding import signed_by
from registry.domain.follow_ups import follow_ups
from registry.domain.happening import happened
from registry.domain.term import expired, run

DORMANT_AFTER = parse_duration("P2Y")
"""An agreement in force is dormant when nothing about it has happened for so long and nothing is ahead."""

RUNNING = ("in-force", "provisional")
"""The statuses in which an agreement can be dormant."""


class Flags(msgspec.Struct, frozen=True, kw_only=True):
    """Each as of the day asked for."""

    expired: bool
    """The last day of the term is over, whatever else ended the agreement before."""
    overdue: bool
    """At least one open follow-up is past its due date."""
    notice_window_open: bool
    """The term is about to renew itself, and notice against that would still be in time."""
    denunciation_pending: bool
    """A denunciation has been notified and neither taken effect nor been withdrawn."""
    in_survival: bool
    """The agreement has been terminated and obligations survive."""
    entry_into_force_ahead: bool
    """Entry into force is claimed for a day still to come."""
    dormant: bool
    """It is in force, nothing has happened for two years, and nothing is planned or open."""


class Awaited(msgspec.Struct, frozen=True, kw_only=True):
    """What is missing before the agreement is in force."""

    what: str
    """``signature``, ``confirmation``, ``ratification``, ``notification`` or ``entry-into-force``."""
    party: str | None = None
    """Who has to do it; None for an act of both."""


def flags(state: Agreement, on: date, status: str) -> Flags:
    """Derive the flags of an agreement whose status on the day is ``status``."""
    now = course(state)
    force = now.entry_into_force
    return Flags(
        expired=now.term is not None and expired(now.term, on).holds,
        overdue=any(one.overdue(on) for one in follow_ups(state).values()),
        notice_window_open=status in ("in-force", "suspended", "provisional") and notice_window_open(now, on),
        denunciation_pending=any(one.pending(on) for one in now.denunciations),
        in_survival=now.survives(on),
        entry_into_force_ahead=force is not None and not begun(force.value, on).holds,
        dormant=status in RUNNING and _dormant(state, on),
    )


def notice_window_open(now: Course, on: date) -> bool:
    """Tell whether a notice on this day would prevent the next renewal."""
    if now.term is None:
        return False
    then = run(now.term, on)
    return then is not None and then.deadline is not None and on <= then.deadline


def awaiting(state: Agreement, on: date, status: str) -> tuple[Awaited, ...]:
    """List what is missing before the agreement is in force; nothing once it has been, or has ended."""
    if status not in ("registered", "negotiation", "adopted", "partially-signed", "signed", "provisional"):
        return ()
    now = course(state)
    return tuple(_missing(now, on))


def _missing(now: Course, on: date) -> Iterator[Awaited]:
    mode = now.entry_mode.value if now.entry_mode else None
    for party in now.parties:
        signature = now.signatures.get(party)
        if signature is not None and not signed_by(now, party, on).holds and signature.ad_referendum:
            yield Awaited(what="confirmation", party=party)
        elif not signed_by(now, party, on).holds:
            yield Awaited(what="signature", party=party)
    if mode in ("ratification", "notification"):
        for party in now.parties:
            claim = now.ratifications.get(party)
            if claim is None or not begun(claim.value, on).holds:
                yield Awaited(what=mode, party=party)
    if now.entry_into_force is None and mode != "on-signature":
        yield Awaited(what="entry-into-force")


def _dormant(state: Agreement, on: date) -> bool:
    since = shift(on, DORMANT_AFTER, -1)
    if any(one.state(on) == "open" for one in follow_ups(state).values()):
        return False
    for one in engagements(state).values():
        when = one.when(on)
        if when is not None and one.state(on) in ("held", "planned") and last_day(when) > since:
            return False
    for live in state.live.values():
        if isinstance(live.data, (FactRecorded, PublicationRecorded, EventRetracted)):
            continue
        when = happened(live.data)
        if when is not None and last_day(when) > since and first_day(when) <= on:
            return False
    return True
