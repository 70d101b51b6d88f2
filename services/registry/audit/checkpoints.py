"""Stored checkpoints: the size and root that the log has signed, with every signature on them.

A checkpoint is one of the log of today if a key by the name of its origin has signed it: under an earlier origin
there may be others (``registry log new-origin``).
"""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, Table, exists, select
from sqlalchemy.dialects import postgresql, sqlite

from registry.merkle.checkpoint import Checkpoint, format_checkpoint
from registry.merkle.note import Note, Signature, VerifierKey, cosignature_time, format_note
from registry.store.head import read_head
from registry.store.tables import log_checkpoint, log_signature, witnessed

NO_TIME = 0
"""The column ``time`` of a signature whose algorithm has none."""


class Contradiction(Exception):
    """Another root is stored for a size: the log has signed something else before."""


class Published(msgspec.Struct, frozen=True):
    """A checkpoint as it is given out."""

    size: int
    root: bytes
    note: bytes


def latest(connection: Connection, origin: str) -> Checkpoint | None:
    """Read the last checkpoint that the log has signed under an origin."""
    return _read(connection, origin, None)


def signed_size(connection: Connection) -> int:
    """Tell how many events the last checkpoint of the log is of; 0 when it has signed none."""
    last = latest(connection, read_head(connection).origin)
    return 0 if last is None else last.size


def published(connection: Connection, size: int | None = None) -> Published | None:
    """Put a checkpoint together, the last one or that of a size; None when the log has signed none."""
    checkpoint = _read(connection, read_head(connection).origin, size)
    if checkpoint is None:
        return None
    signatures = _signatures(connection, checkpoint)
    note = format_note(Note(format_checkpoint(checkpoint), signatures))
    return Published(checkpoint.size, checkpoint.root, note)


def signers(connection: Connection, checkpoint: Checkpoint) -> set[bytes]:
    """List the ids of the keys with which the log itself has signed a checkpoint."""
    return {one.key_id for one in _signatures(connection, checkpoint) if one.name == checkpoint.origin}


def was_signed(connection: Connection, origin: str) -> bool:
    """Tell whether the log, or this copy of it, has ever signed under an origin."""
    c = log_signature.c
    return (
        connection.execute(select(c.size).where(c.name == origin, c.time == NO_TIME).limit(1)).first()
        is not None
    )


def store(connection: Connection, checkpoint: Checkpoint, signatures: Iterable[Signature]) -> None:
    """Store a checkpoint with the signatures of the log; what is stored already stays.

    Raises Contradiction when another root is stored for its size.
    """
    insert_new(connection, log_checkpoint, {"size": checkpoint.size, "root": checkpoint.root})
    root = connection.scalar(select(log_checkpoint.c.root).where(log_checkpoint.c.size == checkpoint.size))
    if root != checkpoint.root:
        raise Contradiction(f"another root is signed for the first {checkpoint.size} events")
    for one in signatures:
        insert_new(connection, log_signature, _row(checkpoint.size, one, NO_TIME, one.signature))


def store_cosignature(connection: Connection, size: int, one: Signature) -> None:
    """Store the cosignature of a witness; its first one stays. Raises ValueError when it is none."""
    insert_new(connection, log_signature, _row(size, one, cosignature_time(one.signature), one.signature[8:]))


def last_cosigned(connection: Connection, witness: VerifierKey) -> int:
    """Read the largest size that a witness has cosigned; 0 if none."""
    c = log_signature.c
    statement = select(c.size).where(c.name == witness.name, c.key_id == witness.key_id)
    return connection.scalar(statement.order_by(c.size.desc()).limit(1)) or 0


def seen_by_witness(connection: Connection, origin: str) -> int:
    """Read the largest size of our own log that a witness has said it knows; 0 if none."""
    return connection.scalar(select(witnessed.c.size).where(witnessed.c.origin == origin)) or 0


def note_seen_by_witness(connection: Connection, origin: str, size: int) -> None:
    """Remember, for every process, that a witness knows our log at a larger size than this database does."""
    values = {"origin": origin, "size": size, "root": b"", "note": ""}
    insert_new(connection, witnessed, values)
    larger = (witnessed.c.origin == origin, witnessed.c.size < size)
    connection.execute(witnessed.update().where(*larger).values(size=size))


def _read(connection: Connection, origin: str, size: int | None) -> Checkpoint | None:
    c, s = log_checkpoint.c, log_signature.c
    signed = exists().where(s.size == c.size, s.name == origin, s.time == NO_TIME)
    statement = select(c.size, c.root).where(signed).order_by(c.size.desc()).limit(1)
    if size is not None:
        statement = statement.where(c.size == size)
    row = connection.execute(statement).first()
    return None if row is None else Checkpoint(origin, row.size, row.root)


def _signatures(connection: Connection, checkpoint: Checkpoint) -> tuple[Signature, ...]:
    """Read the signatures on a checkpoint, those of the log first."""
    c = log_signature.c
    statement = select(c.name, c.key_id, c.time, c.signature).where(c.size == checkpoint.size)
    rows = connection.execute(statement.order_by(c.name, c.key_id)).all()
    ours = [row for row in rows if row.time == NO_TIME and row.name == checkpoint.origin]
    theirs = [row for row in rows if row.time != NO_TIME]
    if any(row.time == NO_TIME and row.name != checkpoint.origin for row in rows):
        theirs = []  # this size was signed under two origins, and nothing tells which of them was cosigned
    return tuple(
        [Signature(row.name, row.key_id, row.signature) for row in ours]
        + [Signature(row.name, row.key_id, row.time.to_bytes(8) + row.signature) for row in theirs]
    )


def _row(size: int, one: Signature, time: int, signature: bytes) -> dict[str, Any]:
    return {"size": size, "name": one.name, "key_id": one.key_id, "time": time, "signature": signature}


def insert_new(connection: Connection, table: Table, values: dict[str, Any]) -> None:
    """Insert a row unless one with its key is there already."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    connection.execute(dialect.insert(table).values(values).on_conflict_do_nothing())
