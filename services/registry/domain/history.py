"""How the answer about an agreement changed with each event, on both axes of time."""

from collections.abc import Iterable
from datetime import date

import msgspec

from registry.domain.agreement import Agreement, evolve
from registry.domain.compare import Change, compare
from registry.domain.envelope import Recorded
from registry.domain.shown.behind import record_time
from registry.domain.timeline import Span, timeline
from registry.domain.view import AgreementView, view
from registry.domain.withholding import Memo, without_personal_values


class HistoryEntry(msgspec.Struct, frozen=True, kw_only=True):
    """One event, and what the answer was from then on."""

    position: int
    version: int
    recorded_at: str
    """RFC 3339 in UTC."""
    source: str
    id: str
    type: str
    status: str
    """Of the day asked for, as known with this event."""
    status_label: str
    changes: tuple[Change, ...]
    """What this event changed in the answer for that day; all of it is new with the first event."""
    timeline: tuple[Span, ...] | None
    """The statuses of all days as known with this event; None where they are as before."""


def history(
    events: Iterable[Recorded],
    on: date,
    *,
    after_version: int = 0,
    limit: int | None = None,
    parts: bool = True,
) -> tuple[HistoryEntry, ...]:
    """Replay the events of one agreement and tell what each of them changed in the answer for a day.

    Of all of them, or of ``limit`` behind ``after_version``: the others are folded, which is cheap, and not shown.
    ``parts``: whether personal values are shown.
    """
    memo: Memo = {}
    entries: list[HistoryEntry] = []
    state: Agreement | None = None
    before: AgreementView | None = None
    spans: tuple[Span, ...] = ()
    for event in events:
        state = evolve(state, event)
        if event.version < after_version:
            continue
        after = view(state if parts else without_personal_values(state, memo), on)
        if event.version == after_version:
            before, spans = after, timeline(state)
            continue
        known, spans = spans, timeline(state)
        entries.append(
            HistoryEntry(
                position=event.position,
                version=event.version,
                recorded_at=record_time(event.recorded_at),
                source=event.source,
                id=event.id,
                type=event.type,
                status=after.status,
                status_label=after.status_label,
                changes=() if before is None else compare(before, after),
                timeline=None if spans == known else spans,
            )
        )
        before = after
        if len(entries) == limit:
            break
    return tuple(entries)
