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


def happened(data: Event) -> Edtf | None:
    """Give when something happened; None for what is undated."""
    field = WHEN.get(type(data))
    return getattr(data, field) if field else None


def first_day_out(state: Agreement) -> tuple[date, Live] | None:
    """Give the first day on which an agreement was certainly over, and the event that says so."""
    index = state.index
    ends: list[tuple[date, Live]] = []
    # Every posted event asks this, and few agreements have an end, so looking comes before iterating.
    if Terminated in index:
        ends += ((last_day(data.date), live) for live, data in state.of(Terminated))
    if Superseded in index:
        ends += ((last_day(data.date), live) for live, data in state.of(Superseded))
    if DenunciationNotified in index:
        ends += _denounced(state)
    if TermSet in index or Renewed in index:
        ends += _term_over(state)
    known = [end for end in ends if end[0] != date.max]
    return min(known, key=lambda end: (end[0], end[1].identity)) if known else None


def _denounced(state: Agreement) -> Iterator[tuple[date, Live]]:
    withdrawn = {data.party for _, data in state.of(DenunciationWithdrawn)}
    for live, data in state.of(DenunciationNotified):
        if data.effective is not None and data.party not in withdrawn:
            yield last_day(data.effective), live


def _term_over(state: Agreement) -> Iterator[tuple[date, Live]]:
    if NonRenewalNotified not in state.index and any(data.auto_renew for _, data in state.of(TermSet)):
        return
    known = term(state)
    if known is not None and known.base_by is not None and (last := expiry(known)) is not None:
        yield day_after(last), known.base_by
