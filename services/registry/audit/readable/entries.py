"""Each event as it is shown: what it says, who says so, and which of its parts are open."""

from base64 import b64encode
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from registry.audit.sealed import Sealed
from registry.domain.codec import MARKER
from registry.domain.edtf import Edtf
from registry.domain.envelope import Recorded
from registry.domain.events import EventCorrected, EventRetracted
from registry.domain.happening import happened
from registry.domain.sentences import sentence
from registry.merkle.entry import format_time, parse_entry
from registry.merkle.tree import leaf_hash
from registry.store.rows import join_all

OPEN, ERASED, WITHHELD = "open", "erased", "withheld"


class PartShown(NamedTuple):
    number: int
    state: str
    """``open``, ``erased`` or ``withheld``."""


class ClaimMade(NamedTuple):
    predicate: str
    value: Any


class EventShown(NamedTuple):
    """One event of the evidence."""

    position: int
    version: int
    recorded_at: str
    name: str
    """The name within the type, in words."""
    type: str
    source: str
    id: str
    sentence: str
    happened: Edtf | None
    body: Mapping[str, Any] | None
    """``data`` as far as it is open, a value that is not as the state of its part; None when part 0 is erased."""
    basis: str
    """``stated`` or ``inferred``."""
    principal: str
    claims: tuple[ClaimMade, ...]
    parts: tuple[PartShown, ...]
    corrected: tuple[int, ...]
    """Positions of the events that correct it."""
    retracted: tuple[int, ...]
    leaf: str
    """In base64."""


class NotOpen(NamedTuple):
    """Stands in the place of a value whose part is not open."""

    number: int
    state: str


def shown_events(
    sealed: Iterable[Sealed], events: Sequence[Recorded], *, parts: bool
) -> tuple[EventShown, ...]:
    """Show the events of some evidence; ``parts`` tells whether personal values are given."""
    corrected, retracted = defaultdict(list), defaultdict(list)
    for event in events:
        if isinstance(event.data, EventCorrected):
            corrected[event.data.target.source, event.data.target.id].append(event.position)
        elif isinstance(event.data, EventRetracted):
            retracted[event.data.target.source, event.data.target.id].append(event.position)
    return tuple(
        _shown(one, event, parts, corrected[event.identity], retracted[event.identity])
        for one, event in zip(sealed, events, strict=True)
    )


def counted_parts(events: Iterable[EventShown]) -> Counter[str]:
    """Count the parts by what they are."""
    return Counter(part.state for event in events for part in event.parts)


def _shown(
    sealed: Sealed, event: Recorded, parts: bool, corrected: list[int], retracted: list[int]
) -> EventShown:
    given = {number: part.data for number, part in sealed.parts.items() if parts or number == 0}
    numbers = range(len(parse_entry(sealed.entry).parts))
    states = {
        number: OPEN if number in given else WITHHELD if number in sealed.parts else ERASED
        for number in numbers
    }
    joined = join_all(given, [number for number, now in states.items() if now == WITHHELD])
    said = event.data.replacing if isinstance(event.data, EventCorrected) else event.data
    return EventShown(
        position=event.position,
        version=event.version,
        recorded_at=format_time(event.recorded_at),
        name=event.type.removeprefix("agreement.").rpartition(".")[0].replace("-", " "),
        type=event.type,
        source=event.source,
        id=event.id,
        sentence=sentence(event),
        happened=happened(said),
        body=None if 0 not in given else _filled(joined.body, states),
        basis="inferred" if said.inferred else "stated",
        principal=joined.principal,
        claims=tuple(ClaimMade(predicate, value) for predicate, value in said.claims()),
        parts=tuple(PartShown(number, state) for number, state in states.items()),
        corrected=tuple(corrected),
        retracted=tuple(retracted),
        leaf=b64encode(leaf_hash(sealed.entry)).decode(),
    )


def _filled(value: Any, states: Mapping[int, str]) -> Any:
    """Put in the place of each value that is not open what its part is."""
    if isinstance(value, dict):
        if MARKER in value:
            return NotOpen(value[MARKER], states[value[MARKER]])
        return {name: _filled(inner, states) for name, inner in value.items()}
    return [_filled(inner, states) for inner in value] if isinstance(value, list) else value
