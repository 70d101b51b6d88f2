"""Sealing: events get their positions, commitments, entries and leaves. Pure, given salts and the time."""

import os
from collections.abc import Callable, Sequence

import msgspec

from registry.merkle.entry import SALT_BYTES, commitment, encode_entry, event_uuid
from registry.merkle.tree import Subtree, append, leaf_hash
from registry.store.head import Head


class Draft(msgspec.Struct, frozen=True, gc=False):
    """An event that has been accepted and has its version, but no position yet."""

    source: str
    id: str
    stream: str
    version: int
    type: str
    parts: tuple[bytes, ...]
    """The canonical bytes of part 0 and of every personal part."""


class Sealed(msgspec.Struct, frozen=True):
    """What one append writes, column by column, and the head it leads to."""

    before: Head
    """The head that it follows on."""
    head: Head
    recorded_at: int
    positions: range
    drafts: Sequence[Draft]
    entries: list[bytes]
    leaves: list[bytes]
    salts: list[list[bytes]]
    """One list an event, one salt a part."""
    uuids: list[bytes]
    full_tiles: tuple[Subtree, ...]
    """Every tile that this append fills, a level before the one above it."""


def seal(
    head: Head, drafts: Sequence[Draft], now: int, random: Callable[[int], bytes] = os.urandom
) -> Sealed:
    """Give each draft its place after ``head``.

    ``now`` is the clock in microseconds since 1970; the record time never falls below the one before it.
    """
    recorded_at = max(now, head.recorded_at)
    pool = random(SALT_BYTES * sum(len(draft.parts) for draft in drafts))
    entries: list[bytes] = []
    leaves: list[bytes] = []
    salts: list[list[bytes]] = []
    uuids = [event_uuid(draft.source, draft.id) for draft in drafts]
    used = 0
    for position, (draft, uuid) in enumerate(zip(drafts, uuids, strict=True), head.size + 1):
        mine = []
        commitments = []
        for k, data in enumerate(draft.parts):
            salt = pool[used : used + SALT_BYTES]
            used += SALT_BYTES
            mine.append(salt)
            commitments.append(commitment(salt, uuid, k, data))
        entry = encode_entry(
            id=draft.id,
            parts=commitments,
            recorded_at=recorded_at,
            position=position,
            source=draft.source,
            stream=draft.stream,
            type=draft.type,
            version=draft.version,
        )
        entries.append(entry)
        leaves.append(leaf_hash(entry))
        salts.append(mine)
    grown = append(head.size, head.frontier, leaves)
    return Sealed(
        before=head,
        head=Head(head.origin, head.size + len(drafts), grown.frontier, recorded_at),
        recorded_at=recorded_at,
        positions=range(head.size + 1, head.size + len(drafts) + 1),
        drafts=drafts,
        entries=entries,
        leaves=leaves,
        salts=salts,
        uuids=uuids,
        full_tiles=grown.subtrees,
    )
