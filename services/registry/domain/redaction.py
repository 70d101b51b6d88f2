"""Taking erased parts out of an event that is held in memory, and telling whose part is which."""

from itertools import count

import msgspec

from registry.domain.bodies import body_of
from registry.domain.codec import event_and_places, join, markers, owners_of, split
from registry.domain.envelope import Recorded
from registry.domain.events.event import Event


def redacted(event: Recorded, parts: tuple[int, ...]) -> Recorded:
    """Give the event as it reads from the log once some of its parts have been erased.

    What is erased already has left the open parts in their order, so their numbers can still be told.
    """
    erased = tuple(sorted({*event.erased, *parts}))
    if 0 in erased:
        return msgspec.structs.replace(event, data=Event(), erased=(0,), places_erased=())
    name = event.data.type
    part0, *people = split(name, body_of(event.data), {}, "")
    numbers = (number for number in count(1) if number not in event.erased)
    left = {
        place: part
        for place, (number, part) in enumerate(zip(numbers, people, strict=False), start=1)
        if number not in parts
    }
    data, places = event_and_places(name, join(part0, left))
    return msgspec.structs.replace(
        event, data=data, erased=erased, places_erased=tuple(sorted({*event.places_erased, *places}))
    )


def people_of(name: str, part0: bytes) -> dict[int, str]:
    """Tell, by the bytes of part 0 of an event of a type, whose each further part is: person ids by number.

    The ids of persons stand in part 0, so this is known as long as that is, whatever else has been erased.
    """
    if b'"$part"' not in part0:
        return {}
    body = msgspec.json.decode(part0)["data"]
    owners = owners_of(name, body)
    return {number: owners[at] for at, number in markers(body)}
