"""What founded agreements, for whoever asks for many of them at once."""

from collections.abc import Collection

from sqlalchemy import Connection

from registry.domain.events import Registered
from registry.store.rows import ROWS, select_rows
from registry.store.tables import event


def parties_of(connection: Connection, agreements: Collection[str]) -> dict[str, tuple[str, ...]]:
    """Read the ids of the parties of agreements, as their foundings name them: none where that has been erased.

    Those that nobody has founded are left out.
    """
    founding = ROWS.where(event.c.stream_id.in_(agreements), event.c.version == 1)
    found = {row.stream_id: row.recorded().data for row in select_rows(connection, founding)}
    return {
        agreement: tuple(party.id for party in data.parties) if isinstance(data, Registered) else ()
        for agreement, data in found.items()
    }
