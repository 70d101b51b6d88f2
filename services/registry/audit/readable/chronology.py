"""The two axes of time: when something happened, and when the registry learned of it."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

from registry.audit.readable.entries import EventShown
from registry.domain.agreement import Agreement, evolve
from registry.domain.dates import first_day
from registry.domain.envelope import Recorded
from registry.domain.status import status
from registry.merkle.entry import format_time


class Learned(NamedTuple):
    """From which event on the registry answered otherwise about one and the same day."""

    position: int
    recorded_at: str
    label: str
    since: str
    certain: bool


def dated(events: Iterable[EventShown]) -> list[EventShown]:
    """Put those that say when they happened in the order of their days."""
    found = [(event.happened, event) for event in events if event.happened is not None]
    return [event for _, event in sorted(found, key=lambda pair: (first_day(pair[0]), pair[1].position))]


def learned(events: Sequence[Recorded], on: date) -> list[Learned]:
    """Tell how the answer about a day changed as the events came in."""
    found: list[Learned] = []
    state: Agreement | None = None
    for event in events:
        state = evolve(state, event)
        now = status(state, on)
        since = now.since.date if now.since else ""
        said = Learned(event.position, format_time(event.recorded_at), now.label, since, now.certain)
        if not found or found[-1][2:] != said[2:]:
            found.append(said)
    return found
