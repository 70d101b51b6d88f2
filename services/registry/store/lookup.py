"""What an append must know of the past: the versions of its agreements, and which identities are taken."""

from collections.abc import Sequence

import msgspec
from sqlalchemy import Connection, text

# One round trip for both questions; rows are (question, ordinal, answer). %b: arrays as binary parameters.
LOOKUP_ON_POSTGRESQL = """
    SELECT 0 AS question, s.n, (SELECT max(version) FROM event WHERE stream_id = s.stream) AS answer
    FROM unnest(%b::text[]) WITH ORDINALITY AS s (stream, n)
    UNION ALL
    SELECT 1, i.n, event.position
    FROM unnest(%b::text[], %b::text[]) WITH ORDINALITY AS i (source, id, n)
    JOIN event ON event.source = i.source AND event.event_id = i.id
"""
# CROSS JOIN fixes the order: the few identities first, each looked up in the index.
LOOKUP_ON_SQLITE = text(
    """
    SELECT 0, s.key + 1, (SELECT max(version) FROM event WHERE stream_id = s.value)
    FROM json_each(:streams) AS s
    UNION ALL
    SELECT 1, i.key + 1, event.position
    FROM json_each(:identities) AS i CROSS JOIN event
    WHERE event.source = json_extract(i.value, '$[0]') AND event.event_id = json_extract(i.value, '$[1]')
    """
)


class Past(msgspec.Struct, frozen=True):
    versions: dict[str, int]
    """The version of each agreement asked for that has one."""
    positions: dict[tuple[str, str], int]
    """The position of each (source, id) asked for that is recorded."""


def look_up(
    connection: Connection, streams: Sequence[str], identities: Sequence[tuple[str, str]] = ()
) -> Past:
    """Ask for the versions of agreements and the positions of identities."""
    if connection.dialect.name == "postgresql":
        sources, ids = [source for source, _ in identities], [id_ for _, id_ in identities]
        rows = connection.exec_driver_sql(LOOKUP_ON_POSTGRESQL, (list(streams), sources, ids))
    else:
        rows = connection.execute(
            LOOKUP_ON_SQLITE,
            {
                "streams": msgspec.json.encode(streams).decode(),
                "identities": msgspec.json.encode(identities).decode(),
            },
        )
    past = Past({}, {})
    for question, n, answer in rows:
        if question:
            past.positions[identities[n - 1]] = answer
        elif answer is not None:
            past.versions[streams[n - 1]] = answer
    return past
