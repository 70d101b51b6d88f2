"""Lists of a small read model: pages, cursors and the helpers that conditions are made of."""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

import msgspec
import pytest
from sqlalchemy import Column, Connection, Integer, Row, Select, event, literal, select, true
from sqlalchemy.schema import SchemaItem

from projections.conftest import begun
from registry.access import EVERYTHING, Sight
from registry.domain.agreement import Agreement
from registry.domain.events import EngagementPlanned
from registry.errors import Unavailable
from registry.projections.generations import go_live
from registry.projections.listing import (
    ForeignCursor,
    Listing,
    Source,
    _scope,
    _write_cursor,
    day_of,
    having,
    holds_on,
    meets,
    page,
    standing,
    visible,
)
from registry.projections.model import ReadModel, Rows, Word
from registry.projections.parking import SKIPPED, park, resolve
from store.conftest import Opened, planned, registered


def main_columns() -> Sequence[SchemaItem]:
    return [Column("visibility", Word, nullable=False), Column("planned", Integer, nullable=False)]


def visit_columns() -> Sequence[SchemaItem]:
    return [Column("visit", Word, nullable=False)]


def rows(state: Agreement) -> Rows:
    visits = sorted(data.engagement_id for _, data in state.of(EngagementPlanned))
    return {
        "": [{"visibility": "public", "planned": len(visits)}],
        "visit": [{"visit": visit} for visit in visits],
    }


MODEL = ReadModel("plans", 1, {"": main_columns, "visit": visit_columns}, rows)


class Filters(msgspec.Struct, frozen=True):
    visit: str | None = None
    valid_as_of: date | None = None


class Item(msgspec.Struct, frozen=True):
    id: str
    planned: int
    on: str


def query(source: Source, filters: Filters) -> Select[Any]:
    tables = source.tables(MODEL)
    main, visit = tables[""], tables["visit"]
    chosen = true() if filters.visit is None else having(main, visit, visit.c.visit == filters.visit)
    return select(main.c.agreement, main.c.planned, literal(source.on).label("day")).where(
        visible(source.sight, main), chosen
    )


def make(row: Row[Any]) -> Item:
    return Item(row.agreement, row.planned, row.day)


PLANS = Listing(
    name="plans",
    models=(MODEL,),
    filters=Filters,
    item=Item,
    query=query,
    make=make,
    sorts={"id": "agreement", "planned": "planned", "-planned": "planned"},
)


@pytest.fixture
async def plans(store: Opened) -> Opened:
    """Seven agreements: ``a0`` to ``a6``, with 0, 1, 2, 0, 1, 2, 0 visits."""
    await store.append(*(registered(f"a{i}-x") for i in range(7)))
    await store.append(*(planned(f"a{i}-x", f"v{n}") for i in range(7) for n in range(i % 3)))
    projection = begun(store, MODEL)
    while projection.step():
        pass
    with store.writing.begin() as connection:
        go_live(connection, projection.generation)
    return store


def walk(connection: Connection, filters: Filters | None = None, **options: Any) -> list[list[str]]:
    """The ids on each page of a list."""
    found, cursor = [], None
    while True:
        one = page(connection, PLANS, filters, sight=EVERYTHING, cursor=cursor, **options)
        found.append([item.id[:2] for item in one.items])
        if one.next is None:
            return found
        cursor = one.next


async def test_pages_follow_each_other_without_a_gap_in_the_order_asked_for(plans: Opened) -> None:
    with plans.reading.connect() as connection:
        assert walk(connection, limit=3) == [["a0", "a1", "a2"], ["a3", "a4", "a5"], ["a6"]]
        assert walk(connection, limit=7) == [["a0", "a1", "a2", "a3", "a4", "a5", "a6"]]
        assert walk(connection, sort="planned", limit=2) == [["a0", "a3"], ["a6", "a1"], ["a4", "a2"], ["a5"]]
        assert walk(connection, sort="-planned", limit=4) == [["a5", "a2", "a4", "a1"], ["a6", "a3", "a0"]]


async def test_filters_narrow_a_list_and_its_pages(plans: Opened) -> None:
    with plans.reading.connect() as connection:
        assert walk(connection, Filters(visit="v0"), limit=3) == [["a1", "a2", "a4"], ["a5"]]
        assert walk(connection, Filters(visit="none"), limit=3) == [[]]


async def test_what_a_list_is_made_of_is_the_same_until_something_is_recorded_or_parked(
    plans: Opened,
) -> None:
    def made_of() -> bytes:
        with plans.reading.connect() as connection:
            now = standing(connection, PLANS, sight=EVERYTHING)
            narrow = standing(connection, PLANS, sight=Sight(parts=False, restricted=False))
            assert (narrow.position, narrow.made_of != now.made_of) == (now.position, True)
        assert now.position == 13
        return now.made_of

    first = made_of()
    assert made_of() == first
    with plans.writing.begin() as connection:
        park(connection, MODEL, "a1-x", 8, "ValueError")
    parked = made_of()
    with plans.writing.begin() as connection:
        assert resolve(connection, MODEL, "a1-x", SKIPPED)
    assert made_of() == first != parked
    await plans.append(planned("a0-x", "v9"))
    assert made_of() not in (first, parked)


async def test_what_a_list_is_made_of_nobody_knows_while_it_is_built(store: Opened) -> None:
    with store.reading.connect() as connection, pytest.raises(Unavailable, match="plans is being built"):
        standing(connection, PLANS, sight=EVERYTHING)


