"""Which agreements are restricted, and what exists for a reader: one table, which every append keeps up to date.

It is in the transaction of the event that changes it, so no reader, on any replica, is ever behind; and it is small,
so that leaving out what is in it costs a look into its index.
"""

from collections.abc import Collection, Mapping

from sqlalchemy import ColumnElement, Connection, delete, exists, func, insert, or_, select, true

from registry.access import Sight
from registry.domain.agreement import Agreement, fold
from registry.domain.events.event import Event
from registry.domain.visibility import is_restricted, may_change
from registry.store.head import read_head
from registry.store.rows import PAGE, read_stream
from registry.store.tables import event, event_part, restricted

SAYING = ("registered", "visibility-changed", "event-corrected")
"""The events that can say that an agreement is restricted."""


def exists_for(sight: Sight, agreement: ColumnElement[str]) -> ColumnElement[bool]:
    """Keep what belongs to agreements that exist for a reader, by the column with their id."""
    if sight.restricted:
        return true()
    return ~exists().where(restricted.c.agreement == agreement)


def last_visible(connection: Connection, sight: Sight, position: int) -> int:
    """Give the last position up to ``position`` of an event that exists for a reader; 0 if there is none."""
    if sight.restricted:
        return position
    seen = event.c.position <= position, exists_for(sight, event.c.stream_id)
    return (
        connection.scalar(select(event.c.position).where(*seen).order_by(event.c.position.desc()).limit(1))
        or 0
    )


def made_of(connection: Connection, sight: Sight) -> bytes:
    """Name all of the log that exists for a reader: while this is the same, so is what they can be shown of it.

    Of what is hidden from them it tells nothing, so it is not made of the root. Any event that they can see and that
    is later than the last one changes it. Without one, nothing can come to be seen, and what is hidden from now on is
    fewer events.
    """
    head = read_head(connection)
    if sight.restricted:
        return head.origin.encode() + b"\n" + head.root
    last = last_visible(connection, sight, head.size)
    # Begun at the few that are restricted: asked of each event, SQLite would read all of the log.
    theirs = event.c.stream_id.in_(select(restricted.c.agreement))
    hidden = select(func.count()).where(event.c.position <= last, theirs)
    leaf: bytes = connection.scalar(select(event.c.leaf_hash).where(event.c.position == last)) or b""
    return f"{head.origin}\n{last - (connection.scalar(hidden) or 0)}\n".encode() + leaf


def restricted_among(connection: Connection, agreements: Collection[str]) -> frozenset[str]:
    """Tell which of some agreements are restricted."""
    if not agreements:
        return frozenset()
    found = select(restricted.c.agreement).where(restricted.c.agreement.in_(agreements))
    return frozenset(connection.scalars(found))


def settle(
    connection: Connection, states: Mapping[str, Agreement], taken_in: Collection[tuple[str, Event]]
) -> None:
    """Write down, in the transaction that appends, what has become of agreements' visibility.

    ``states``: what the appended events led to; ``taken_in``: these events, each with its agreement.
    """
    moved = {agreement for agreement, data in taken_in if may_change(states[agreement], data)}
    if moved:
        write(connection, {agreement: is_restricted(states[agreement]) for agreement in moved})


def write(connection: Connection, visibilities: Mapping[str, bool]) -> None:
    """Write down of some agreements whether they are restricted."""
    connection.execute(delete(restricted).where(restricted.c.agreement.in_(list(visibilities))))
    now = [{"agreement": agreement} for agreement in sorted(visibilities) if visibilities[agreement]]
    if now:
        connection.execute(insert(restricted), now)


def find_all(connection: Connection) -> list[str]:
    """Find all restricted agreements in the log itself: of those ever said to be restricted, whichever still are."""
    said = event.join(event_part, event_part.c.position == event.c.position)
    kinds = or_(*(event.c.type.like(f"agreement.{name}.%") for name in SAYING))
    page = select(event.c.position, event.c.stream_id, event_part.c.data).select_from(said)
    page = page.where(kinds, event_part.c.part_no == 0).order_by(event.c.position).limit(PAGE)
    ever: set[str] = set()
    after = 0
    while rows := connection.execute(page.where(event.c.position > after)).all():
        ever |= {row.stream_id for row in rows if b'"restricted"' in row.data}
        after = rows[-1].position
    states = ((stream, fold(None, read_stream(connection, stream))) for stream in sorted(ever))
    return [stream for stream, state in states if state is not None and is_restricted(state)]
