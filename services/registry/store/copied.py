"""Events as they were sealed in another database: written as they are, with the tree grown over them."""

from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection, insert, select

from registry.merkle.entry import Entry
from registry.merkle.tree import append, leaf_hash
from registry.store.head import Head, advance_head
from registry.store.tables import event, event_part, log_checkpoint, log_signature
from registry.store.tiles import fill_tiles


class Part(NamedTuple):
    """An open part of an event."""

    number: int
    salt: bytes
    data: bytes


class Copied(NamedTuple):
    """One event with its exact entry and the parts that are open."""

    fields: Entry
    """What the entry says."""
    entry: bytes
    parts: Sequence[Part]


def is_empty(connection: Connection) -> bool:
    """Tell whether nothing was ever recorded or signed in a database."""
    written = (event.c.position, event_part.c.position, log_checkpoint.c.size, log_signature.c.size)
    return all(connection.execute(select(column).limit(1)).first() is None for column in written)


def write_copied(connection: Connection, head: Head, events: Sequence[Copied]) -> Head:
    """Write events behind ``head``, in the caller's transaction; returns the head they lead to.

    Nothing is believed of them and nothing is checked: that is for who reads them back.
    Raises sqlalchemy.exc.IntegrityError when a position, a version or an identity is taken.
    """
    leaves = [leaf_hash(each.entry) for each in events]
    connection.execute(
        insert(event),
        [
            {
                "position": each.fields.position,
                "source": each.fields.source,
                "event_id": each.fields.id,
                "stream_id": each.fields.stream,
                "version": each.fields.version,
                "type": each.fields.type,
                "recorded_at": each.fields.recorded_at,
                "entry": each.entry,
                "leaf_hash": leaf,
            }
            for each, leaf in zip(events, leaves, strict=True)
        ],
    )
    parts = [
        {"position": each.fields.position, "part_no": part.number, "salt": part.salt, "data": part.data}
        for each in events
        for part in each.parts
    ]
    if parts:
        connection.execute(insert(event_part), parts)
    grown = append(head.size, head.frontier, leaves)
    fill_tiles(connection, grown.subtrees)
    reached = Head(
        head.origin, head.size + len(events), grown.frontier, max(each.fields.recorded_at for each in events)
    )
    advance_head(connection, head, reached)
    return reached
