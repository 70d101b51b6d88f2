"""Taking erased parts out of an event that is held in memory."""

from itertools import count
from typing import Any

import msgspec

from registry.domain.codec import join, recorded_event, split
from registry.domain.envelope import Recorded
from registry.domain.events.event import Event
from registry.domain.values import write_custom


def redacted(event: Recorded, parts: tuple[int, ...]) -> Recorded:
    """Give the event as it reads from the log once some of its parts have been erased.

    What is erased already has left the open parts in their order, so their numbers can still be told.
    """
    erased = tuple(sorted({*event.erased, *parts}))
    if 0 in erased:
        return msgspec.structs.replace(event, data=Event(), erased=(0,))
    name = event.data.type
    body = _without_nulls(msgspec.to_builtins(event.data, enc_hook=write_custom))
    part0, *people = split(name, body, {}, "")
    numbers = (number for number in count(1) if number not in event.erased)
    left = {
        place: part
        for place, (number, part) in enumerate(zip(numbers, people, strict=False), start=1)
        if number not in parts
    }
    return msgspec.structs.replace(event, data=recorded_event(name, join(part0, left)), erased=erased)


def _without_nulls(value: Any) -> Any:
    """Leave out what an event does not say: a field that was never posted."""
    if isinstance(value, dict):
        return {name: _without_nulls(inner) for name, inner in value.items() if inner is not None}
    if isinstance(value, (list, tuple)):
        return [_without_nulls(inner) for inner in value]
    return value
