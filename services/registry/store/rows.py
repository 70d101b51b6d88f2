"""Rows of the log with their open parts, and how an event is read out of one."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import ARRAY, Connection, Select, Text, any_, bindparam, select
from sqlalchemy import Row as DatabaseRow

from registry.access import EVERYTHING, Sight
from registry.domain.cloudevents import outgoing
from registry.domain.codec import Joined, as_stored, event_and_missing, join, whole_event
from registry.domain.envelope import Recorded
from registry.merkle.entry import format_time
from registry.store.database import BINARY
from registry.store.tables import event, event_part

PAGE = 1000

ROWS = select(
    event.c.position,
    event.c.source,
    event.c.event_id,
    event.c.stream_id,
    event.c.version,
    event.c.type,
    event.c.recorded_at,
    event.c.entry,
    event.c.leaf_hash,
).execution_options(**BINARY)

_PARTS = select(event_part.c.position, event_part.c.part_no, event_part.c.data).execution_options(**BINARY)
_PARTS_FROM_TO = _PARTS.where(event_part.c.position.between(bindparam("first"), bindparam("last")))
_PARTS_OF = _PARTS.where(event_part.c.position.in_(bindparam("positions", expanding=True)))

EVENT_WITH_PART = (
    event.c.position,
    event.c.version,
    event.c.recorded_at,
    event.c.source,
    event.c.event_id,
    event.c.type,
    event.c.stream_id,
    event_part.c.part_no,
    event_part.c.data,
)
"""What an event is read from, a row for each of its parts, as ``read_events`` takes them."""

_WITH_PARTS = (
    select(*EVENT_WITH_PART)
    .outerjoin_from(event, event_part, event_part.c.position == event.c.position)
    .order_by(event.c.stream_id, event.c.version)
    .execution_options(**BINARY)
)

_ONE_OF = event.c.stream_id == any_(bindparam("streams", type_=ARRAY(Text)))
"""On PostgreSQL: a list of any length is one parameter, so that there is one statement to parse."""

_Envelope = tuple[int, int, int, str, str, str, str]
"""Position, version, time of recording, source, id, type and agreement."""

EventPart = tuple[int, int, int, str, str, str, str, int | None, bytes | None]
"""A row of ``EVENT_WITH_PART`` as it is: nothing in it belongs to a database, so that it may go elsewhere."""

_Row = DatabaseRow[*tuple[Any, ...]]
_Part = _Row | EventPart


class Row(msgspec.Struct, frozen=True):
    """One event as it is stored."""

    position: int
    source: str
    event_id: str
    stream_id: str
    version: int
    type: str
    recorded_at: int
    """Microseconds since 1970-01-01T00:00:00Z."""
    entry: bytes
    leaf_hash: bytes
    parts: dict[int, bytes]
    """The bytes of every part that is open to whoever reads, by number."""
    withheld: tuple[int, ...] = ()
    """The numbers of the parts that are there and not shown to whoever reads."""

    def shown_with(self, sight: Sight) -> "Row":
        """Give the row as a reader may see it."""
        if sight.parts:
            return self
        personal = tuple(sorted(number for number in self.parts if number))
        if not personal:
            return self
        left = {number: data for number, data in self.parts.items() if not number}
        return msgspec.structs.replace(self, parts=left, withheld=personal)

    def joined(self) -> Joined:
        """Put the open parts back together."""
        return join_all(self.parts, self.withheld)

    def recorded(self) -> Recorded:
        """Read the event as the fold sees it."""
        place = self.position, self.version, self.recorded_at
        return _recorded(
            (*place, self.source, self.event_id, self.type, self.stream_id), self.parts, self.withheld
        )


def _recorded(envelope: _Envelope, parts: Mapping[int, bytes], withheld: Collection[int] = ()) -> Recorded:
    name = envelope[5]
    whole = None if withheld else whole_event(name, parts.get(0))
    if whole is not None:
        return Recorded(*envelope, whole)
    joined = join_all(parts, withheld)
    data, places_erased, places_withheld = event_and_missing(name, joined)
    return Recorded(
        *envelope,
        data,
        erased=joined.erased,
        places_erased=places_erased,
        withheld=joined.withheld,
        places_withheld=places_withheld,
    )


def written(row: Row) -> bytes:
    """Give an event back as a CloudEvent in the JSON format. A body without personal values is not even read."""
    return outgoing(
        source=row.source,
        id=row.event_id,
        type=row.type,
        subject=row.stream_id,
        position=row.position,
        version=row.version,
        recorded_time=format_time(row.recorded_at),
        leaf_hash=row.leaf_hash,
        joined=as_stored(row.parts.get(0)) or row.joined(),
    )


def cloudevent(row: Row) -> dict[str, Any]:
    """Give an event back as a CloudEvent to be looked into."""
    event: dict[str, Any] = msgspec.json.decode(written(row))
    return event


def join_all(parts: Mapping[int, bytes], withheld: Collection[int] = ()) -> Joined:
    """Put an event together from its open parts, part 0 among them; ``withheld`` are open and not among them."""
    return join(parts.get(0), {number: data for number, data in parts.items() if number}, withheld)


def select_rows(
    connection: Connection,
    statement: Select[*tuple[Any, ...]],
    sight: Sight = EVERYTHING,
    given: Mapping[str, Any] | None = None,
) -> list[Row]:
    """Run a statement built on ``ROWS`` and fetch the parts of what it gives, in a second one.

    ``sight`` decides what of each event is shown; which events there are is the statement's to say, with the
    values that are given for its parameters.
    """
    found = connection.execute(statement, given).all()
    parts = _parts(connection, [row[0] for row in found])
    return [
        Row(
            position,
            source,
            event_id,
            stream_id,
            version,
            type_,
            recorded_at,
            entry,
            leaf,
            parts.get(position, {}),
        ).shown_with(sight)
        for position, source, event_id, stream_id, version, type_, recorded_at, entry, leaf in found
    ]


def read_stream(
    connection: Connection, stream: str, *, after_version: int = 0, until: int | None = None
) -> list[Recorded]:
    """Read the events of one agreement by pages, in the order of their versions."""
    statement = ROWS.where(event.c.stream_id == stream).order_by(event.c.version).limit(PAGE)
    if until is not None:
        statement = statement.where(event.c.position <= until)
    found: list[Recorded] = []
    while True:
        rows = select_rows(connection, statement.where(event.c.version > after_version))
        found.extend(row.recorded() for row in rows)
        if len(rows) < PAGE:
            return found
        after_version = rows[-1].version


def read_streams(connection: Connection, streams: Iterable[str]) -> dict[str, list[Recorded]]:
    """Read all events of some agreements, each in the order of its versions."""
    return by_stream(_read_parts(connection, streams))


def read_parts(connection: Connection, streams: Iterable[str]) -> list[EventPart]:
    """Read the same as it is stored, for ``by_stream`` to be called elsewhere."""
    return list(map(tuple, _read_parts(connection, streams)))


def by_stream(parts: Iterable[_Part]) -> dict[str, list[Recorded]]:
    """Read the events out of rows of ``EVENT_WITH_PART``, by agreement."""
    found: dict[str, list[Recorded]] = {}
    for each in read_events(parts):
        found.setdefault(each.subject, []).append(each)
    return found


def _read_parts(connection: Connection, streams: Iterable[str]) -> Sequence[_Row]:
    """Read a row for each part of each event of some agreements, one agreement after the other."""
    wanted = list(streams)
    one_of = _ONE_OF if connection.dialect.name == "postgresql" else event.c.stream_id.in_(wanted)
    given = {"streams": wanted} if one_of is _ONE_OF else {}
    return connection.execute(_WITH_PARTS.where(one_of), given).all()


def read_events(rows: Iterable[_Part]) -> list[Recorded]:
    """Read events from rows that begin with ``EVENT_WITH_PART``, those of an event next to each other."""
    events: list[tuple[_Envelope, dict[int, bytes]]] = []
    position = 0
    parts: dict[int, bytes] = {}
    for row in rows:
        part_no, data = row[7], row[8]
        if row[0] != position:
            position, parts = row[0], {}
            events.append((row[:7], parts))
        if part_no is not None and data is not None:
            parts[part_no] = data
    return [_recorded(envelope, parts) for envelope, parts in events]


def _parts(connection: Connection, positions: list[int]) -> dict[int, dict[int, bytes]]:
    by_position: dict[int, dict[int, bytes]] = {}
    for some in _slices(positions):
        if some[-1] - some[0] == len(some) - 1:  # a page of the log: one range instead of a long list
            found = connection.execute(_PARTS_FROM_TO, {"first": some[0], "last": some[-1]})
        else:
            found = connection.execute(_PARTS_OF, {"positions": some})
        for position, part_no, data in found.all():
            by_position.setdefault(position, {})[part_no] = data
    return by_position


def _slices(positions: Iterable[int], size: int = 1000) -> Iterator[list[int]]:
    """Cut ascending positions into lists short enough to be bound as parameters."""
    ordered = sorted(positions)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
