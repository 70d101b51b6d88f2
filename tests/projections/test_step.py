from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from sqlalchemy import Engine

from projections.conftest import Visits, begun, rows_of
from registry.errors import Unavailable
from registry.projections.generations import Generation, Overtaken, fence_off
from registry.projections.model import ReadModel
from registry.projections.parking import RETRY, SKIPPED, resolve, waiting
from registry.projections.step import Projection
from registry.store.leases import Held
from store.conftest import Opened, planned, registered


@contextmanager
def no_room(engine: Engine, generation: Generation) -> Iterator[None]:
    """Let the database say of some rows that its disk is full."""
    if engine.dialect.name == "sqlite":
        with engine.begin() as connection:
            pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
            connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        yield
        with engine.begin() as connection:
            connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
        return
    with engine.begin() as connection:
        table = generation.tables(connection)["visit"].fullname
        connection.exec_driver_sql(
            "CREATE FUNCTION no_room() RETURNS trigger LANGUAGE plpgsql AS "
            "$$BEGIN RAISE EXCEPTION USING ERRCODE = 'disk_full'; END$$"
        )
        connection.exec_driver_sql(
            f"CREATE TRIGGER no_room BEFORE INSERT ON {table} EXECUTE FUNCTION no_room()"
        )
    yield
    with engine.begin() as connection:
        connection.exec_driver_sql(f"DROP TRIGGER no_room ON {table}")


async def test_a_step_makes_the_rows_of_what_moved_and_remembers_how_far_it_came(
    store: Opened, model: ReadModel
) -> None:
    projection = begun(store, model)
    assert projection.step() == 0
    await store.append(registered("one"), planned("one", "v1"), registered("two"))
    assert projection.step() == 3
    assert projection.step() == 0
    assert projection.generation.position == 3
    assert rows_of(store.writing, projection.generation) == {
        "": [("one", 2), ("two", 1)],
        "visit": [("one", "v1")],
    }
    await store.append(planned("two", "v2"), planned("two", "v1"))
    assert projection.step() == 2
    assert rows_of(store.writing, projection.generation)["visit"] == [
        ("one", "v1"),
        ("two", "v1"),
        ("two", "v2"),
    ]


async def test_any_way_of_cutting_the_log_leads_to_the_same_rows(store: Opened, model: ReadModel) -> None:
    await store.append(registered("one"), registered("two"))
    await store.append(*(planned(f"{'one' if i % 3 else 'two'}", f"v{i}") for i in range(30)))
    whole, cut = begun(store, model), begun(store, model)
    while whole.step():
        pass
    while cut.step(batch=3):
        pass
    assert rows_of(store.writing, whole.generation) == rows_of(store.writing, cut.generation)


async def test_an_agreement_is_not_made_again_for_events_that_its_rows_know_already(
    store: Opened, model: ReadModel, visits: Visits
) -> None:
    await store.append(registered("one"), *(planned("one", f"v{i}") for i in range(20)))
    projection = begun(store, model)
    while projection.step(batch=5):
        pass
    assert visits.made == 1


async def test_others_may_go_on_after_each_agreement_whose_rows_are_made(
    store: Opened, model: ReadModel
) -> None:
    eased = 0

    def ease() -> None:
        nonlocal eased
        eased += 1

    await store.append(registered("one"), registered("two"), registered("three"), planned("one", "v1"))
    projection = Projection(store.writing, store.reader, begun(store, model).generation, ease=ease)
    projection.step()
    assert eased == 3


@pytest.mark.parametrize("point", ["read", "made", "advanced", "written", "committed"])
async def test_a_projection_that_dies_at_any_point_ends_with_the_same_rows(
    store: Opened, model: ReadModel, point: str
) -> None:
    class Died(BaseException):
        pass

    def die(at: str) -> None:
        if at == point:
            raise Died

    await store.append(registered("one"), planned("one", "v1"), registered("two"))
    undisturbed = begun(store, model)
    undisturbed.step()
    dying = begun(store, model, fault=die)
    with pytest.raises(Died):
        dying.step()
    with store.writing.begin() as connection:
        from registry.projections.generations import generations

        (found,) = [g for g in generations(connection, model) if g.number == dying.generation.number]
    assert found.position == (3 if point == "committed" else 0)
    successor = Projection(store.writing, store.reader, found)
    while successor.step():
        pass
    assert rows_of(store.writing, successor.generation) == rows_of(store.writing, undisturbed.generation)


