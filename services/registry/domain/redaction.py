"""Taking erased parts out of an event that is held in memory."""

from itertools import count

import msgspec

from registry.domain.bodies import body_of
from registry.domain.codec import join, recorded_event, split
from registry.domain.envelope import Recorded
from registry.domain.events.event import Event


def redacted(event: Recorded, parts: tuple[int, ...]) -> Recorded:
    """Give the event as it reads from the log once some of its parts have been erased.

    What is erased already has left the open parts in their order, so their numbers can still be told.
    """
    erased = tuple(sorted({*event.erased, *parts}))
    if 0 in erased:
        return msgspec.structs.replace(event, data=Event(), erased=(0,))
    name = event.data.type
    part0, *people = split(name, body_of(event.data), {}, "")
    numbers = (number for number in count(1) if number not in event.erased)
    left = {
        place: part
        for place, (number, part) in enumerate(zip(numbers, people, strict=False), start=1)
        if number not in parts
    }
    return msgspec.structs.replace(event, data=recorded_event(name, join(part0, left)), erased=erased)
