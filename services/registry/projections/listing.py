"""Lists: pages of a read model in a fixed order, each found by where the last one ended.

To add a list, write in the file of its read model

- a struct of **filters**: every field has a default, and its description becomes that of the query parameter;
- a struct of **items**: what one row of the list shows;
- a function ``query(source, filters)`` that gives a ``Select`` on ``source.tables(MODEL)``, with the conditions
  (the functions below make the usual ones, ``visible(source.sight, ...)`` must be among them) and without any order;
- a function ``make(row)`` that makes an item of a row, and ``withhold(item)`` if there are personal values in it;

and put them together:

    VISITS = Listing(
        name="visits", models=(CALENDAR,), filters=VisitFilters, item=Visit, query=_query, make=_make,
        sorts={"day": "day", "-day": "day"}, key=("agreement", "visit"),
    )

``page(connection, VISITS, filters, sight=...)`` is then a page of it, and ``api/listing.py`` makes it a resource.
``sorts`` and ``key`` name columns of the query; none of them may be NULL, and ``key`` must tell any two rows apart.
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from hashlib import sha256
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    Subquery,
    Table,
    and_,
    literal,
    select,
    true,
    tuple_,
)

from registry.access import Sight
from registry.projections.generations import Generation
from registry.projections.model import ReadModel, Tables
from registry.projections.parking import waiting
from registry.projections.views import live_of
from registry.store.restricted import exists_for, last_visible, made_of, restricted_among

F = TypeVar("F", bound=msgspec.Struct)
I = TypeVar("I", bound=msgspec.Struct)  # noqa: E741 - an item

FIRST_DAY = date.min.isoformat()
"""Stands for an open beginning where days are compared."""
LAST_DAY = date.max.isoformat()
"""Stands for an open end where days are compared."""

SEAL = 9
"""Bytes of a cursor that tie it to its list."""


class ForeignCursor(ValueError):
    """A cursor that was not made here, or was made by a list with other filters or another order."""


class Source:
    """What a query reads: the live tables of its read models, and the day that its answer is for."""

    def __init__(self, connection: Connection, models: Sequence[ReadModel], on: date, sight: Sight) -> None:
        self._live: dict[ReadModel, Generation] = {model: live_of(connection, model) for model in models}
        self._dialect = connection.dialect.name
        self.on = on.isoformat()
        """The day that status and whatever else depends on one is for."""
        self.sight = sight
        """What whoever asks may see."""
        reached = min((each.position for each in self._live.values()), default=0)
        self.position = last_visible(connection, sight, reached)
        """Everything up to this position is in the tables; of an event that exists for whoever asks."""

    @property
    def dialect(self) -> str:
        """The kind of database."""
        return self._dialect

    def tables(self, model: ReadModel) -> Tables:
        """Give the live tables of one of the models."""
        return model.tables(self._live[model].number, self._dialect)


class Listing(msgspec.Struct, Generic[F, I], frozen=True, kw_only=True, eq=False):
    """A list: what it reads, how it can be narrowed and sorted, and what it shows."""

    name: str
    models: tuple[ReadModel, ...]
    """The read models that the query reads; how far the list has come is how far the last of them has."""
    filters: type[F]
    item: type[I]
    query: Callable[[Source, F], Select[Any]]
    make: Callable[[Row[Any]], I]
    withhold: Callable[[I], I] | None = None
    """Takes personal values out of an item; None where there are never any."""
    complete: Callable[[Source, Subquery], Select[Any]] | None = None
    """Joins to the rows of a page what is shown of them and not needed to find them: it is then read for these
    alone. Whatever it selects must have the columns of order and key, as the query has."""
    sorts: Mapping[str, str]
    """By what ``sort`` may ask for, ``-`` for descending: the column. The first is the order by default."""
    key: tuple[str, ...] = ("agreement",)
    """Columns that tell any two rows apart; they decide between rows that sort alike."""

    @property
    def default_sort(self) -> str:
        """The order when none is asked for."""
        return next(iter(self.sorts))


class Page(msgspec.Struct, Generic[I], frozen=True, kw_only=True):
    """Some items in the order asked for."""

    items: tuple[I, ...]
    next: str | None
    """The cursor of the next page; None on the last."""
    position: int
    """Everything up to this position of the log is in the page."""


def page(
    connection: Connection,
    listing: Listing[F, I],
    filters: F | None = None,
    *,
    sight: Sight,
    sort: str | None = None,
    cursor: str | None = None,
    limit: int = 100,
) -> Page[I]:
    """Read the page that begins behind a cursor, as a reader may see it. ``sort`` is one of the list's.

    Filters with a field ``valid_as_of`` tell the day that the list is for; without one it is today, in UTC.
    Raises ForeignCursor, and Unavailable while a read model is being built.
    """
    filters = listing.filters() if filters is None else filters
    sort = sort or listing.default_sort
    scope = _scope(listing, filters, sort)
    behind = None if cursor is None else _read_cursor(cursor, scope)
    source = Source(connection, listing.models, day_of(filters), sight)
    statement = listing.query(source, filters)
    names = tuple(dict.fromkeys((listing.sorts[sort], *listing.key)))
    backwards = sort.startswith("-")
    statement = _ordered(_behind(statement, names, backwards, behind), names, backwards)
    statement = statement.limit(_most(limit + 1, filters))
    if listing.complete is not None:
        statement = _ordered(listing.complete(source, statement.subquery("page")), names, backwards)
    rows = connection.execute(statement).all()
    last = rows[limit - 1] if len(rows) > limit else None
    return Page(
        items=tuple(map(_maker(listing, sight), rows[:limit])),
        next=None if last is None else _write_cursor(scope, [getattr(last, name) for name in names]),
        position=source.position,
    )


class Standing(msgspec.Struct, frozen=True):
    """What whole lists are made of at a moment."""

    position: int
    """Everything up to this position of the log is in them."""
    made_of: bytes
    """While it is the same, so is every list of the same models, for the same reader, day, filters and order."""


def standing(connection: Connection, listing: Listing[Any, Any], *, sight: Sight) -> Standing:
    """Tell what a list is made of, without reading it. Raises Unavailable while a read model is being built.

    Rows follow from the events that their generation has come to and from which agreements are parked, and who may
    see them from all events there are.
    """
    lives = [live_of(connection, model) for model in listing.models]
    reached = [last_visible(connection, sight, one.position) for one in lives]
    parked = [each for one in lives for each in waiting(connection, one.model)]
    hidden = frozenset[str]()
    if not sight.restricted:
        hidden = restricted_among(connection, {each.stream for each in parked})
    made = [(one.model.name, one.model.version, one.number) for one in lives]
    left = [each for each in parked if each.stream not in hidden]
    return Standing(
        min(reached, default=0),
        made_of(connection, sight) + msgspec.json.encode([listing.name, made, reached, left]),
    )


def day_of(filters: msgspec.Struct) -> date:
    """Give the day that a list is for: the one asked for, or today in UTC."""
    asked: date | None = getattr(filters, "valid_as_of", None)
    return asked or datetime.now(UTC).date()


def visible(sight: Sight, table: Table) -> ColumnElement[bool]:
    """Keep the rows of agreements that exist for a reader: the one condition that every list has.

    It looks into what appends keep, not into the rows: those may be a moment behind, or parked for good.
    """
    return exists_for(sight, table.c.agreement)


def having(table: Table, part: Table, *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Keep the agreements that have a row in another table of theirs, such as a party."""
    return table.c.agreement.in_(select(part.c.agreement).where(*conditions))


