"""What a bundle of evidence about one agreement is made of, read at the last published checkpoint.

All that waits for the database happens here; ``bundle`` makes the files of what was read.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from registry.audit.checkpoints import Published, published
from registry.audit.sealed import Sealed, last_erasure, sealed_stream
from registry.errors import NotFound, TooLarge, Unavailable
from registry.merkle.checkpoint import Checkpoint, parse_checkpoint
from registry.merkle.note import VerifierKey, parse_note
from registry.merkle.proof import (
    Proof,
    consistency_nodes,
    inclusion_nodes,
    prove_consistency,
    prove_inclusion,
    range_root,
    subtrees,
)
from registry.merkle.tiles import Node
from registry.store.database import reachable
from registry.store.reader import Reader

SIGNED_WITHIN = 5.0
"""Seconds to wait for a checkpoint over an erasure that has just been recorded."""
LOOK_AGAIN = 0.1


class Consistency(NamedTuple):
    """That the tree of the checkpoint extends an earlier one."""

    old_size: int
    old_root: bytes
    proof: Proof


class Evidence(NamedTuple):
    """Everything about one agreement below one checkpoint."""

    agreement: str
    checkpoint: Checkpoint
    note: bytes
    """The checkpoint with every signature on it."""
    keys: bytes
    """Verifier keys, a line each: those of the log, then those of witnesses."""
    events: Sequence[Sealed]
    """In the order of their positions."""
    proofs: Sequence[Proof]
    """That each of them is in the tree of the checkpoint."""
    consistency: Consistency | None


class Standing(NamedTuple):
    """The checkpoint that evidence stands at, and the open parts of what it is about."""

    published: Published
    events: Sequence[Sealed]


def stand(reader: Reader, agreement: str, *, most_bytes: int | None = None) -> Standing:
    """Read the events of an agreement below the last published checkpoint.

    A part may be erased by an event that no checkpoint covers yet; then the next one is waited for. Raises NotFound,
    Unavailable, and TooLarge when entries and parts together have more than ``most_bytes``.
    """
    until = time.monotonic() + SIGNED_WITHIN
    while True:
        last = require_published(reader)
        events = _read(reader, agreement, last.size, most_bytes)
        with reachable(), reader.connect() as connection:
            unexplained = last_erasure(connection, last.size, agreement)
        if not unexplained:
            break
        if time.monotonic() > until:
            raise Unavailable(f"no checkpoint covers the erasure at position {unexplained} yet")
        time.sleep(LOOK_AGAIN)
    if not events:
        raise NotFound(f"there is no agreement {agreement!r} below the checkpoint of {last.size} events")
    return Standing(last, events)


def gather(
    reader: Reader,
    agreement: str,
    standing: Standing,
    *,
    keys: Iterable[VerifierKey],
    from_size: int | None,
) -> Evidence:
    """Add the proofs to what was read. Raises Unavailable, and ValueError when it does not reach ``from_size``."""
    size = standing.published.size
    indexes = [event.position - 1 for event in standing.events]
    needed = {node for index in indexes for node in inclusion_nodes(index, size)}
    if from_size is not None:
        needed.update(consistency_nodes(from_size, size), subtrees(0, from_size))
    hashes = reader.hashes(sorted(needed), size)
    return Evidence(
        agreement=agreement,
        checkpoint=parse_checkpoint(parse_note(standing.published.note).text),
        note=standing.published.note,
        keys=key_lines(keys),
        events=standing.events,
        proofs=[prove_inclusion(index, size, hashes) for index in indexes],
        consistency=None if from_size is None else _consistency(from_size, size, hashes),
    )


def key_lines(keys: Iterable[VerifierKey]) -> bytes:
    """Write verifier keys, a line each."""
    return "".join(f"{key}\n" for key in keys).encode()


def require_published(reader: Reader) -> Published:
    """Read the last published checkpoint. Raises Unavailable when there is none yet."""
    with reachable(), reader.connect() as connection:
        last = published(connection)
    if last is None:
        raise Unavailable("the log has published no checkpoint yet, and evidence stands at one")
    return last


def _read(reader: Reader, agreement: str, size: int, most_bytes: int | None) -> list[Sealed]:
    events: list[Sealed] = []
    total = 0
    while True:
        with reachable(), reader.connect() as connection:
            page = sealed_stream(
                connection, agreement, size, after_version=events[-1].version if events else 0
            )
        if not page:
            return events
        events += page
        total += sum(len(one.entry) + sum(len(part.data) for part in one.parts.values()) for one in page)
        if most_bytes is not None and total > most_bytes:
            raise TooLarge(
                f"the agreement has more than {most_bytes:,} bytes; `registry export` makes its bundle "
                "from the database"
            )


def _consistency(old: int, size: int, hashes: Mapping[Node, bytes]) -> Consistency:
    return Consistency(old, range_root(0, old, hashes), prove_consistency(old, size, hashes))
