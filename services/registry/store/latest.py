"""Reading an agreement as far as it is committed, in one statement: where the log ends, its events, their parts."""

from sqlalchemy import BigInteger, Connection, Text, and_, bindparam, select

from registry.domain.envelope import Recorded
from registry.store.rows import EVENT_WITH_PART, read_events
from registry.store.tables import event, event_part, log_head

_NEWS = and_(
    event.c.stream_id == bindparam("stream", type_=Text),
    event.c.version > bindparam("after", type_=BigInteger),
)

_LATEST = (
    select(*EVENT_WITH_PART, log_head.c.size)
    .select_from(
        log_head.outerjoin(event, _NEWS).outerjoin(event_part, event_part.c.position == event.c.position)
    )
    .order_by(event.c.version)
)


def read_latest(connection: Connection, stream: str, *, after_version: int) -> tuple[int, list[Recorded]]:
    """Read where the log ends, and the events of an agreement behind a version in their order up to there."""
    rows = connection.execute(_LATEST, {"stream": stream, "after": after_version}).all()
    return rows[0].size, read_events(row for row in rows if row.position is not None)