async def test_a_runner_that_was_overtaken_applies_nothing(store: Opened, model: ReadModel) -> None:
    await store.append(registered("one"))
    slow = begun(store, model)
    with store.writing.begin() as connection:
        later = fence_off(
            connection, slow.generation, Held(model.lease, "another", slow.generation.fence + 1)
        )
    quick = Projection(store.writing, store.reader, later)
    assert quick.step() == 1
    with pytest.raises(Overtaken):
        slow.step()
    with store.writing.begin() as connection, pytest.raises(Overtaken):
        fence_off(connection, slow.generation, Held(model.lease, "the first", slow.generation.fence))
    assert rows_of(store.writing, quick.generation)[""] == [("one", 1)]


async def test_a_poison_event_parks_its_agreement_and_the_others_go_on(
    store: Opened, model: ReadModel, visits: Visits
) -> None:
    projection = begun(store, model)
    visits.poisoned.add("two")
    await store.append(registered("one"), registered("two"), registered("three"))
    assert projection.step() == 3
    assert [row[0] for row in rows_of(store.writing, projection.generation)[""]] == ["one", "three"]
    with store.reading.connect() as connection:
        (parked,) = waiting(connection, model)
    assert (parked.stream, parked.from_position, parked.error) == ("two", 3, "Poison")
    visits.poisoned.clear()
    await store.append(planned("two", "v1"), planned("one", "v1"))
    projection.step()
    assert "two" not in [row[0] for row in rows_of(store.writing, projection.generation)[""]]


async def test_what_the_database_refuses_parks_its_agreement_and_the_others_are_written(
    store: Opened, model: ReadModel, visits: Visits
) -> None:
    projection = begun(store, model)
    visits.refused.add("two")
    await store.append(registered("one"), registered("two"), registered("three"))
    assert projection.step() == 3
    assert [row[0] for row in rows_of(store.writing, projection.generation)[""]] == ["one", "three"]
    with store.reading.connect() as connection:
        assert [parked.error for parked in waiting(connection, model)] == ["IntegrityError"]


async def test_a_database_without_room_parks_nothing_and_is_tried_again(
    store: Opened, model: ReadModel
) -> None:
    projection = begun(store, model)
    await store.append(registered("one"), *(planned("one", f"a-long-name-{i}") for i in range(300)))
    with no_room(store.writing, projection.generation), pytest.raises(Unavailable):
        projection.step()
    assert projection.generation.position == 0
    with store.reading.connect() as connection:
        assert waiting(connection, model) == []
    assert projection.step() == 301
    assert len(rows_of(store.writing, projection.generation)["visit"]) == 300


async def test_a_parked_agreement_is_tried_again_when_somebody_says_so(
    store: Opened, model: ReadModel, visits: Visits
) -> None:
    projection = begun(store, model)
    visits.poisoned.add("one")
    await store.append(registered("one"))
    projection.step()
    with store.writing.begin() as connection:
        assert resolve(connection, model, "one", RETRY)
        assert not resolve(connection, model, "another", RETRY)
    projection.step()
    with store.reading.connect() as connection:
        assert [parked.resolution for parked in waiting(connection, model)] == [None]
    visits.poisoned.clear()
    with store.writing.begin() as connection:
        resolve(connection, model, "one", RETRY)
    projection.step()
    assert rows_of(store.writing, projection.generation)[""] == [("one", 1)]
    with store.reading.connect() as connection:
        assert waiting(connection, model) == []


async def test_a_skipped_agreement_goes_on_with_its_next_event(
    store: Opened, model: ReadModel, visits: Visits
) -> None:
    projection = begun(store, model)
    visits.poisoned.add("one")
    await store.append(registered("one"))
    projection.step()
    visits.poisoned.clear()
    with store.writing.begin() as connection:
        resolve(connection, model, "one", SKIPPED)
    assert projection.step() == 0
    assert rows_of(store.writing, projection.generation)[""] == []
    await store.append(planned("one", "v1"))
    projection.step()
    assert rows_of(store.writing, projection.generation)[""] == [("one", 2)]
