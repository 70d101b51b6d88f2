import asyncio
import itertools
from typing import Any

import pytest
from sqlalchemy import update

from projections.conftest import Visits, begun, live_rows, rows_of
from registry.errors import Unavailable
from registry.projections import rebuild as rebuilding
from registry.projections.generations import (
    Overtaken,
    begin_generation,
    discard,
    discard_retired,
    generations,
    go_live,
    live,
)
from registry.projections.model import ReadModel
from registry.projections.parking import SKIPPED, resolve, waiting
from registry.projections.rebuild import check, rebuild
from registry.projections.step import Projection
from registry.store.leases import acquire
from store.conftest import Opened, planned, registered


def gone_live(store: Opened, projection: Projection) -> Projection:
    while projection.step():
        pass
    with store.writing.begin() as connection:
        projection.generation = go_live(connection, projection.generation)
    return projection


async def test_a_rebuild_gives_the_same_rows_and_retires_the_old_ones(
    store: Opened, model: ReadModel
) -> None:
    await store.append(registered("one"), planned("one", "v1"), registered("two"))
    old = gone_live(store, begun(store, model))
    seen: list[tuple[int, int]] = []
    number = await asyncio.to_thread(
        rebuild, store.writing, store.reader, model, lambda at, of: seen.append((at, of))
    )
    assert number == old.generation.number + 1
    assert seen[-1] == (3, 3)
    assert live_rows(store.writing, model) == rows_of(store.writing, old.generation)
    with store.writing.begin() as connection:
        assert [g.state.partition(":")[0] for g in generations(connection, model)] == ["retired", "live"]
        assert discard_retired(connection, model) == 0
        assert discard_retired(connection, model, kept=0) == 1
        assert [g.number for g in generations(connection, model)] == [number]


async def test_a_rebuild_while_writers_post_loses_nothing_and_serves_the_old_rows_until_the_switch(
    store: Opened, model: ReadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "STRETCH", 20)
    await store.append(registered("one"), *(planned("one", f"v{i}") for i in range(200)))
    running = gone_live(store, begun(store, model))

    async def post() -> None:
        """Post until the switch, which the live runner notices when its generation is retired."""
        for posted in itertools.count():
            await store.append(planned("one", f"more-{posted}"))
            try:
                await asyncio.to_thread(running.step)
            except Overtaken:
                return

    posting = asyncio.create_task(post())

    def served(*_: Any) -> None:
        assert len(live_rows(store.reading, model)["visit"]) >= 200

    await asyncio.to_thread(rebuild, store.writing, store.reader, model, served)
    await posting
    with store.writing.begin() as connection:
        standing = live(connection, model)
    assert standing is not None
    projection = Projection(store.writing, store.reader, standing)
    while projection.step():
        pass
    state = store.reader.agreement("one")
    assert state is not None
    assert live_rows(store.writing, model)[""] == [("one", state.version)]


async def test_a_rebuild_tries_again_what_was_skipped_or_parked(
    store: Opened, model: ReadModel, visits: Visits
) -> None:
    projection = begun(store, model)
    visits.poisoned |= {"one", "two"}
    await store.append(registered("one"), registered("two"))
    gone_live(store, projection)
    with store.writing.begin() as connection:
        resolve(connection, model, "one", SKIPPED)
    visits.poisoned.clear()
    await asyncio.to_thread(rebuild, store.writing, store.reader, model)
    assert live_rows(store.writing, model)[""] == [("one", 1), ("two", 1)]
    with store.reading.connect() as connection:
        assert waiting(connection, model) == []


async def test_two_processes_do_not_rebuild_one_model_at_once(store: Opened, model: ReadModel) -> None:
    assert acquire(store.writing, f"{model.lease}/rebuild", owner="another process")
    with pytest.raises(Unavailable, match="being rebuilt"):
        rebuild(store.writing, store.reader, model)


async def test_one_process_does_not_rebuild_a_model_twice_at_once(store: Opened, model: ReadModel) -> None:
    await store.append(registered("one"))

    def again(*_: Any) -> None:
        with pytest.raises(Unavailable, match="being rebuilt"):
            rebuild(store.writing, store.reader, model)

    assert rebuild(store.writing, store.reader, model, again) == 1
    assert rebuild(store.writing, store.reader, model, again) == 2


async def test_a_rebuild_whose_rows_another_has_begun_anew_leaves_the_live_ones(
    store: Opened, model: ReadModel
) -> None:
    await store.append(registered("one"))
    old = gone_live(store, begun(store, model))

    def overtake(*_: Any) -> None:
        """Do what a second rebuild does first, when the lease of this one has run out."""
        with store.writing.begin() as connection:
            (mine,) = [each for each in generations(connection, model) if each.state == "building"]
            discard(connection, mine)
            assert begin_generation(connection, model, mine.fence - 1).number == mine.number

    with pytest.raises(Unavailable, match="taken over"):
        rebuild(store.writing, store.reader, model, overtake)
    with store.reading.connect() as connection:
        standing = live(connection, model)
    assert standing == old.generation
    assert live_rows(store.reading, model)[""] == [("one", 1)]


