import pytest

from projections.conftest import Visits, begun
from registry.errors import NotFound, Unavailable
from registry.projections.generations import go_live
from registry.projections.model import ReadModel
from registry.projections.operate import Operator
from store.conftest import Opened, planned, registered


@pytest.fixture
def operator(store: Opened, model: ReadModel) -> Operator:
    return Operator(store.writing, store.reader, (model,))


async def test_the_status_tells_how_far_each_generation_has_come_and_what_is_parked(
    store: Opened, model: ReadModel, visits: Visits, operator: Operator
) -> None:
    (status,) = operator.status()
    assert (status.ready, status.generations, status.parked) == (False, (), ())
    projection = begun(store, model)
    visits.poisoned.add("two")
    await store.append(registered("one"), registered("two"))
    projection.step()
    await store.append(planned("one", "v1"))
    (status,) = operator.status()
    (generation,) = status.generations
    assert (status.ready, generation.state, generation.position, generation.behind) == (
        False,
        "building",
        2,
        1,
    )
    assert [parked.stream for parked in status.parked] == ["two"]
    with store.writing.begin() as connection:
        go_live(connection, projection.generation)
    assert operator.status()[0].ready


async def test_a_parked_agreement_is_retried_or_skipped_by_name(
    store: Opened, model: ReadModel, visits: Visits, operator: Operator
) -> None:
    projection = begun(store, model)
    visits.poisoned |= {"one", "two"}
    await store.append(registered("one"), registered("two"))
    projection.step()
    visits.poisoned.clear()
    operator.retry("visits", "one")
    operator.skip("visits", "two")
    projection.step()
    assert operator.status()[0].parked == ()
    with pytest.raises(NotFound, match="not parked"):
        operator.retry("visits", "one")


async def test_a_rebuild_and_a_check_go_by_the_name_of_the_model(
    store: Opened, model: ReadModel, operator: Operator
) -> None:
    await store.append(registered("one"))
    assert operator.rebuild("visits") == 1
    assert operator.check("visits") == []
    for act in (operator.rebuild, operator.check):
        with pytest.raises(NotFound, match="there are visits"):
            act("visitors")


async def test_without_an_engine_to_write_with_only_the_status_is_read(
    store: Opened, model: ReadModel
) -> None:
    reading = Operator(None, store.reader, (model,))
    assert reading.status()[0].name == "visits"
    with pytest.raises(Unavailable, match="read only"):
        reading.rebuild("visits")
    with pytest.raises(Unavailable, match="read only"):
        reading.skip("visits", "one")