async def test_only_a_list_that_nobody_has_narrowed_has_the_length_of_its_page_in_the_statement(
    plans: Opened,
) -> None:
    asked: list[str] = []

    @event.listens_for(plans.reading, "before_cursor_execute")
    def keep(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        asked.append(" ".join(statement.split()))

    for filters in (Filters(), Filters(valid_as_of=date(2020, 1, 1)), Filters(visit="v1")):
        with plans.reading.connect() as connection:
            page(connection, PLANS, filters, sight=EVERYTHING, limit=6)
    lists = [statement for statement in asked if "LIMIT" in statement]
    assert [" LIMIT 7" in statement for statement in lists] == [True, True, False]


async def test_a_page_says_how_far_its_read_model_has_come(plans: Opened) -> None:
    with plans.reading.connect() as connection:
        assert page(connection, PLANS, sight=EVERYTHING).position == 13


async def test_a_list_is_for_the_day_asked_for_or_for_today(plans: Opened) -> None:
    with plans.reading.connect() as connection:
        then = page(connection, PLANS, Filters(valid_as_of=date(2025, 7, 16)), sight=EVERYTHING, limit=1)
    assert then.items[0].on == "2025-07-16"
    before = datetime.now(UTC).date()
    assert before <= day_of(Filters()) <= datetime.now(UTC).date()
    assert day_of(Item("no such field", 0, "")) >= before


async def test_a_cursor_holds_for_its_own_list_filters_and_order_alone(plans: Opened) -> None:
    with plans.reading.connect() as connection:
        cursor = page(connection, PLANS, sight=EVERYTHING, limit=1).next
        assert cursor is not None
        assert page(connection, PLANS, sight=EVERYTHING, cursor=cursor, limit=1).items[0].id == "a1-x"
        with pytest.raises(ForeignCursor):
            page(connection, PLANS, sight=EVERYTHING, cursor=cursor, sort="planned")
        with pytest.raises(ForeignCursor):
            page(connection, PLANS, Filters(visit="v0"), sight=EVERYTHING, cursor=cursor)
        other = Listing(
            name="others",
            models=(MODEL,),
            filters=Filters,
            item=Item,
            query=query,
            make=make,
            sorts=PLANS.sorts,
        )
        with pytest.raises(ForeignCursor):
            page(connection, other, sight=EVERYTHING, cursor=cursor)


async def test_what_is_no_cursor_is_refused(plans: Opened) -> None:
    with plans.reading.connect() as connection:
        cursor = page(connection, PLANS, sight=EVERYTHING, limit=1).next
        assert cursor is not None
        raw = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        forged = [
            "",
            "x",
            "é",
            "!" + cursor,
            cursor + "=",
            cursor[:-1],
            cursor[1:],
            urlsafe_b64encode(raw[:9]).decode(),
            urlsafe_b64encode(raw[:9] + b'["a9-x"]').decode().rstrip("="),
            urlsafe_b64encode(raw[:9] + b"{}").decode().rstrip("="),
        ]
        for text in forged:
            with pytest.raises(ForeignCursor):
                page(connection, PLANS, sight=EVERYTHING, cursor=text)


SEALED: list[tuple[str, list[Any]]] = [
    ("id", []),
    ("id", [5]),
    ("id", ["a", "b"]),
    ("id", ["a\0"]),
    ("planned", ["a", "b"]),
    ("planned", [1]),
    ("planned", [1, 2]),
    ("-planned", [2**31, "a"]),
    ("-planned", [-(2**31) - 1, "a"]),
]


@pytest.mark.parametrize(("sort", "values"), SEALED)
async def test_a_cursor_is_refused_that_somebody_else_has_sealed(
    plans: Opened, sort: str, values: list[Any]
) -> None:
    cursor = _write_cursor(_scope(PLANS, PLANS.filters(), sort), values)
    with plans.reading.connect() as connection, pytest.raises(ForeignCursor):
        page(connection, PLANS, sight=EVERYTHING, sort=sort, cursor=cursor)


async def test_a_list_of_a_read_model_that_is_not_built_yet_is_unavailable(store: Opened) -> None:
    begun(store, MODEL)
    with store.reading.connect() as connection, pytest.raises(Unavailable):
        page(connection, PLANS, sight=EVERYTHING)


async def test_days_are_compared_with_open_ends(store: Opened) -> None:
    def meet(earliest: str, latest: str, start: date | None, end: date | None) -> bool:
        return bool(connection.scalar(select(meets(literal(earliest), literal(latest), start, end))))

    with store.reading.connect() as connection:
        assert meet("2025-01-01", "2025-12-31", date(2025, 7, 1), date(2025, 7, 31))
        assert meet("2025-01-01", "2025-12-31", None, date(2025, 1, 1))
        assert meet("2025-01-01", "2025-12-31", date(2025, 12, 31), None)
        assert meet("2025-01-01", "2025-12-31", None, None)
        assert not meet("2025-01-01", "2025-12-31", date(2026, 1, 1), None)
        assert not meet("2025-01-01", "2025-12-31", None, date(2024, 12, 31))


def test_days_of_a_span_hold_its_first_and_its_last() -> None:
    from sqlalchemy import MetaData, Table

    spans = Table("spans", MetaData(), Column("first", Word), Column("last", Word))
    compiled = str(holds_on(spans, "2025-07-16"))
    assert "first <= " in compiled
    assert "last >= " in compiled
