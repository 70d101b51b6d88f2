"""Which event last said something about a part: an engagement or a follow-up that is shown by itself."""

from collections.abc import Iterator, Mapping

import msgspec

from registry.domain.agreement import Agreement, target_of
from registry.domain.envelope import Recorded
from registry.domain.events import DuplicateMerged, EventCorrected, EventRetracted, PersonalDataErased
from registry.domain.events.event import Event
from registry.domain.merges import Part, kept_id

PART_OF = {"engagement_id": "engagement", "follow_up_id": "follow-up"}
"""By the field that has its id, what a part is."""


class Change(msgspec.Struct, frozen=True):
    """The last event that says something about a part."""

    version: int
    recorded_at: int


def part_changes(state: Agreement) -> Mapping[Part, Change]:
    """Give for each engagement and follow-up the last event that says something about it.

    Of an event that has been erased nobody can tell what it was about: that counts for all of them, so that
    versions never go back.
    """
    found: dict[Part, Change] = {}
    floor = Change(0, 0)
    for event in state.recorded.values():
        change = Change(event.version, event.recorded_at)
        if isinstance(event.data, PersonalDataErased) and 0 in event.data.parts:
            floor = max(floor, change, key=_version)
        for what, id_ in _parts(state, event):
            part = what, kept_id(state, what, id_)
            found[part] = max(found.get(part, floor), change, key=_version)
    return {part: max(change, floor, key=_version) for part, change in found.items()}


def _version(change: Change) -> int:
    return change.version


def _parts(state: Agreement, event: Recorded) -> Iterator[Part]:
    """Yield the parts that an event is about, by itself or through what it corrects or retracts."""
    data = event.data
    while isinstance(data, EventCorrected | EventRetracted):
        if isinstance(data, EventCorrected):
            yield from _named(data.replacing)
        target = state.recorded.get(target_of(data))
        if target is None:
            return
        data = target.data
    yield from _named(data)


def _named(data: Event) -> Iterator[Part]:
    if isinstance(data, DuplicateMerged):
        yield data.what, data.kept_id
        yield data.what, data.dropped_id
    elif data.part in PART_OF and data.part_id is not None:
        yield PART_OF[data.part], data.part_id