def holds_on(table: Table, day: str) -> ColumnElement[bool]:
    """Keep the rows whose days, from ``first`` to ``last``, hold a day."""
    return and_(table.c.first <= day, table.c.last >= day)


def meets(
    earliest: ColumnElement[str], latest: ColumnElement[str], start: date | None, end: date | None
) -> ColumnElement[bool]:
    """Keep what may have been on a day from ``start`` to ``end``; a bound that is None is open."""
    within: list[ColumnElement[bool]] = []
    if start is not None:
        within.append(latest >= start.isoformat())
    if end is not None:
        within.append(earliest <= end.isoformat())
    return and_(true(), *within)


def _maker(listing: Listing[F, I], sight: Sight) -> Callable[[Row[Any]], I]:
    """Give what makes the items that a reader may see."""
    make, withhold = listing.make, listing.withhold
    if sight.parts or withhold is None:
        return make
    return lambda row: withhold(make(row))


def _ordered(statement: Select[Any], names: Sequence[str], backwards: bool) -> Select[Any]:
    """Sort by columns, all in one direction."""
    columns = (statement.selected_columns[name] for name in names)
    return statement.order_by(*(column.desc() if backwards else column.asc() for column in columns))


def _behind(
    statement: Select[Any], names: Sequence[str], backwards: bool, values: list[Any] | None
) -> Select[Any]:
    """Begin behind a row: rows are compared as a whole, which every database answers from an index."""
    if values is None:
        return statement
    columns = [statement.selected_columns[name] for name in names]
    if len(values) != len(columns) or not all(map(_fits, columns, values)):
        raise ForeignCursor("this cursor was not made here")
    ours, theirs = tuple_(*columns), tuple_(*values, types=[column.type for column in columns])
    return statement.where(ours < theirs if backwards else ours > theirs)


def _fits(column: ColumnElement[Any], value: str | int) -> bool:
    """Tell whether a column can hold a value: anybody can work out the seal of a cursor, which is no secret."""
    if isinstance(value, str):
        return column.type.python_type is str and "\0" not in value
    bits = 63 if isinstance(column.type, BigInteger) else 31
    return column.type.python_type is int and -(2**bits) <= value < 2**bits


def _most(rows: int, filters: msgspec.Struct) -> int | ColumnElement[int]:
    """Say how many rows a page reads: of a list that nobody has narrowed as a number in the statement itself.

    Then PostgreSQL keeps the plan for any page. With a parameter it takes a tenth of the table for a page, finds what
    it could keep too dear, and plans each one anew. A narrowed list is better planned for what is asked.
    """
    return literal(rows, literal_execute=True) if _asked(filters).keys() <= {"valid_as_of"} else rows


def _asked(filters: msgspec.Struct) -> dict[str, Any]:
    return {
        name: value for name in filters.__struct_fields__ if (value := getattr(filters, name)) is not None
    }


def _scope(listing: Listing[F, I], filters: F, sort: str) -> bytes:
    """Say in a few bytes what a cursor belongs to."""
    return msgspec.json.encode([listing.name, sort, _asked(filters)], enc_hook=str, order="sorted")


def _write_cursor(scope: bytes, values: list[Any]) -> str:
    key = msgspec.json.encode(values)
    return urlsafe_b64encode(_seal(scope, key) + key).decode().rstrip("=")


def _read_cursor(cursor: str, scope: bytes) -> list[Any]:
    try:
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        values: list[Any] = msgspec.json.decode(raw[SEAL:], type=list[str | int])
    except (ValueError, msgspec.DecodeError):
        raise ForeignCursor("this is no cursor") from None
    if raw[:SEAL] != _seal(scope, raw[SEAL:]) or _write_cursor(scope, values) != cursor:
        raise ForeignCursor("this cursor is of another list")
    return values


def _seal(scope: bytes, key: bytes) -> bytes:
    return sha256(len(scope).to_bytes(4) + scope + key).digest()[:SEAL]
