"""Writing what has been sealed: one statement on PostgreSQL, one a table on SQLite."""

from sqlalchemy import Connection, insert

from registry.merkle.tree import pack
from registry.store.arrivals import CHANNEL
from registry.store.head import Head, Moved, advance_head
from registry.store.seal import Sealed
from registry.store.tables import event, event_part
from registry.store.tiles import fill_tiles

# Arrays make one round trip and one plan of any number of rows. They go as binary parameters (%b): as text, every
# string of every array would be searched for what to escape. The head moves in the same statement, before all else:
# its row is joined to all others, so that nothing is inserted unless it has been locked and is where it should be.
INSERT_ON_POSTGRESQL = """
    WITH head AS (
        UPDATE log_head SET size = %b::bigint, frontier = %b::bytea, recorded_at = %b::bigint
        WHERE id = 1 AND size = %b::bigint AND frontier = %b::bytea AND recorded_at = %b::bigint
        RETURNING size, recorded_at
    ), events AS (
        INSERT INTO event
            (position, source, event_id, stream_id, version, type, recorded_at, entry, leaf_hash)
        SELECT position, source, event_id, stream_id, version, type, head.recorded_at, entry, leaf_hash
        FROM head, unnest(
            %b::bigint[], %b::text[], %b::text[], %b::text[],
            %b::bigint[], %b::text[], %b::bytea[], %b::bytea[]
        ) AS e (position, source, event_id, stream_id, version, type, entry, leaf_hash)
    ), parts AS (
        INSERT INTO event_part (position, part_no, salt, data)
        SELECT p.* FROM head, unnest(%b::bigint[], %b::smallint[], %b::bytea[], %b::bytea[]) AS p
    )
    SELECT pg_notify(%b, size::text) FROM head
"""


def write(connection: Connection, sealed: Sealed) -> None:
    """Insert the events, their parts and the tiles they fill, and move the head.

    Raises Moved when the head is not the one that the events were sealed behind, and sqlalchemy.exc.IntegrityError
    when a version or an identity is taken.
    """
    if connection.dialect.name == "postgresql":
        _write_on_postgresql(connection, sealed)
    else:
        _write_on_sqlite(connection, sealed)
    fill_tiles(connection, sealed.full_tiles)


def _write_on_postgresql(connection: Connection, sealed: Sealed) -> None:
    drafts = sealed.drafts
    events = (
        list(sealed.positions),
        [draft.source for draft in drafts],
        [draft.id for draft in drafts],
        [draft.stream for draft in drafts],
        [draft.version for draft in drafts],
        [draft.type for draft in drafts],
        sealed.entries,
        sealed.leaves,
    )
    parts = (
        [position for position, draft in zip(sealed.positions, drafts, strict=True) for _ in draft.parts],
        [k for draft in drafts for k in range(len(draft.parts))],
        [salt for salts in sealed.salts for salt in salts],
        [data for draft in drafts for data in draft.parts],
    )
    moved = connection.exec_driver_sql(
        INSERT_ON_POSTGRESQL, (*_said(sealed.head), *_said(sealed.before), *events, *parts, CHANNEL)
    )
    if moved.rowcount != 1:
        raise Moved


def _said(head: Head) -> tuple[int, bytes, int]:
    return head.size, pack(head.frontier), head.recorded_at


def _write_on_sqlite(connection: Connection, sealed: Sealed) -> None:
    advance_head(connection, sealed.before, sealed.head)
    rows = zip(sealed.positions, sealed.drafts, sealed.entries, sealed.leaves, strict=True)
    connection.execute(
        insert(event),
        [
            {
                "position": position,
                "source": draft.source,
                "event_id": draft.id,
                "stream_id": draft.stream,
                "version": draft.version,
                "type": draft.type,
                "recorded_at": sealed.recorded_at,
                "entry": entry,
                "leaf_hash": leaf,
            }
            for position, draft, entry, leaf in rows
        ],
    )
    connection.execute(
        insert(event_part),
        [
            {"position": position, "part_no": k, "salt": salt, "data": data}
            for position, draft, salts in zip(sealed.positions, sealed.drafts, sealed.salts, strict=True)
            for k, (salt, data) in enumerate(zip(salts, draft.parts, strict=True))
        ],
    )
