"""Large bodies are read by turns."""

import asyncio
import sys
import threading

import pytest

from registry.http.threads import MOST, MOST_EACH, Turns


async def test_whoever_has_many_large_bodies_waits_for_himself() -> None:
    turns, inside = Turns(), []
    let_go = asyncio.Event()

    async def hold(who: str) -> None:
        async with turns.of(who):
            inside.append(who)
            await let_go.wait()

    tasks = [asyncio.create_task(hold("many")) for _ in range(10)]
    tasks.append(asyncio.create_task(hold("another")))
    await asyncio.sleep(0)
    assert inside == ["many"] * MOST_EACH + ["another"]
    let_go.set()
    await asyncio.gather(*tasks)
    assert len(inside) == 11


async def test_there_are_no_more_of_them_than_fit() -> None:
    turns, inside = Turns(), []
    let_go = asyncio.Event()

    async def hold(who: str) -> None:
        async with turns.of(who):
            inside.append(who)
            await let_go.wait()

    tasks = [asyncio.create_task(hold(str(number))) for number in range(2 * MOST)]
    await asyncio.sleep(0)
    assert len(inside) == MOST
    let_go.set()
    await asyncio.gather(*tasks)


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
