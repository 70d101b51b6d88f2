"""The ring of keys: every key that works, in memory, so that finding one costs a hash and a look."""

import asyncio
import logging
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from hashlib import sha256
from hmac import compare_digest

from registry.errors import Unavailable
from registry.http.credentials import Unauthenticated
from registry.http.threads import in_thread
from registry.store.api_keys import LiveKey, Stamp
from registry.store.key_text import id_of

log = logging.getLogger(__name__)

FRESH = 0.8
"""Seconds after which a ring that is used is read again, beside what is being answered."""
STALE = 1.6
"""Seconds after which nobody is let in by a ring before it has been read again."""
APART = 0.1
"""Seconds between two reads: whoever sends keys that are not there waits, and costs the database nothing."""

Read = Callable[[Stamp | None], tuple[Stamp, list[LiveKey] | None]]
Note = Callable[[Collection[str], str], None]


class KeyRing:
    """Knows the keys of the database. Belongs to the event loop; reads in a thread of its own.

    All keys are held, so that a flood of false ones neither grows a cache nor asks the database: only an id that
    is not known is worth another look, and all who wait share it.
    """

    def __init__(self, read: Read, note: Note) -> None:
        self._read = read
        self._note = note
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="keys")
        self._stamp: Stamp | None = None
        self._by_hash: dict[bytes, LiveKey] = {}
        self._by_id: dict[str, LiveKey] = {}
        self._read_at = -STALE
        self._one_at_a_time = asyncio.Lock()
        self._next: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._day = ""
        self._noted: set[str] = set()

    async def close(self) -> None:
        """Stop reading."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._thread.shutdown()

    async def find(self, token: bytes) -> LiveKey:
        """Find the key that a request shows. Raises Unauthenticated, or Unavailable without the database."""
        await self.fresh()
        digest = sha256(token).digest()
        key = self._by_hash.get(digest)
        if key is None or not compare_digest(key.hash, digest):
            key = await self._look_again(token, digest)
        return self.used(key)

    def knows(self, token: bytes) -> bool:
        """Tell whether a key is known to be there, without a look at the database."""
        return sha256(token).digest() in self._by_hash

    async def by_id(self, id: str) -> LiveKey | None:
        """Find a key that still works by its id, for a session that was opened with it."""
        await self.fresh()
        key = self._by_id.get(id)
        return key if key is not None and time.time() < key.ends else None

    async def fresh(self) -> None:
        """See to it that the ring is younger than two seconds. Raises Unavailable."""
        age = time.monotonic() - self._read_at
        if age > STALE:
            await self.anew()
        elif age > FRESH and self._next is None:
            self._start_next()

    async def anew(self) -> None:
        """Wait for a read that begins after this call; whoever waits for one shares it. Raises Unavailable."""
        if self._next is None:
            self._start_next()
        assert self._next is not None  # noqa: S101 - just started
        await asyncio.shield(self._next)

    def used(self, key: LiveKey) -> LiveKey:
        """Note that a key was used, once a day. Raises Unauthenticated when its last day is over."""
        if time.time() >= key.ends:
            raise Unauthenticated("the key has expired", invalid=True)
        if key.id not in self._noted:
            self._noted.add(key.id)
            if key.last_used < self._day:
                self._keep(asyncio.create_task(self._note_used(key.id)))
        return key

    async def _look_again(self, token: bytes, digest: bytes) -> LiveKey:
        id = id_of(token.decode("ascii", "replace"))
        if id is None:
            raise Unauthenticated("this is no key: it is mistyped, cut off or of another kind", invalid=True)
        if id not in self._by_id:  # it may be younger than the ring
            await self.anew()
            key = self._by_hash.get(digest)
            if key is not None:
                return key
        raise Unauthenticated("the key is not known, or was revoked", invalid=True)

    def _start_next(self) -> None:
        self._next = asyncio.create_task(self._read_next())
        self._keep(self._next)

    def _keep(self, task: asyncio.Task[None]) -> None:
        self._tasks.add(task)
        task.add_done_callback(self._let_go)

    def _let_go(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # whoever waits for it is told; else the next request tries again

    async def _read_next(self) -> None:
        async with self._one_at_a_time:
            await asyncio.sleep(max(0.0, self._read_at + APART - time.monotonic()))
            self._next = None  # whoever comes from here on waits for another one
            began = time.monotonic()
            run = asyncio.get_running_loop().run_in_executor
            stamp, keys = await run(self._thread, self._read, self._stamp)
            if keys is not None:
                self._by_hash = {key.hash: key for key in keys}
                self._by_id = {key.id: key for key in keys}
            self._stamp, self._read_at = stamp, began
            today = datetime.now(UTC).date().isoformat()
            if today != self._day:
                self._day = today
                self._noted.clear()

    async def _note_used(self, id: str) -> None:
        try:
            await in_thread(self._note, (id,), self._day)
        except Unavailable:
            log.warning("could not note that key %s was used", id)
