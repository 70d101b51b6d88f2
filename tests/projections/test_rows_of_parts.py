"""What holds for the rows of every read model of parts: they follow from the state, however it came about."""

import random
import re
from typing import Any

import pytest
from sqlalchemy import select

from projections.reading import AGREEMENT, Stream, build, told
from registry.domain.agreement import Agreement, evolve
from registry.domain.envelope import Posted, Recorded
from registry.projections.activity import ACTIVITY
from registry.projections.catalogue import CATALOGUE
from registry.projections.engagements import ENGAGEMENTS
from registry.projections.facts import FACTS
from registry.projections.follow_ups import FOLLOW_UPS
from registry.projections.institutions_and_people import INSTITUTIONS_AND_PEOPLE
from registry.projections.model import ReadModel
from registry.projections.publications import PUBLICATIONS
from registry.projections.sources import SOURCES
from registry.projections.views import live_of
from store.conftest import Opened

MODELS = (ACTIVITY, ENGAGEMENTS, FACTS, FOLLOW_UPS, INSTITUTIONS_AND_PEOPLE, PUBLICATIONS, SOURCES)

each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)


def state_of(events: list[Posted]) -> Agreement:
    state: Agreement | None = None
    for place, event in enumerate(events, start=1):
        recorded = Recorded(place, place, 0, event.source, event.id, event.type, event.subject, event.data)
        state = evolve(state, recorded)
    assert state is not None
    return state


def without_positions(rows: Any) -> str:
    return re.sub(r'"position":\d+', '"position":0', repr(rows))


@each_model
def test_the_order_of_arrival_does_not_show_in_the_rows(model: ReadModel) -> None:
    founding, *others = told()
    expected = without_positions(model.rows(state_of([founding, *others])))
    for seed in range(3):
        random.Random(seed).shuffle(others)
        assert without_positions(model.rows(state_of([founding, *others]))) == expected


@each_model
def test_either_report_may_come_first(model: ReadModel) -> None:
    one = without_positions(model.rows(state_of(told("report_a", "report_b"))))
    assert without_positions(model.rows(state_of(told("report_b", "report_a")))) == one


@each_model
def test_nothing_of_the_founding_event_is_needed(model: ReadModel) -> None:
    log = Stream("one")
    founding = log.events[0]
    log.signed("2025-07-16")
    log.correct(founding, **log.body(founding))
    log.erase(founding, 0)
    assert model.rows(log.state) is not None  # type: ignore[arg-type]  # it has been registered
    log.post("agreement-retracted", reason="It was never made.")
    assert model.rows(log.state) is not None  # type: ignore[arg-type]


@each_model
def test_a_main_row_says_who_may_read_it(model: ReadModel) -> None:
    rows = model.rows(state_of(told()))
    assert {row["visibility"] for row in rows[""]} <= {"public"}
    log = Stream("two", visibility="restricted")
    assert {row["visibility"] for row in model.rows(log.state)[""]} <= {"restricted"}  # type: ignore[arg-type]


def test_each_is_in_the_catalogue() -> None:
    assert set(MODELS) <= set(CATALOGUE)


async def test_the_tables_hold_what_the_state_says(store: Opened) -> None:
    await store.append(*told())
    await build(store, *MODELS)
    state = store.reader.agreement(AGREEMENT)
    assert state is not None
    with store.reading.connect() as connection:
        for model in MODELS:
            tables = live_of(connection, model).tables(connection)
            for name, rows in model.rows(state).items():
                found = connection.execute(select(tables[name])).mappings()
                expected = [{"agreement": AGREEMENT, **row} for row in rows]
                assert sorted(map(dict, found), key=key) == sorted(expected, key=key), (model.name, name)


def key(row: dict[str, Any]) -> str:
    return str(sorted(row.items()))
