"""Writing what has been sealed: one statement on PostgreSQL, one a table on SQLite."""

from sqlalchemy import Connection, insert, text

from registry.merkle.tree import pack
from registry.store.head import advance_head
from registry.store.seal import Sealed
from registry.store.tables import event, event_part
from registry.store.tiles import fill_tiles

# Arrays make one round trip and one plan of any number of rows; the head moves in the same statement.
INSERT_ON_POSTGRESQL = text(
    """
    WITH events AS (
        INSERT INTO event
            (position, source, event_id, stream_id, version, type, recorded_at, entry, leaf_hash)
        SELECT position, source, event_id, stream_id, version, type, :recorded_at, entry, leaf_hash
        FROM unnest(
            CAST(:positions AS bigint[]), CAST(:sources AS text[]), CAST(:ids AS text[]),
            CAST(:streams AS text[]), CAST(:versions AS bigint[]), CAST(:types AS text[]),
            CAST(:entries AS bytea[]), CAST(:leaves AS bytea[])
        ) AS e (position, source, event_id, stream_id, version, type, entry, leaf_hash)
    ), parts AS (
        INSERT INTO event_part (position, part_no, salt, data)
        SELECT * FROM unnest(
            CAST(:part_positions AS bigint[]), CAST(:part_numbers AS smallint[]),
            CAST(:salts AS bytea[]), CAST(:data AS bytea[])
        )
    )
    UPDATE log_head SET size = :size, frontier = :frontier, recorded_at = :recorded_at WHERE id = 1
    """
)


def write(connection: Connection, sealed: Sealed) -> None:
    """Insert the events, their parts and the tiles they fill, and move the head.

    Raises sqlalchemy.exc.IntegrityError when a version or an identity is taken.
    """
    if connection.dialect.name == "postgresql":
        _write_on_postgresql(connection, sealed)
    else:
        _write_on_sqlite(connection, sealed)
    fill_tiles(connection, sealed.full_tiles)


def _write_on_postgresql(connection: Connection, sealed: Sealed) -> None:
    drafts = sealed.drafts
    connection.execute(
        INSERT_ON_POSTGRESQL,
        {
            "recorded_at": sealed.recorded_at,
            "positions": list(sealed.positions),
            "sources": [draft.source for draft in drafts],
            "ids": [draft.id for draft in drafts],
            "streams": [draft.stream for draft in drafts],
            "versions": [draft.version for draft in drafts],
            "types": [draft.type for draft in drafts],
            "entries": sealed.entries,
            "leaves": sealed.leaves,
            "part_positions": [
                position
                for position, draft in zip(sealed.positions, drafts, strict=True)
                for _ in draft.parts
            ],
            "part_numbers": [k for draft in drafts for k in range(len(draft.parts))],
            "salts": [salt for salts in sealed.salts for salt in salts],
            "data": [data for draft in drafts for data in draft.parts],
            "size": sealed.head.size,
            "frontier": pack(sealed.head.frontier),
        },
    )


def _write_on_sqlite(connection: Connection, sealed: Sealed) -> None:
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
    advance_head(connection, sealed.head)
