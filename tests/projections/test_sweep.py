import threading

import pytest

from projections.conftest import Visits, begun, rows_of
from registry.projections.generations import Overtaken, advance
from registry.projections.model import ReadModel
from registry.projections.parking import waiting
from registry.projections.sweep import sweep
from store.conftest import Opened, planned, registered


async def test_a_pass_by_any_stretch_gives_the_rows_of_single_steps(store: Opened, model: ReadModel) -> None:
    await store.append(
        registered("one"),
        *(planned("one", f"v{i}") for i in range(5)),
        registered("two"),
        planned("one", "v9"),
    )
    stepped = begun(store, model)
    while stepped.step(1):
        pass
    for stretch in (1, 3, 100):
        swept = begun(store, model, afresh=True)
        reached: list[int] = []
        sweep(store.writing, store.reader, [swept], reached.append, stretch)
        assert rows_of(store.writing, swept.generation) == rows_of(store.writing, stepped.generation)
        assert reached == sorted(reached)
        assert reached[-1] == swept.generation.position == 8


async def test_an_agreement_is_made_once_though_it_moves_in_every_stretch(
    store: Opened, model: ReadModel, visits: Visits
) -> None:
    await store.append(registered("one"), *(planned("one", f"v{i}") for i in range(9)))
    sweep(store.writing, store.reader, [begun(store, model, afresh=True)], lambda _: None, 2)
    assert visits.made == 1


async def test_several_models_are_built_from_what_was_folded_once(
    store: Opened, model: ReadModel, visits: Visits, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = ReadModel("others", 1, model.columns, visits)
    await store.append(registered("one"), planned("one", "v1"), registered("two"))
    asked: list[list[str]] = []
    read = store.reader.agreements
    monkeypatch.setattr(
        store.reader, "agreements", lambda wanted: (asked.append(sorted(wanted)), read(wanted))[1]
    )
    both = [begun(store, model, afresh=True), begun(store, other, afresh=True)]
    sweep(store.writing, store.reader, both, lambda _: None)
    assert asked == [["one", "two"]]
    one, two = (rows_of(store.writing, each.generation) for each in both)
    assert one == two
    assert one["visit"] == [("one", "v1")]


async def test_the_next_stretch_is_made_while_one_is_written(
    store: Opened, model: ReadModel, visits: Visits
) -> None:
    await store.append(registered("one"), registered("two"))
    second_made = threading.Event()

    def fault(point: str) -> None:
        if point == "advanced" and swept.generation.position == 0:
            assert second_made.wait(10)

    swept = begun(store, model, afresh=True, fault=fault)
    made = swept.make

    def make(states: dict[str, object], after: int) -> object:
        if after == 1:
            second_made.set()
        return made(states, after)  # type: ignore[arg-type]  # whatever it was called with

    swept.make = make  # type: ignore[method-assign,assignment]  # to see when it is called
    sweep(store.writing, store.reader, [swept], lambda _: None, 1)
    assert swept.generation.position == 2


async def test_what_fails_in_writing_ends_the_pass_and_leaves_what_was_committed(
    store: Opened, model: ReadModel
) -> None:
    await store.append(registered("one"), registered("two"), registered("three"))
    swept = begun(store, model, afresh=True)

    def overtake(position: int) -> None:
        if position == 1:
            with store.writing.begin() as connection:
                advance(connection, swept.generation, 3)

    with pytest.raises(Overtaken):
        sweep(store.writing, store.reader, [swept], overtake, 1)
    assert swept.generation.position == 1
    assert rows_of(store.writing, swept.generation)[""] == [("one", 1)]


async def test_poison_and_what_the_database_refuses_are_parked_and_the_rest_is_built(
    store: Opened, model: ReadModel, visits: Visits
) -> None:
    visits.poisoned.add("one")
    visits.refused.add("two")
    await store.append(registered("one"), registered("two"), registered("three"))
    swept = begun(store, model, afresh=True)
    sweep(store.writing, store.reader, [swept], lambda _: None, 2)
    assert rows_of(store.writing, swept.generation)[""] == [("three", 1)]
    with store.reading.connect() as connection:
        assert sorted(each.stream for each in waiting(connection, model)) == ["one", "two"]
    assert swept.mended == {"three"}


async def test_a_stretch_is_written_for_all_models_or_for_none(
    store: Opened, model: ReadModel, visits: Visits
) -> None:
    other = ReadModel("others", 1, model.columns, visits)
    await store.append(registered("one"), registered("two"))
    overtaken = begun(store, other, afresh=True)
    with store.writing.begin() as connection:
        advance(connection, overtaken.generation, 2)
    first = begun(store, model, afresh=True)
    with pytest.raises(Overtaken):
        sweep(store.writing, store.reader, [first, overtaken], lambda _: None)
    assert first.generation.position == 0
    assert rows_of(store.writing, first.generation)[""] == []
