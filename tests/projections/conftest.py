"""A small read model, and a log to build it from."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
from sqlalchemy import BigInteger, Column, Engine, Text, select
from sqlalchemy.schema import SchemaItem

from registry.domain.agreement import Agreement
from registry.domain.events import EngagementPlanned
from registry.projections.generations import Generation, begin_generation, fence_off, live
from registry.projections.model import ReadModel, Rows
from registry.projections.step import Projection
from registry.store.leases import acquire
from store.conftest import Opened


class Poison(Exception):
    """What making the rows of a poisoned agreement raises."""


class Visits:
    """Makes the rows of the model below; agreements in ``poisoned`` fail, those in ``refused`` do not fit."""

    def __init__(self) -> None:
        self.poisoned: set[str] = set()
        self.refused: set[str] = set()
        self.made = 0

    def __call__(self, state: Agreement) -> Rows:
        self.made += 1
        if state.id in self.poisoned:
            raise Poison("a text that must not be noted")
        visits = [data.engagement_id for _, data in state.of(EngagementPlanned)]
        events = None if state.id in self.refused else len(state.recorded)
        return {"": [{"events": events}], "visit": [{"visit": visit} for visit in sorted(visits)]}


def main_columns() -> Sequence[SchemaItem]:
    return [Column("events", BigInteger, nullable=False)]


def visit_columns() -> Sequence[SchemaItem]:
    return [Column("visit", Text, nullable=False, index=True)]


@pytest.fixture
def visits() -> Visits:
    return Visits()


@pytest.fixture
def model(visits: Visits) -> ReadModel:
    return ReadModel("visits", 1, {"": main_columns, "visit": visit_columns}, visits)


@pytest.fixture
async def store(database_url: str) -> AsyncIterator[Opened]:
    """A sequencer, with its engines, on each kind of database."""
    opened = Opened(database_url)
    opened.sequencer.start()
    yield opened
    await opened.close()


def begun(store: Opened, model: ReadModel, **options: Any) -> Projection:
    """A projection with the lease and the first generation, not yet live."""
    held = acquire(store.writing, model.lease, owner="a test")
    assert held is not None
    with store.writing.begin() as connection:
        generation = fence_off(connection, begin_generation(connection, model, held.fence), held)
    return Projection(store.writing, store.reader, generation, **options)


def rows_of(engine: Engine, generation: Generation | None) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of a generation, in a fixed order."""
    assert generation is not None
    with engine.connect() as connection:
        return {
            name: sorted(tuple(row) for row in connection.execute(select(table)))
            for name, table in generation.tables(connection).items()
        }


def live_rows(engine: Engine, model: ReadModel) -> dict[str, list[tuple[Any, ...]]]:
    with engine.connect() as connection:
        generation = live(connection, model)
    return rows_of(engine, generation)
