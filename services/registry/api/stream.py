"""One live stream: what waits to be sent on it, and whether it goes on."""

import asyncio
from collections.abc import Awaitable, Callable

from registry.api.frames import Wanted

WAITING = 512 << 10
"""Bytes that may wait for one client; more than that only if it is one chunk."""

Permitted = Callable[[], Awaitable[bool]]
"""Tells whether whoever listens still may. Raises Unavailable."""


class Stream:
    """One open stream. Belongs to the event loop."""

    def __init__(self, wanted: Wanted, after: int, permitted: Permitted | None) -> None:
        self.wanted = wanted
        self.permitted = permitted
        """None for whom nothing has to be looked at."""
        self.seen = after
        """Everything up to here has been sent, or waits to be. While it is fed with the others it may be behind: what
        they have all been fed is noted once."""
        self.ended = False
        self.refused = False
        """Whether nothing more may be sent, not even what waits."""
        self._waiting: list[bytes] = []
        self._woken = asyncio.Event()

    def end(self) -> None:
        """End it; who sends it sends nothing more."""
        self.ended = True
        self.wake()

    def refuse(self) -> None:
        """End it, as whoever listens may no longer."""
        self.refused = True
        self.end()

    def wake(self) -> None:
        """Let whoever sends it look at it again."""
        self._woken.set()

    def offer(self, content: bytes) -> bool:
        """Let something wait to be sent; False when too much does already, and then nothing is done."""
        if self._waiting and len(content) + sum(map(len, self._waiting)) > WAITING:
            return False
        if content:
            self._waiting.append(content)
            self.wake()
        return True

    def take(self) -> bytes:
        """Take what waits."""
        content = b"".join(self._waiting)
        self._waiting.clear()
        return content

    async def wait(self, seconds: float) -> None:
        """Wait to be woken, or for some seconds."""
        timer = asyncio.get_running_loop().call_later(seconds, self.wake)
        try:
            await self._woken.wait()
        finally:
            timer.cancel()
        self._woken.clear()
