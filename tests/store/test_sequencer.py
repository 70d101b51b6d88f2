import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from registry.errors import IdentityTaken, Rejected, TooLarge, Unavailable, VersionMismatch
from registry.store import sequencer as sequencer_module
from registry.store.tables import event as event_table
from store.conftest import PARTIES, PRINCIPAL, SOURCE, Open, Opened, event, planned, registered


def count(store: Opened) -> int:
    with store.reading.connect() as connection:
        number: int = connection.scalars(select(func.count()).select_from(event_table)).one()
    return number


async def settled(*appends: Any) -> list[Any]:
    """Wait for all, and give what each returned or raised."""
    return await asyncio.gather(*appends, return_exceptions=True)


async def test_events_get_dense_positions_and_versions_and_a_receipt_that_says_so(opened: Open) -> None:
    async with opened() as store:
        first = await store.append(registered("one"))
        others = await store.append(registered("two"), planned("one", "v1"), planned("two", "v1"))
        receipts = [*first, *others]
        assert [(r.position, r.agreement, r.version) for r in receipts] == [
            (1, "one", 1),
            (2, "two", 1),
            (3, "one", 2),
            (4, "two", 2),
        ]
        assert not any(r.replayed for r in receipts)
        rows = store.reader.page(0, 10)
        assert [r.leaf_hash for r in receipts] == [row.leaf_hash.hex() for row in rows]
        assert store.reader.head().size == 4


async def test_posting_again_gives_the_first_receipt_and_records_nothing(opened: Open) -> None:
    async with opened() as store:
        await store.append(registered("one"))
        (first,) = await store.append(
            planned("one", "v1", traceparent="00-" + "a" * 32 + "-" + "b" * 16 + "-01")
        )
        (again,) = await store.append(planned("one", "v1"))
        assert again.replayed
        assert (again.position, again.version, again.recorded_at, again.leaf_hash) == (
            first.position,
            first.version,
            first.recorded_at,
            first.leaf_hash,
        )
        assert again.warnings == ()
        assert count(store) == 2


async def test_a_replay_is_known_after_a_restart_too(opened: Open) -> None:
    async with opened() as store:
        (first,) = await store.append(registered("one"))
    async with opened() as store:
        (again,) = await store.append(registered("one"))
    assert again.replayed
    assert again.leaf_hash == first.leaf_hash


@pytest.mark.parametrize(
    "other",
    [
        planned("one", "v2", id="same"),
        planned("two", "v1", id="same"),
        planned("one", "v1", id="same", correlationid="c"),
        event("text-adopted", "one", "same", {"occurred": "2025"}),
    ],
    ids=["other data", "other agreement", "other attribute", "other type"],
)
async def test_the_same_identity_with_other_content_is_refused(opened: Open, other: Any) -> None:
    async with opened() as store:
        await store.append(registered("one"), registered("two"), planned("one", "v1", id="same"))
        with pytest.raises(IdentityTaken) as refused:
            await store.append(planned("one", "v9"), other)
        assert (refused.value.index, refused.value.position) == (1, 3)
        assert count(store) == 3


async def test_a_replay_counts_before_the_precondition(opened: Open) -> None:
    async with opened() as store:
        await store.append(registered("one"), expect=0)
        (again,) = await store.append(registered("one"), expect=0)
        assert again.replayed


async def test_replays_inside_a_batch_and_inside_one_group_are_fine(opened: Open) -> None:
    async with opened(started=False) as store:
        batch = store.append(registered("one"), planned("one", "v1"), planned("one", "v1"))
        other = store.append(planned("one", "v1"), planned("one", "v2"))
        waiting = asyncio.gather(batch, other)
        await asyncio.sleep(0)
        store.sequencer.start()
        first, second = await waiting
        assert [(r.position, r.replayed) for r in first] == [(1, False), (2, False), (2, True)]
        assert [(r.position, r.replayed) for r in second] == [(2, True), (3, False)]
        assert count(store) == 3


async def test_a_batch_is_recorded_whole_or_not_at_all(opened: Open) -> None:
    async with opened() as store:
        with pytest.raises(Rejected) as refused:
            await store.append(registered("one"), planned("one", "v1"), planned("nowhere", "v1"))
        assert refused.value.index == 2
        assert count(store) == 0
        receipts = await store.append(registered("one"), planned("one", "v1"))
        assert [r.version for r in receipts] == [1, 2]


