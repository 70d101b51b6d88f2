"""The newest events of the agreements with a party."""

import msgspec
from sqlalchemy import Connection, select

from registry.projections.agreements import AGREEMENTS
from registry.projections.calendar import require_party
from registry.projections.columns import of_party
from registry.projections.listing import visible
from registry.projections.views import live_of
from registry.store.rows import ROWS, Row, select_rows
from registry.store.tables import event


class Newest(msgspec.Struct, frozen=True):
    """Events, the newest first."""

    rows: tuple[Row, ...]
    position: int
    """The agreements of the party are known up to this position of the log."""


def newest_of_party(connection: Connection, party: str, before: int | None, most: int) -> Newest:
    """Find the newest events before a position, or of all. Raises NotFound when no agreement has the party."""
    generation = live_of(connection, AGREEMENTS)
    main = generation.tables(connection)[""]
    require_party(connection, party)
    theirs = select(main.c.agreement).where(visible(main), of_party(main, party))
    query = ROWS.where(event.c.stream_id.in_(theirs)).order_by(event.c.position.desc()).limit(most)
    if before is not None:
        query = query.where(event.c.position < before)
    return Newest(tuple(select_rows(connection, query)), generation.position)
