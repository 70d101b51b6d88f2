"""One event by itself: its entry, and each of its parts, which is open, erased or withheld."""

import json
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from registry.merkle.entry import Entry, commitment, event_uuid, parse_entry
from registry.verifier.outcome import at, broken

TOMBSTONE = "agreement.personal-data-erased.v1"
"""The type of the event that says that parts of an earlier one were erased."""


class Part(NamedTuple):
    salt: bytes
    data: bytes


class Given(NamedTuple):
    """An event as the evidence has it; nothing of it is believed."""

    entry: bytes
    parts: Mapping[int, Part]
    """The open parts, by number."""
    withheld: Collection[int] | None = ()
    """Parts that are said to be there, but are not given; None where no part of any event is given."""
    proof: tuple[bytes, ...] = ()
    """The inclusion path; empty where the tree is recomputed from all leaves."""


class Tombstone(NamedTuple):
    """What an erasure says: these parts of an earlier event of the same agreement are gone."""

    source: str
    id: str
    parts: tuple[int, ...]


def read_entry(raw: bytes, position: int) -> Entry:
    """Read the entry that should have this position. Raises Ended."""
    try:
        entry = parse_entry(raw)
    except ValueError as error:
        raise broken(at(position), f"its entry does not hold: {error}") from error
    if entry.position != position:
        raise broken(at(position), f"the event of position {entry.position} stands in its place")
    return entry


def missing_parts(entry: Entry, uuid: bytes, given: Given) -> list[int]:
    """Check the open parts against their commitments; list those neither open nor withheld. Raises Ended."""
    if given.withheld is None:
        return []
    count, open_parts, withheld = len(entry.parts), given.parts, given.withheld
    for k, part in open_parts.items():
        if not 0 <= k < count:
            raise broken(at(entry.position), f"part {k} is none of its {count} parts")
        try:
            fits = commitment(part.salt, uuid, k, part.data) == entry.parts[k]
        except (ValueError, TypeError):
            fits = False
        if not fits:
            raise broken(at(entry.position), f"part {k} does not fit its commitment")
    for k in withheld:
        if not 0 <= k < count or k in open_parts:
            raise broken(
                at(entry.position), f"part {k} cannot be withheld: it is open, or none of its {count}"
            )
    if len(open_parts) + len(withheld) == count:
        return []
    return [k for k in range(count) if k not in open_parts and k not in withheld]


def read_tombstone(part_0: bytes) -> Tombstone | None:
    """Read what a part 0 erases; None when it says nothing of the kind."""
    try:
        data = json.loads(part_0)["data"]
        target = data["target"]
        stone = Tombstone(target["source"], target["id"], tuple(data["parts"]))
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    if not all(type(k) is int for k in stone.parts) or {type(stone.source), type(stone.id)} != {str}:
        return None
    return stone


class Graves:
    """Which parts are gone, and which tombstones say so. Owned by the walk."""

    def __init__(self) -> None:
        self._missing: dict[tuple[str, bytes, int], int] = {}
        self._buried: dict[tuple[str, bytes, int], int] = {}
        self._seen: dict[bytes, tuple[int, str, int]] = {}

    def take(self, entry: Entry, uuid: bytes, given: Given) -> None:
        """Take one event in. Raises Ended when it does not hold by itself, or repeats an identity."""
        if uuid in self._seen:
            raise broken(at(entry.position), "an earlier event has the same source and id")
        self._seen[uuid] = entry.position, entry.stream, len(entry.parts)
        for k in missing_parts(entry, uuid, given):
            self._missing[entry.stream, uuid, k] = entry.position
        if entry.type == TOMBSTONE and 0 in given.parts:
            stone = read_tombstone(given.parts[0].data)
            if stone is not None and "\n" not in stone.source:
                named = event_uuid(stone.source, stone.id)
                self._buried.update({(entry.stream, named, k): entry.position for k in stone.parts})

    def settle(self) -> dict[tuple[int, int], int]:
        """Give (position, part) of everything erased with the position of its tombstone.

        Raises Ended at the first part that is missing without a tombstone, or there in spite of one.
        """
        wrong: list[tuple[int, str]] = []
        erased: dict[tuple[int, int], int] = {}
        for key, position in self._missing.items():
            stone = self._buried.get(key, 0)
            if stone > position:
                erased[position, key[2]] = stone
            else:
                wrong.append(
                    (position, f"part {key[2]} is missing and no later event says that it was erased")
                )
        wrong += self._risen()
        if wrong:
            position, detail = min(wrong)
            raise broken(at(position), detail)
        return erased

    def _risen(self) -> Iterable[tuple[int, str]]:
        for (stream, uuid, k), stone in self._buried.items():
            position, its_stream, count = self._seen.get(uuid, (stone, "", 0))
            if (
                position < stone
                and its_stream == stream
                and k < count
                and (stream, uuid, k) not in self._missing
            ):
                yield position, f"part {k} is there although position {stone} erased it"
