"""Large bodies are read by turns."""

import asyncio
import sys
import threading
from collections.abc import Sequence

import pytest

from registry.http.threads import MOST, MOST_EACH, Turns


async def let_in_of(who: Sequence[str]) -> tuple[list[str], int]:
    """Who is let in while nobody lets go, and how many are once everybody does."""
    turns, inside = Turns(), list[str]()
    let_go = asyncio.Event()

    async def hold(one: str) -> None:
        async with turns.of(one):
            inside.append(one)
            await let_go.wait()

    tasks = [asyncio.create_task(hold(one)) for one in who]
    await asyncio.sleep(0)
    first = list(inside)
    let_go.set()
    await asyncio.gather(*tasks)
    return first, len(inside)


async def test_whoever_has_many_large_bodies_waits_for_himself() -> None:
    assert await let_in_of(["many"] * 10 + ["another"]) == (["many"] * MOST_EACH + ["another"], 11)


async def test_there_are_no_more_of_them_than_fit() -> None:
    first, all_in = await let_in_of([str(number) for number in range(2 * MOST)])
    assert (len(first), all_in) == (MOST, 2 * MOST)


async def test_all_are_read_in_one_thread_that_gives_way_to_others() -> None:
    turns, usual = Turns(), sys.getswitchinterval()

    def where() -> tuple[int, float]:
        return threading.get_ident(), sys.getswitchinterval()

    read = await asyncio.gather(*(turns.read(where) for _ in range(5)))
    assert len({thread for thread, _ in read} - {threading.get_ident()}) == 1
    assert all(interval < usual for _, interval in read)
    assert sys.getswitchinterval() == usual


async def test_what_cannot_be_read_is_said_to_whoever_asked_and_others_go_on() -> None:
    turns, usual = Turns(), sys.getswitchinterval()
    with pytest.raises(ZeroDivisionError):
        await turns.read(divmod, 1, 0)
    assert sys.getswitchinterval() == usual
    assert await turns.read(divmod, 7, 2) == (3, 1)
