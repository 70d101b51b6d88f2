"""What opens the commitments of an event: the salt and the bytes of each of its parts that is there."""

from typing import NamedTuple

from sqlalchemy import Connection, select

from registry.store.tables import event, event_part


class Opening(NamedTuple):
    """One open part of an event."""

    number: int
    salt: bytes
    """32 bytes."""
    data: bytes


class Opened(NamedTuple):
    """An event as a verifier needs it."""

    stream: str
    entry: bytes
    leaf_hash: bytes
    parts: tuple[Opening, ...]
    """By their numbers; an erased part is not among them."""


def read_opened(connection: Connection, position: int) -> Opened | None:
    """Read one event with what opens it; None when there is none at the position."""
    found = connection.execute(
        select(event.c.stream_id, event.c.entry, event.c.leaf_hash).where(event.c.position == position)
    ).one_or_none()
    if found is None:
        return None
    parts = connection.execute(
        select(event_part.c.part_no, event_part.c.salt, event_part.c.data)
        .where(event_part.c.position == position)
        .order_by(event_part.c.part_no)
    )
    return Opened(*found, tuple(Opening(*part) for part in parts))
