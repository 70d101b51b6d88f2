"""Pages of the log: some events behind a position. There is one statement for each kind of page, made once."""

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import Connection, Select, bindparam

from registry.access import Sight
from registry.store.restricted import exists_for
from registry.store.rows import ROWS, Row, select_rows
from registry.store.tables import event


def read_page(
    connection: Connection,
    after: int,
    limit: int,
    *,
    stream: str | None,
    types: Collection[str],
    sight: Sight,
) -> list[Row]:
    """Read up to ``limit`` events behind a position in the order of the log, as a reader may see them.

    Of one agreement if ``stream`` says so, and of some types unless there are none.
    """
    statement = _page(sight, of_one=stream is not None, of_types=bool(types))
    given = {"after": after, "most": limit, "stream": stream, "types": list(types)}
    return select_rows(connection, statement, sight, given)


@cache  # to make and to compare a statement takes longer than to read a hundred events
def _page(sight: Sight, *, of_one: bool, of_types: bool) -> Select[*tuple[Any, ...]]:
    statement = ROWS.where(event.c.position > bindparam("after"), exists_for(sight, event.c.stream_id))
    if of_one:
        statement = statement.where(event.c.stream_id == bindparam("stream"))
    if of_types:
        statement = statement.where(event.c.type.in_(bindparam("types", expanding=True)))
    return statement.order_by(event.c.position).limit(bindparam("most"))