async def test_a_refused_request_leaves_no_trace_in_the_state_that_its_neighbours_see(opened: Open) -> None:
    async with opened(started=False) as store:
        refused = store.append(registered("one"), planned("one", "v1"), planned("nowhere", "v1"))
        good = store.append(registered("one"))
        waiting = settled(refused, good)
        task = asyncio.create_task(waiting)
        await asyncio.sleep(0)
        store.sequencer.start()
        error, (receipt,) = await task
        assert isinstance(error, Rejected)
        assert (receipt.position, receipt.version) == (1, 1)
        state = await asyncio.to_thread(store.reader.agreement, "one")
        assert state is not None
        assert state.version == 1


async def test_one_bad_request_never_fails_its_neighbours(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(started=False) as store:
        task = asyncio.create_task(
            settled(
                store.append(registered("one")),
                store.append(planned("nowhere", "v1")),
                store.append(planned("one", "v1")),
                store.append(planned("one", "v2"), expect=7),
                store.append(planned("one", "v3"), expect=2),
            )
        )
        await asyncio.sleep(0)
        store.sequencer.start()
        first, unknown, second, mismatch, third = await task
        assert isinstance(unknown, Rejected)
        assert isinstance(mismatch, VersionMismatch)
        assert (mismatch.expected, mismatch.current) == (7, 2)
        assert [receipt.version for (receipt,) in (first, second, third)] == [1, 2, 3]


async def test_a_fault_of_ours_in_one_request_never_fails_its_neighbours(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    from registry.store import group

    decide = group.decide

    def faulty(state: Any, posted: Any, **options: Any) -> Any:
        if posted.id == "one-v1":
            raise ZeroDivisionError
        return decide(state, posted, **options)

    monkeypatch.setattr(group, "decide", faulty)
    async with opened(started=False) as store:
        task = asyncio.create_task(
            settled(
                *(store.append(e) for e in (registered("one"), planned("one", "v1"), planned("one", "v2")))
            )
        )
        await asyncio.sleep(0)
        store.sequencer.start()
        first, fault, second = await task
        assert isinstance(fault, ZeroDivisionError)
        assert [receipt.version for (receipt,) in (first, second)] == [1, 2]


async def test_of_many_writers_with_one_expected_version_exactly_one_wins(opened: Open) -> None:
    async with opened() as store:
        await store.append(registered("one"))
        outcomes = await settled(*(store.append(planned("one", f"v{i}"), expect=1) for i in range(20)))
        assert sum(isinstance(outcome, list) for outcome in outcomes) == 1
        losers = [outcome for outcome in outcomes if isinstance(outcome, VersionMismatch)]
        assert {loser.current for loser in losers} == {2}
        assert len(losers) == 19


async def test_the_expected_version_of_each_event_of_a_batch_is_checked_in_its_turn(opened: Open) -> None:
    async with opened() as store:
        await store.append(
            registered("one", expectedversion=0),
            planned("one", "v1", expectedversion=1),
            planned("one", "v2"),
        )
        with pytest.raises(VersionMismatch) as refused:
            await store.append(
                planned("one", "v3", expectedversion=3), planned("one", "v4", expectedversion=3)
            )
        assert refused.value.index == 1
        assert count(store) == 3


async def test_two_processes_that_take_turns_see_what_the_other_has_recorded(opened: Open) -> None:
    async with opened() as here, opened() as there:
        await here.append(registered("one"))
        for i in range(6):
            store = here if i % 2 else there
            (receipt,) = await store.append(planned("one", f"v{i}"), expect=i + 1)
            assert receipt.version == i + 2
        with pytest.raises(Rejected):
            await here.append(planned("one", "v0", id="another"))


async def test_states_that_are_no_longer_in_memory_are_folded_again(opened: Open) -> None:
    async with opened() as store:
        await store.append(registered("one"), *(planned("one", f"v{i}") for i in range(5)))
        store.states.forget("one")
        (receipt,) = await store.append(planned("one", "v9"), expect=6)
        assert receipt.version == 7


async def test_when_the_queue_is_full_a_request_is_told_to_come_back(opened: Open) -> None:
    async with opened(started=False, queue_events=2) as store:
        waiting = [asyncio.create_task(store.append(registered("one"), planned("one", "v1")))]
        await asyncio.sleep(0)
        assert store.sequencer.queued == 2
        with pytest.raises(Unavailable) as refused:
            await store.append(planned("one", "v2"))
        assert refused.value.retry_after >= 1
        store.sequencer.start()
        await asyncio.gather(*waiting)
        assert store.sequencer.queued == 0
        await store.append(planned("one", "v2"))


async def test_what_nobody_waits_for_any_more_is_not_recorded(opened: Open) -> None:
    async with opened(started=False) as store:
        gone = asyncio.create_task(store.append(registered("one")))
        await asyncio.sleep(0)
        gone.cancel()
        await settled(gone)
        store.sequencer.start()
        await store.append(registered("two"))
        assert [row.stream_id for row in store.reader.page(0, 10)] == ["two"]


async def test_a_waiter_that_leaves_during_the_commit_harms_nobody(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened() as store:
        started, go_on = asyncio.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()
        commit = store.writer.commit

        def slow(requests: Any) -> Any:
            loop.call_soon_threadsafe(started.set)
            asyncio.run_coroutine_threadsafe(go_on.wait(), loop).result()
            return commit(requests)

        monkeypatch.setattr(store.writer, "commit", slow)
        leaving = asyncio.create_task(store.append(registered("one")))
        await started.wait()
        leaving.cancel()
        go_on.set()
        await settled(leaving)
        (receipt,) = await store.append(registered("one"))
        assert receipt.replayed


async def test_closing_commits_what_waits_and_takes_nothing_more(opened: Open) -> None:
    async with opened(started=False) as store:
        waiting = asyncio.create_task(store.append(registered("one")))
        await asyncio.sleep(0)
        store.sequencer.start()
        await store.sequencer.close()
        ((receipt,),) = await asyncio.gather(waiting)
        assert receipt.position == 1
        with pytest.raises(Unavailable):
            await store.append(registered("two"))


async def test_a_large_backlog_is_committed_in_several_transactions(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequencer_module, "GROUP_EVENTS", 3)
    async with opened(started=False) as store:
        sizes: list[int] = []
        commit = store.writer.commit

        def counted(requests: Any) -> Any:
            sizes.append(sum(len(request.events) for request in requests))
            return commit(requests)

        monkeypatch.setattr(store.writer, "commit", counted)
        task = asyncio.gather(
            store.append(*(registered(f"a{i}-agreement") for i in range(5))),
            *(store.append(registered(f"b{i}-agreement")) for i in range(4)),
        )
        await asyncio.sleep(0)
        store.sequencer.start()
        await task
        assert sizes == [5, 3, 1]


async def test_nothing_to_append_is_answered_with_nothing(opened: Open) -> None:
    async with opened() as store:
        assert await store.append() == []


async def test_an_event_of_more_persons_than_an_entry_can_commit_to_is_too_large(opened: Open) -> None:
    people = [
        {"person": {"person_id": f"6f1f2c1e-6c0b-4e5a-9d54-{i:012x}", "name": f"Person {i}"}}
        for i in range(1001)
    ]
    data = {"engagement_id": "v1", "kind": "visit", "certainty": "expected", "participants": people}
    async with opened() as store:
        with pytest.raises(TooLarge):
            await store.append(registered("one"), event("engagement-planned", "one", "crowd", data))
        data["participants"] = people[:999]
        await store.append(registered("one"), event("engagement-planned", "one", "crowd", data))


async def test_only_who_may_act_for_others_corrects_what_another_source_said(opened: Open) -> None:
    correction = event(
        "event-corrected",
        "one",
        "corrected",
        {
            "target": {"source": SOURCE, "id": "one-registered", "type": "agreement.registered.v1"},
            "replacement": {"title": {"en": "A better title"}, "parties": PARTIES},
            "reason": "Mistyped.",
            "kind": "entry-error",
        },
        source="https://registry.example/another",
    )
    async with opened() as store:
        await store.append(registered("one"))
        with pytest.raises(Rejected) as refused:
            await store.append(correction)
        assert refused.value.rule == "target-of-another-source"
        (receipt,) = await store.sequencer.append([correction], PRINCIPAL, admin=True)
        assert receipt.position == 2
