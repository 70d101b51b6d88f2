"""How far checkpoints and witnesses are behind the log.

A checkpoint says nothing of when it was signed. What counts is for how long an event has been recorded and is under
none: a log to which nothing is added has a checkpoint of long ago, and everything is under it.
"""

import time
from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, select

from registry.audit.checkpoints import last_cosigned, latest
from registry.merkle.note import VerifierKey
from registry.store.head import read_head
from registry.store.tables import event

MICROSECONDS = 1_000_000


class CheckpointLag(msgspec.Struct, frozen=True, kw_only=True):
    """How the last checkpoint stands to the log."""

    log_size: int
    recorded_at: int
    """When the last event was recorded, in microseconds since 1970; 0 in an empty log."""
    size: int
    """Events under the last checkpoint; 0 when there is none."""
    signed: bool
    """Whether there is a checkpoint."""
    seconds: float
    """For how long the first event that is under no checkpoint has been recorded."""
    witnesses: dict[str, int]
    """Events under the last checkpoint that each witness has cosigned, by its name."""


def checkpoint_lag(connection: Connection, witnesses: Sequence[VerifierKey] = ()) -> CheckpointLag:
    """Tell how far the last checkpoint is behind the log, and what each of some witnesses has cosigned."""
    last = latest(connection, read_head(connection).origin)
    size = last.size if last is not None else 0
    head = read_head(connection)  # after the checkpoint, which is never of more than the log then
    seconds = 0.0
    if head.size > size:
        at = connection.scalar(select(event.c.recorded_at).where(event.c.position == size + 1))
        seconds = max(0, time.time_ns() // 1000 - (at or head.recorded_at)) / MICROSECONDS
    return CheckpointLag(
        log_size=head.size,
        recorded_at=head.recorded_at,
        size=size,
        signed=last is not None,
        seconds=seconds,
        witnesses={key.name: last_cosigned(connection, key) for key in witnesses},
    )
