"""The calendar of all agreements, or of those with a party: what is on which days."""

from collections.abc import Sequence
from datetime import date

import msgspec
from sqlalchemy import Column, Connection, exists, select
from sqlalchemy.schema import SchemaItem

from registry.access import Sight
from registry.domain.agreement import Agreement
from registry.domain.calendar import items
from registry.errors import NotFound
from registry.projections.agreements import AGREEMENTS
from registry.projections.columns import of_party, own_columns, own_values, shown, shown_column
from registry.projections.listing import meets, visible
from registry.projections.model import ReadModel, Rows, Word
from registry.projections.views import live_of
from registry.store.restricted import last_visible

VERSION = 2


def _columns() -> Sequence[SchemaItem]:
    return [
        *own_columns(),
        Column("kind", Word, nullable=False),
        Column("part", Word, nullable=False),
        Column("first", Word, nullable=False),
        Column("last", Word, nullable=False, index=True),
        shown_column(),
    ]


def _rows(state: Agreement) -> Rows:
    own = own_values(state)
    return {
        "": [
            {
                **own,
                "kind": item.kind,
                "part": item.part,
                "first": item.first.isoformat(),
                "last": item.last.isoformat(),
                "shown": shown(item),
            }
            for item in items(state)
        ]
    }


CALENDAR = ReadModel("calendar", VERSION, {"": _columns}, _rows)


class Found(msgspec.Struct, frozen=True):
    """Items of many agreements."""

    items: tuple[str, ...]
    """By day, each an ``Item`` as JSON."""
    position: int
    """Everything up to this position of the log is in them."""


def find_items(
    connection: Connection,
    *,
    party: str | None,
    start: date | None,
    end: date | None,
    most: int,
    sight: Sight,
) -> Found:
    """Find what is on from one day to another, of all agreements or those with a party.

    Of more than ``most`` items these are the ones that end last. Raises NotFound when no agreement has the
    party, and Unavailable while a read model is being built.
    """
    generation = live_of(connection, CALENDAR)
    main = generation.tables(connection)[""]
    query = select(main.c.shown, main.c.first, main.c.last).where(
        visible(sight, main), meets(main.c.first, main.c.last, start, end)
    )
    if party is not None:
        require_party(connection, party, sight)
        query = query.where(of_party(main, party))
    rows = connection.execute(
        query.order_by(main.c.last.desc(), main.c.agreement, main.c.kind, main.c.part).limit(most)
    ).all()
    return Found(
        tuple(row.shown for row in sorted(rows, key=lambda row: (row.first, row.last))),
        last_visible(connection, sight, generation.position),
    )


def require_party(connection: Connection, party: str, sight: Sight) -> None:
    """Raise NotFound when no agreement that exists for a reader has a party."""
    main = live_of(connection, AGREEMENTS).tables(connection)[""]
    if not connection.scalar(select(exists().where(visible(sight, main), of_party(main, party)))):
        raise NotFound(f"there is no agreement with the party {party!r}")