async def test_a_rebuild_that_was_interrupted_is_begun_anew(store: Opened, model: ReadModel) -> None:
    await store.append(registered("one"))
    gone_live(store, begun(store, model))
    left = begun(store, model)
    rebuild(store.writing, store.reader, model)
    with store.writing.begin() as connection:
        numbers = [(g.number, g.state.partition(":")[0]) for g in generations(connection, model)]
    assert numbers == [(1, "retired"), (2, "live")]
    assert left.generation.number == 2


async def test_checking_finds_no_difference_where_there_is_none(store: Opened, model: ReadModel) -> None:
    await store.append(registered("one"), planned("one", "v1"))
    old = gone_live(store, begun(store, model))
    assert check(store.writing, store.reader, model) == []
    with store.writing.begin() as connection:
        assert [g.number for g in generations(connection, model)] == [old.generation.number]


async def test_checking_names_the_rows_that_differ(store: Opened, model: ReadModel) -> None:
    await store.append(registered("one"), registered("two"))
    old = gone_live(store, begun(store, model))
    with store.writing.begin() as connection:
        table = old.generation.tables(connection)[""]
        connection.execute(update(table).where(table.c.agreement == "two").values(events=7))
    differences = check(store.writing, store.reader, model)
    assert [(d.agreement, d.found, d.row["events"]) for d in differences] == [
        ("two", "live only", 7),
        ("two", "rebuilt only", 1),
    ]


@pytest.mark.parametrize("followed", [True, False])
async def test_checking_while_writers_post_finds_what_is_wrong_and_not_what_has_just_moved(
    store: Opened, model: ReadModel, monkeypatch: pytest.MonkeyPatch, followed: bool
) -> None:
    monkeypatch.setattr(rebuilding, "PAUSE", 0.0)
    await store.append(registered("one"), registered("two"), registered("three"))
    running = gone_live(store, begun(store, model))
    with store.writing.begin() as connection:
        table = running.generation.tables(connection)[""]
        connection.execute(update(table).where(table.c.agreement == "two").values(events=7))
    if not followed:
        await store.append(planned("one", "v9"), registered("nine"))
    loop, posted = asyncio.get_running_loop(), itertools.count()

    def post(*_: Any) -> None:
        """Post behind what was made anew, up to three times; whoever keeps the live rows goes on, or does not."""
        if (number := next(posted)) < 3:
            visit = store.append(planned("one", f"v{number}"), registered(f"new-{number}"))
            asyncio.run_coroutine_threadsafe(visit, loop).result(10)
            while followed and running.step():
                pass

    differences = await asyncio.to_thread(check, store.writing, store.reader, model, post)
    assert next(posted) >= 3
    assert [(d.agreement, d.found, d.row["events"]) for d in differences] == [
        ("two", "live only", 7),
        ("two", "rebuilt only", 1),
    ]


async def test_checking_parks_nothing(store: Opened, model: ReadModel, visits: Visits) -> None:
    await store.append(registered("one"), registered("two"), registered("three"))
    gone_live(store, begun(store, model))
    visits.poisoned.add("one")
    visits.refused.add("two")
    found = await asyncio.to_thread(check, store.writing, store.reader, model)
    assert [(each.agreement, each.found) for each in found] == [("one", "live only"), ("two", "live only")]
    with store.reading.connect() as connection:
        assert waiting(connection, model) == []


async def test_checking_holds_nobody_up(
    store: Opened, model: ReadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.append(registered("one"))
    gone_live(store, begun(store, model))
    loop, compare = asyncio.get_running_loop(), rebuilding.compare

    def post_and_compare(*given: Any) -> Any:
        yield from compare(*given)
        asyncio.run_coroutine_threadsafe(store.append(planned("one", "v1")), loop).result(10)

    monkeypatch.setattr(rebuilding, "compare", post_and_compare)
    assert await asyncio.to_thread(check, store.writing, store.reader, model) == []


async def test_what_was_never_built_cannot_be_checked(store: Opened, model: ReadModel) -> None:
    with pytest.raises(Unavailable, match="not been built"):
        check(store.writing, store.reader, model)
    with store.reading.connect() as connection:
        assert generations(connection, model) == []


async def test_a_rebuild_whose_lease_another_has_taken_ends(
    store: Opened, model: ReadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store.append(registered("one"))
    monkeypatch.setattr(rebuilding, "renew", lambda *_: False)
    with pytest.raises(Unavailable, match="another holder"):
        rebuild(store.writing, store.reader, model)


async def test_leases_are_renewed_while_a_rebuild_lasts_and_not_for_every_stretch(
    store: Opened, model: ReadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rebuilding, "STRETCH", 1)
    await store.append(registered("one"), registered("two"), registered("three"), registered("four"))
    clock = iter((0.0, 1.0, 2.0, 3.0))
    monkeypatch.setattr(rebuilding, "monotonic", lambda: next(clock))
    renewed: list[str] = []
    monkeypatch.setattr(rebuilding, "renew", lambda _, held: renewed.append(held.name) is None)
    rebuild(store.writing, store.reader, model)
    assert renewed == [f"{model.lease}/rebuild"] * 2
