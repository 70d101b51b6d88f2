"""The sequencer: what waits is committed together, and each waiter gets its own answer."""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec

from registry.domain.codec import split
from registry.domain.envelope import Posted
from registry.errors import TooLarge, Unavailable
from registry.store.arrivals import Arrivals
from registry.store.commits import Commits
from registry.store.group import Permit, Request
from registry.store.receipt import Receipt
from registry.store.writer import Outcome, Writer

log = logging.getLogger(__name__)

MOST_PARTS = 1000
"""Parts of one event: an entry of so many commitments stays under its 65,535 bytes."""

GROUP_EVENTS = 2000
GROUP_BYTES = 8 << 20
"""One transaction takes waiting requests up to these limits; a larger request is a group by itself."""

GATHER_TURNS = 4
GATHER_SECONDS = 0.005
"""A group is closed when the loop has turned so often without a new request, or after so long."""


class Waiting(msgspec.Struct, frozen=True):
    request: Request
    receipts: asyncio.Future[list[Receipt]]
    since: float
    """When it came, by the clock that ``time.perf_counter`` reads."""
    trace: Any = None
    """What it is known by to those that trace."""


class Sequencer:
    """The one task of a process through which events are appended.

    It owns the queue and the thread in which the writer runs; the event loop decodes the next requests while
    the database commits the last ones. Start and close it in the loop that serves.
    """

    def __init__(self, writer: Writer, *, queue_events: int, arrivals: Arrivals | None = None) -> None:
        self.arrivals = arrivals or Arrivals()
        """Told of every commit."""
        self.read_only = ""
        """Why nothing may be appended, when the log is not where it was seen to be; else empty."""
        self.commits = Commits()
        """What has been done, in numbers."""
        self._writer = writer
        self._most = queue_events
        self._queue: deque[Waiting] = deque()
        self._queued = 0
        self._arrived = asyncio.Event()
        self._committing = False
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="writer")

    @property
    def queued(self) -> int:
        """Events that wait to be committed."""
        return self._queued

    @property
    def busy(self) -> bool:
        """Whether something waits to be committed or is being committed."""
        return self._queued > 0 or self._committing

    def start(self) -> None:
        """Begin to commit what is posted."""
        self._task = asyncio.create_task(self._run(), name="sequencer")

    async def close(self) -> None:
        """Take nothing more, commit what waits, and stop."""
        self._closing = True
        self._arrived.set()
        if self._task is not None:
            await self._task
        self._thread.shutdown()

    async def append(
        self,
        events: Sequence[Posted],
        principal: str,
        *,
        expect: int | None = None,
        admin: bool = False,
        permit: Permit | None = None,
        restricted: bool = True,
    ) -> list[Receipt]:
        """Append events, all or none, and return a receipt each once they are durable.

        ``principal`` is the random id of whoever posts. ``expect`` is the version that the agreement of the
        one event must have, 0 if it must not exist; ``admin`` says that whoever posts may act for another source;
        ``permit`` refuses what they may not post, by the state of its agreement; ``restricted`` says whether
        restricted agreements exist for them.
        Raises Rejected, NotPermitted, IdentityTaken or VersionMismatch with the index of the event to blame; TooLarge
        for an event of too many persons; Unavailable when the queue is full or the database is gone.
        """
        if not events:
            return []
        request = self.prepare(
            events, principal, expect=expect, admin=admin, permit=permit, restricted=restricted
        )
        if self._queued and self._queued + len(events) > self._most:
            raise Unavailable("too many events wait to be committed")
        traces = self.commits.traces
        waiting = Waiting(
            request,
            asyncio.get_running_loop().create_future(),
            time.perf_counter(),
            None if traces is None else traces.current(),
        )
        self._queue.append(waiting)
        self._queued += len(events)
        self._arrived.set()
        return await waiting.receipts

    def prepare(
        self,
        events: Sequence[Posted],
        principal: str,
        *,
        expect: int | None = None,
        admin: bool = False,
        permit: Permit | None = None,
        restricted: bool = True,
    ) -> Request:
        """Make events ready to be appended, or to be held against what is recorded without being appended.

        The arguments are those of ``append``. Raises TooLarge, and Unavailable when nothing is taken at all.
        """
        parts = [split(event.type, event.body, event.attrs, principal, event.personal) for event in events]
        if any(len(each) > MOST_PARTS for each in parts):
            raise TooLarge(f"an event names at most {MOST_PARTS - 1} persons")
        if self._closing:
            raise Unavailable("the service is stopping")
        if self.read_only:
            raise Unavailable(self.read_only, retry_after=60)
        return Request(events, parts, expect, admin, permit, restricted, principal)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await self._arrived.wait()
            if not self._queue:
                if self._closing:
                    return
                self._arrived.clear()
                continue
            await self._gather()
            group = self._take()
            self._committing = True
            self.commits.begin()
            began = time.time_ns()
            try:
                outcomes = await loop.run_in_executor(
                    self._thread, self._writer.commit, [waiting.request for waiting in group]
                )
            except Exception as error:  # whatever it is, the waiters are told and the next group is tried
                if not isinstance(error, Unavailable):
                    log.exception("a group of %d requests failed", len(group))
                outcomes = [error] * len(group)
            self._committing = False
            appended = self.commits.end([waiting.since for waiting in group], outcomes)
            if self.commits.traces is not None:
                self.commits.traces.committed([waiting.trace for waiting in group], began, appended)
            for waiting, outcome in zip(group, outcomes, strict=True):
                _resolve(waiting, outcome)
                if isinstance(outcome, list) and outcome:
                    self.arrivals.announce(max(receipt.position for receipt in outcome))

    async def _gather(self) -> None:
        """Let requests that have arrived already join the group, until none has for a few turns of the loop.

        Else the waiters of one commit and those that came meanwhile would take turns for ever, in groups of half
        the size. A request that is alone waits for no more than these turns, which take microseconds.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + GATHER_SECONDS
        quiet, queued = 0, self._queued
        while quiet < GATHER_TURNS and loop.time() < deadline:
            await asyncio.sleep(0)
            quiet = quiet + 1 if self._queued == queued else 0
            queued = self._queued

    def _take(self) -> list[Waiting]:
        """Take what waits, up to the limits of one transaction, and at least one request."""
        group: list[Waiting] = []
        events = size = 0
        while self._queue:
            waiting = self._queue[0]
            events += len(waiting.request.events)
            size += waiting.request.size
            if group and (events > GROUP_EVENTS or size > GROUP_BYTES):
                break
            self._queue.popleft()
            self._queued -= len(waiting.request.events)
            if (
                not waiting.receipts.cancelled()
            ):  # else nobody waits for it any more, so nobody was promised it
                group.append(waiting)
        return group


def _resolve(waiting: Waiting, outcome: Outcome) -> None:
    if waiting.receipts.cancelled():
        return
    if isinstance(outcome, Exception):
        waiting.receipts.set_exception(outcome)
    else:
        waiting.receipts.set_result(outcome)
