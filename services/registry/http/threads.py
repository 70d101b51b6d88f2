"""What takes its time, away from the event loop: blocking reads, and large bodies that are read by turns."""

import asyncio
import sys
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from typing import ParamSpec, TypeVar
from weakref import WeakValueDictionary

P = ParamSpec("P")
R = TypeVar("R")

MOST_EACH = 2
"""Large bodies of one principal that are in memory at once: one is read while the other is coming."""
MOST = 16
"""The same, of all."""
SWITCH = 0.0001
"""Seconds for which whoever waits for the interpreter waits while a large body is read.

Python's usual 5 ms are waited at every step of an answer: after each look at a socket, each statement of an append.
"""
LISTS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="lists")
"""Reads the pages of whole lists, one after the other: they may wait, and those who ask for little need not."""


async def in_thread(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    """Call a function that waits for the database; unlike ``asyncio.to_thread`` it copies no context."""
    return await asyncio.get_running_loop().run_in_executor(None, partial(function, *args, **kwargs))


class Turns:
    """Lets large bodies be read by turns, so that whoever sends many waits for himself. Belongs to the event loop.

    All are read in one thread: whatever computes there takes the interpreter from those who answer others, and two
    would be no sooner done than one after the other.
    """

    def __init__(self) -> None:
        self._of: WeakValueDictionary[str, asyncio.Semaphore] = WeakValueDictionary()
        self._all = asyncio.Semaphore(MOST)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="bodies")

    @asynccontextmanager
    async def of(self, who: str) -> AsyncIterator[None]:
        """Have a large body in memory for as long as the block lasts; wait before that while there are too many."""
        own = self._of.get(who)
        if own is None:
            own = self._of[who] = asyncio.Semaphore(MOST_EACH)
        async with own, self._all:
            yield

    def close(self) -> None:
        """Let the thread end once it has read what it has begun."""
        self._thread.shutdown(wait=False)

    async def read(self, function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Call a function that reads a body, behind those that have begun to wait before."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(
            self._thread, partial(_yielding, partial(function, *args, **kwargs))
        )


def _yielding(function: Callable[[], R]) -> R:
    """Call a function, and let whoever waits for the interpreter meanwhile have it soon."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH)
    try:
        return function()
    finally:
        sys.setswitchinterval(usual)
