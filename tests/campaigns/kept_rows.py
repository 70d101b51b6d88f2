"""The rows of all read models of a store, and that they are those of a rebuild."""

import asyncio
import re
from typing import Any

from sqlalchemy import Engine, select

from registry.projections.catalogue import CATALOGUE
from registry.projections.model import ReadModel
from registry.projections.parking import waiting
from registry.projections.rebuild import check, rebuild
from registry.projections.views import live_of
from store.conftest import Opened

Table = list[str]
Rows = dict[str, Table]

PLACES = {"id", "position", "recorded_at"}
"""Columns that say where in the log something stands, or when it was recorded."""


def rows_of(engine: Engine, model: ReadModel, *, leaving: set[str] = frozenset()) -> Rows:  # type: ignore[assignment]
    """All rows of the live generation, as often as they are there, by table."""
    with engine.connect() as connection:
        tables = live_of(connection, model).tables(connection)
        return {
            f"{model.name}/{name}": sorted(
                repr({column: value for column, value in row._mapping.items() if column not in leaving})
                for row in connection.execute(select(table))
            )
            for name, table in tables.items()
        }


def every_row(engine: Engine) -> Rows:
    """All rows of all read models."""
    return {name: rows for model in CATALOGUE for name, rows in rows_of(engine, model).items()}


def rows_without_places(engine: Engine) -> Rows:
    """All rows, without what depends on where the events stand in the log and on when they were recorded."""
    return {
        name: sorted(_without_places(row) for row in rows)
        for model in CATALOGUE
        for name, rows in rows_of(engine, model, leaving=PLACES).items()
    }


def _without_places(row: str) -> str:
    return without_times(re.sub(r'"position":\d+', '"position":0', row))


def without_times(shown: str) -> str:
    """Leave out when something was recorded: RFC 3339 with microseconds, or microseconds since 1970."""
    return re.sub(r"\b1[789]\d{14}\b|\b20\d\d-\d\d-\d\dT[0-9:.]+Z", "then", shown)


async def assert_as_rebuilt(store: Opened) -> None:
    """Nothing is parked, a check finds no difference, and a rebuild has each row as often as it was there."""
    for model in CATALOGUE:
        with store.reading.connect() as connection:
            assert waiting(connection, model) == []
            assert live_of(connection, model).position == store.reader.head().size, model.name
        assert await asyncio.to_thread(check, store.writing, store.reader, model) == []
        kept = rows_of(store.reading, model)
        await asyncio.to_thread(rebuild, store.writing, store.reader, model)
        assert rows_of(store.reading, model) == kept


def filled(rows: Rows) -> set[str]:
    """The tables that have any rows: a comparison of empty ones would say little."""
    return {name for name, table in rows.items() if table}


def only_differences(one: Rows, other: Rows) -> dict[str, Any]:
    """What is in one and not in the other, by table: empty when they are alike."""
    return {
        name: sorted(set(one[name]) ^ set(other[name]))[:4]
        for name in one.keys() | other.keys()
        if one[name] != other[name]
    }
