"""What whoever operates the registry looks at first: where the log stands, its witnesses, and who was shown what."""

from pathlib import Path

import msgspec

from registry.access import Sight
from registry.audit import checkpoints
from registry.audit.configured import witnesses
from registry.config import Settings
from registry.merkle.entry import format_time
from registry.store.access_log import Access, read_recent_accesses
from registry.store.database import reachable
from registry.store.head import read_head
from registry.store.principals import labels_of
from registry.store.reader import Reader
from registry.store.restricted import restricted_among

ACCESSES = 25


class Cosigned(msgspec.Struct, frozen=True):
    """A witness that is asked."""

    name: str
    size: int
    """Of the last checkpoint that it has cosigned; 0 if none."""


class Shown(msgspec.Struct, frozen=True):
    """An access, with the label of whoever was shown something."""

    at: str
    """Record time: RFC 3339 in UTC."""
    label: str
    access: Access


class Overview(msgspec.Struct, frozen=True, kw_only=True):
    """The log and its access log at one moment."""

    origin: str
    size: int
    signed: int | None
    """Size of the last checkpoint; None when the log has signed none."""
    signed_until: str | None
    """Record time of the last event under it; None when there is none."""
    witnesses: tuple[Cosigned, ...]
    accesses: tuple[Shown, ...]
    """The newest first."""


def overview(reader: Reader, settings: Settings, sight: Sight) -> Overview:
    """Read it; restricted agreements are left out for whom they do not exist. Raises Unavailable."""
    asked = witnesses(Path(settings.witnesses_file)) if settings.witnesses_file else ()
    with reachable(), reader.connect() as connection:
        head = read_head(connection)
        last = checkpoints.latest(connection, head.origin)
        cosigned = tuple(
            Cosigned(one.key.name, checkpoints.last_cosigned(connection, one.key)) for one in asked
        )
        accesses = read_recent_accesses(connection, ACCESSES)
        labels = labels_of(connection, {one.principal for one in accesses})
        named = {one.agreement for one in accesses if one.agreement is not None}
        hidden = frozenset() if sight.restricted else restricted_among(connection, named)
    row = reader.event(last.size) if last is not None and last.size else None
    return Overview(
        origin=head.origin,
        size=head.size,
        signed=last.size if last is not None else None,
        signed_until=format_time(row.recorded_at) if row is not None else None,
        witnesses=cosigned,
        accesses=tuple(
            Shown(format_time(one.at), labels.get(one.principal, one.principal), one)
            for one in accesses
            if one.agreement not in hidden
        ),
    )
