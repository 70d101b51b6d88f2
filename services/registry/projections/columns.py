"""What the tables of lists have in common: whose rows they are, on which days they hold, and what is shown."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta
from sqlalchemy import Column, ColumnElement, Table, Text, or_
from sqlalchemy.schema import SchemaItem

from registry.domain.agreement import Agreement
from registry.domain.edtf import Edtf
from registry.domain.values import write_custom
from registry.domain.visibility import visibility
from registry.projections.listing import FIRST_DAY, LAST_DAY
from registry.projections.model import Word

NESTED = 100
"""Most entries of a list inside an item; the numbers beside it count all of them."""

AgreementRef = Annotated[str, Meta(description="The id of the agreement")]
SourceRef = Annotated[str, Meta(description="Who says so: the source of the event")]

LINE = "\n"
"""Between what several agreements show of one thing: JSON in one line has no line ends."""

S = TypeVar("S")

_encoder = msgspec.json.Encoder(enc_hook=write_custom, order="deterministic")


def own_columns() -> Sequence[SchemaItem]:
    """Make the columns that say whose rows they are and who may read them."""
    return [
        Column("visibility", Word, nullable=False),
        Column("one_party", Word, index=True),
        Column("other_party", Word, index=True),
    ]


def own_values(state: Agreement) -> dict[str, Any]:
    """Give the values of these columns; an agreement whose founding event was erased has no parties.

    Computed once a state: most models begin each of their rows with them.
    """
    found: dict[str, Any] | None = state.derived.get("own values")
    if found is None:
        one, other = state.parties or (None, None)
        found = {"visibility": visibility(state), "one_party": one, "other_party": other}
        state.derived["own values"] = found
    return found


def of_party(table: Table, party: str) -> ColumnElement[bool]:
    """Keep the rows of agreements with a party."""
    return or_(table.c.one_party == party, table.c.other_party == party)


def shown_column() -> Column[str]:
    """Make the column that holds an item as it is shown, in JSON; the other columns find and sort it."""
    return Column("shown", Text, nullable=False)


def shown(item: Any) -> str:
    """Write what is shown."""
    return _encoder.encode(item).decode()


def shown_lines(items: Iterable[Any]) -> str | None:
    """Write several items, one a line; None without any. The database joins those of several agreements."""
    return LINE.join(map(shown, items)) or None


def read_lines(text: str | None, decode: Callable[[str], S]) -> list[S]:
    """Read the items that one or several agreements show."""
    return [decode(line) for line in text.split(LINE)] if text else []


def span_columns() -> Sequence[SchemaItem]:
    """Make the columns with the days on which a row holds."""
    return [Column("first", Word, nullable=False), Column("last", Word, nullable=False)]


def through_time(turning: Iterable[date], row_on: Callable[[date], dict[str, Any]]) -> list[dict[str, Any]]:
    """Make the rows of one thing so that each day has one: a new row where the row is another than before.

    ``turning`` has all days on which it can change.
    """
    found: list[dict[str, Any]] = []
    last_row: dict[str, Any] = {}
    for day in (date.min, *sorted({*turning} - {date.min})):
        row = row_on(day)
        if found and row == last_row:
            continue
        if found:
            found[-1]["last"] = (day - timedelta(days=1)).isoformat()
        last_row = row
        found.append({**row, "first": day.isoformat(), "last": LAST_DAY})
    return found


def earliest(when: Edtf | None) -> str:
    """Give the first day that a date can mean, as it is compared."""
    return FIRST_DAY if when is None or when.earliest is None else when.earliest.isoformat()


def latest(when: Edtf | None) -> str:
    """Give the last day that a date can mean, as it is compared."""
    return LAST_DAY if when is None or when.latest is None else when.latest.isoformat()
