"""The follower: keeps the states in memory as far as the log, also when another process appends."""

import asyncio
from functools import partial

from registry.domain.agreement import Agreement
from registry.errors import Unavailable
from registry.store.arrivals import Arrivals
from registry.store.reader import Reader
from registry.store.states import States

POLL = 0.25
"""Seconds after which the head of the log is looked at again without being told to."""

BEHIND = 1.0
"""Seconds after which a look at the head no longer tells how long the log is: what is kept in memory may then lack
events that another process has appended."""

GATHER = 0.005
"""Seconds in which what this process commits gets here by itself, and what others commit comes together."""

PAGE = 5000
"""Positions followed at a time."""


class Follower:
    """One task of a process. Owns when the log was looked at last; everything else is in the states."""

    def __init__(self, reader: Reader, states: States, arrivals: Arrivals) -> None:
        self._reader = reader
        self._states = states
        self._arrivals = arrivals
        self._looked = float("-inf")

    def current(self, agreement: str) -> tuple[Agreement, int] | None:
        """Give a state out of memory with the position up to which it has everything.

        None when it is not there, or may be older than what any process had committed a second ago; the
        database knows then.
        """
        if self._arrivals.position > self._states.position:
            return None
        if asyncio.get_running_loop().time() - self._looked > BEHIND:
            return None
        return self._states.current(agreement)

    async def run(self) -> None:
        """Follow the log until cancelled. While the database is away nothing is current."""
        loop = asyncio.get_running_loop()
        while True:
            before, heard = loop.time(), self._arrivals.position
            try:
                await loop.run_in_executor(None, partial(follow, self._reader, self._states))
                self._looked = before
            except Unavailable:
                await asyncio.sleep(POLL)
            await self._until_news(heard)

    async def _until_news(self, heard: int) -> None:
        """Wait until the log is known to be longer than the states are, or until it is to be looked at anyway.

        What this process commits is in the states before anybody hears of it, so it alone is no reason to look.
        """
        clock = asyncio.get_running_loop().time
        until = clock() + POLL
        while (left := until - clock()) > 0:
            await self._arrivals.wait(max(heard, self._states.position), left)
            await asyncio.sleep(GATHER)
            if self._arrivals.position > self._states.position:
                return
            heard = self._arrivals.position


def follow(reader: Reader, states: States) -> None:
    """Bring the kept states as far as the log is now. Raises Unavailable."""
    length = reader.head().size  # which the states hear of
    while (after := states.position) < length:
        if (
            not states.events
        ):  # as after a start: to ask what has ever moved takes the longer, the longer the log
            states.follow(after, length)
            return
        until = min(length, after + PAGE)
        for agreement in states.older(
            reader.moved(after, until)
        ):  # what this process appended is there already
            reader.latest(agreement)
        states.follow(after, until)
