import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from registry.errors import Unavailable
from registry.store import follower as following
from registry.store.follower import Follower, follow
from registry.store.reader import Reader
from registry.store.states import States
from store.conftest import Open, Opened, planned, registered


@asynccontextmanager
async def followed(store: Opened) -> AsyncIterator[Follower]:
    """A follower of a store's states, as the service runs it."""
    follower = Follower(store.reader, store.states, store.sequencer.arrivals)
    task = asyncio.create_task(follower.run())
    try:
        yield follower
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def version(follower: Follower, agreement: str, wanted: int) -> int:
    """Wait until a state is current, and give up to which position."""
    async with asyncio.timeout(10):
        while True:
            found = follower.current(agreement)
            if found is not None and found[0].version == wanted:
                return found[1]
            await asyncio.sleep(0.01)


async def test_what_this_process_commits_is_current_as_soon_as_it_is_told(opened: Open) -> None:
    async with opened() as store, followed(store) as follower:
        await store.append(registered("one"))
        assert await version(follower, "one", 1) == 1
        for n in range(2, 20):
            await store.append(planned("one", f"v{n}"))
            found = follower.current("one")
            assert found is not None
            assert (found[0].version, found[1]) == (n, n)


async def test_what_another_process_commits_is_followed(opened: Open) -> None:
    async with opened() as here, opened() as there, followed(here) as follower:
        await here.append(registered("one"), registered("two"))
        await version(follower, "one", 1)
        await there.append(planned("one", "v1"), registered("three"))
        assert await version(follower, "one", 2) == 4
        assert await version(follower, "two", 1) == 4
        assert follower.current("three") is None  # nobody has asked for it here


async def test_nothing_is_current_that_others_are_heard_to_have_gone_beyond(opened: Open) -> None:
    async with opened() as store, followed(store) as follower:
        await store.append(registered("one"))
        await version(follower, "one", 1)
        store.sequencer.arrivals.announce(2)
        assert follower.current("one") is None


async def test_what_is_committed_on_top_of_others_is_not_current_before_those_are_followed(
    opened: Open,
) -> None:
    async with opened() as here, opened() as there:
        await here.append(registered("one"))
        await there.append(planned("one", "v1"), registered("two"))
        await here.append(planned("two", "v1"))
        assert here.states.current("two") is None
        follow(here.reader, here.states)
        for agreement in ("one", "two"):
            found = here.states.current(agreement)
            assert found is not None
            assert (found[0].version, found[1]) == (2, 4)


async def test_a_long_log_is_followed_in_pages(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "PAGE", 2)
    async with opened() as here, opened() as there:
        await here.append(registered("one"))
        await there.append(*(planned("one", f"v{n}") for n in range(5)))
        follow(here.reader, here.states)
        found = here.states.current("one")
        assert found is not None
        assert (found[0].version, found[1]) == (6, 6)


async def test_who_keeps_nothing_yet_has_nothing_to_follow(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened() as here, opened() as there:
        await there.append(registered("one"), planned("one", "v1"))
        monkeypatch.delattr(Reader, "moved")
        follow(here.reader, here.states)
        assert here.states.position == 2
        assert here.reader.agreement("one") is not None
        assert here.states.current("one") == (here.reader.agreement("one"), 2)


async def test_nothing_is_current_once_the_log_was_out_of_sight_for_a_second(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened() as store, followed(store) as follower:
        await store.append(registered("one"))
        await version(follower, "one", 1)

        def away(_: Reader) -> None:
            raise Unavailable("the database cannot be reached")

        monkeypatch.setattr(Reader, "head", away)
        async with asyncio.timeout(10):
            while follower.current("one") is not None:
                await asyncio.sleep(0.01)
        monkeypatch.undo()
        assert await version(follower, "one", 1) == 1


async def test_what_this_process_commits_is_no_reason_to_look_at_the_log(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = []

    def look(reader: Reader, states: States) -> None:
        looks.append(states.position)
        follow(reader, states)

    monkeypatch.setattr(following, "follow", look)
    monkeypatch.setattr(following, "POLL", 60.0)
    async with opened() as here, opened() as there, followed(here) as follower:
        await here.append(registered("one"))
        await version(follower, "one", 1)
        first = len(looks)
        for n in range(2, 5):
            await here.append(planned("one", f"v{n}"))
            await asyncio.sleep(2 * following.GATHER)  # the follower has heard of it by then
        assert len(looks) == first
        await there.append(planned("one", "v9"))
        here.sequencer.arrivals.announce(5)
        await version(follower, "one", 5)
        assert len(looks) == first + 1


async def test_nothing_is_current_that_the_log_was_seen_to_have_gone_beyond(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following, "POLL", 60.0)
    async with opened() as here, opened() as there, followed(here) as follower:
        await here.append(registered("one"))
        await version(follower, "one", 1)
        await there.append(planned("one", "v2"))  # of which nobody tells this process
        assert here.reader.head().size == 2
        assert follower.current("one") is None
