"""The day on which what an event tells happened, and the day from which an agreement was certainly over."""

from collections.abc import Iterator
from datetime import date

from registry.domain.agreement import Agreement, Live
from registry.domain.dates import day_after, last_day
from registry.domain.edtf import Edtf
from registry.domain.events import (
    EVENT_TYPES,
    DenunciationNotified,
    DenunciationWithdrawn,
    FactRecorded,
    NonRenewalNotified,
    Renewed,
    RoleHeld,
    Superseded,
    Terminated,
    TermSet,
)
from registry.domain.events.event import Event
from registry.domain.term import expiry, term

FIELDS = ("occurred", "from_", "date", "start", "effective")
"""Where an event says when it happened; the first that its class has counts."""

UNDATED = (FactRecorded, RoleHeld, TermSet)
"""Classes with such a field that says something else, or belongs to a person and is never looked at here."""

WHEN: dict[type[Event], str] = {
    cls: next(field for field in FIELDS if field in cls.__struct_fields__)
    for cls in EVENT_TYPES.values()
    if cls not in UNDATED and set(FIELDS) & set(cls.__struct_fields__)
}

ENDING: tuple[type[Event], ...] = (Terminated, Superseded, DenunciationNotified, TermSet, Renewed)
"""Without any of these an agreement has no end."""


def happened(data: Event) -> Edtf | None:
    """Give when something happened; None for what is undated."""
    field = WHEN.get(type(data))
    return getattr(data, field) if field else None


def first_day_out(state: Agreement) -> tuple[date, Live] | None:
    """Give the first day on which an agreement was certainly over, and the event that says so."""
    if not any(cls in state.index for cls in ENDING):
        return None
    ends = [(day, live.identity, live) for day, live in _ends(state) if day != date.max]
    if not ends:
        return None
    day, _, live = min(ends, key=lambda end: end[:2])
    return day, live


def _ends(state: Agreement) -> Iterator[tuple[date, Live]]:
    for live, terminated in state.of(Terminated):
        yield last_day(terminated.date), live
    for live, superseded in state.of(Superseded):
        yield last_day(superseded.date), live
    withdrawn = {data.party for _, data in state.of(DenunciationWithdrawn)}
    for live, denounced in state.of(DenunciationNotified):
        if denounced.effective is not None and denounced.party not in withdrawn:
            yield last_day(denounced.effective), live
    if TermSet not in state.index and Renewed not in state.index:
        return
    renews = any(data.auto_renew for _, data in state.of(TermSet))
    if renews and NonRenewalNotified not in state.index:
        return
    known = term(state)
    if known is not None and known.base_by is not None and (last := expiry(known)) is not None:
        yield day_after(last), known.base_by
