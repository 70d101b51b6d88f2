"""What must hold of one event by itself: its leaf, its entry, its columns and its open parts."""

from registry.audit.facts import AnyRow
from registry.audit.report import at_position
from registry.merkle.entry import Entry, commitment, event_uuid, parse_entry
from registry.merkle.tree import leaf_hash

Parts = dict[int, AnyRow]
"""The open parts of one event, by number."""

COPIES = ("position", "source", "event_id", "stream_id", "version", "type", "recorded_at")
"""The first columns of ``event``, each a copy of a field of the entry."""


def check_event(row: AnyRow) -> Entry:
    """Check a row of ``event``: leaf, entry, and every column against its field. Raises Broken."""
    if type(row.entry) is not bytes or row.leaf_hash != leaf_hash(row.entry):
        raise at_position(row.position, "its leaf hash is not that of its entry")
    try:
        entry = parse_entry(row.entry)
    except ValueError as error:
        raise at_position(row.position, f"its entry does not hold: {error}") from error
    fields = (
        entry.position,
        entry.source,
        entry.id,
        entry.stream,
        entry.version,
        entry.type,
        entry.recorded_at,
    )
    for name, copy, field in zip(
        COPIES, row, fields, strict=False
    ):  # entry and leaf hash come last in the row
        if type(copy) is not type(field) or copy != field:
            raise at_position(row.position, f"its column {name} differs from its entry")
    return entry


def check_parts(entry: Entry, parts: Parts) -> list[int]:
    """Check the open parts of an event against its commitments and list the missing ones. Raises Broken."""
    uuid = event_uuid(entry.source, entry.id)
    for k, part in parts.items():
        if type(k) is not int or not 0 <= k < len(entry.parts):
            raise at_position(entry.position, f"part {k} is none of its {len(entry.parts)} parts")
        if not _fits(part, uuid, entry.parts[k]):
            raise at_position(entry.position, f"part {k} does not fit its commitment")
    return [k for k in range(len(entry.parts)) if k not in parts]


def _fits(part: AnyRow, uuid: bytes, committed: bytes) -> bool:
    if type(part.salt) is not bytes or type(part.data) is not bytes:
        return False
    try:
        return commitment(part.salt, uuid, part.part_no, part.data) == committed
    except ValueError:
        return False
