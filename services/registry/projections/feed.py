"""The newest events of the agreements with a party."""

import msgspec
from sqlalchemy import Connection, select

from registry.access import Sight
from registry.projections.agreements import AGREEMENTS
from registry.projections.calendar import require_party
from registry.projections.columns import of_party
from registry.projections.listing import visible
from registry.projections.views import live_of
from registry.store.restricted import last_visible
from registry.store.rows import ROWS, Row, select_rows
from registry.store.tables import event


class Newest(msgspec.Struct, frozen=True):
    """Events, the newest first."""

    rows: tuple[Row, ...]
    position: int
    """The agreements of the party are known up to this position of the log."""


def newest_of_party(
    connection: Connection, party: str, before: int | None, most: int, *, sight: Sight
) -> Newest:
    """Find the newest events before a position, or of all. Raises NotFound when no agreement has the party."""
    generation = live_of(connection, AGREEMENTS)
    main = generation.tables(connection)[""]
    require_party(connection, party, sight)
    theirs = select(main.c.agreement).where(visible(sight, main), of_party(main, party))
    query = ROWS.where(event.c.stream_id.in_(theirs)).order_by(event.c.position.desc()).limit(most)
    if before is not None:
        query = query.where(event.c.position < before)
    rows = select_rows(connection, query, sight)
    return Newest(tuple(rows), last_visible(connection, sight, generation.position))
