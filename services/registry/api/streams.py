"""The live streams of this process, and the one reading of the log that feeds all that have caught up.

A stream that is behind reads for itself, page by page and a few of them at a time. At the end of the log it joins
the others: from then on each event is read and written out once, whoever wants it. A client that takes too slowly is
let go of there and reads for itself again, so what waits in memory for it is bounded.
"""

import asyncio
import logging
import math
import random
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import contextmanager

from registry.api import frames
from registry.api.frames import Parties, Stretch, Wanted, Wants
from registry.api.stream import Permitted, Stream
from registry.errors import Unavailable
from registry.http.threads import in_thread
from registry.store.arrivals import Arrivals
from registry.store.reader import Reader
from registry.store.tail import Tail

log = logging.getLogger(__name__)

HEARTBEAT = 15.0
"""Seconds of silence after which a comment is sent, so that nobody on the way takes the connection for dead."""
POLL = 0.5
"""Seconds after which the log is looked at again without being told to."""
PAUSE = 0.05
"""Seconds between two rounds to all streams: what is recorded meanwhile goes out together, and each client that gets
something costs nearly the same however much it is."""
LONGER = 0.1
"""Seconds instead while much is recorded."""
MUCH = 20
"""Events of a round from which on that is so."""
BEHIND = 0.01
"""Seconds instead when there is more: enough for each client to take what it was given."""
READERS = 2
"""Streams that read for themselves at once: the threads are there for other requests as well."""

WATCH = 2.0
"""Seconds after which it is looked again whether whoever listens still may."""

COME_BACK = 1000
"""Milliseconds after which a client whose stream was ended connects again."""

OPENED = b": live\n\n"
SILENCE = b": heartbeat\n\n"


class Streams:
    """All open streams. Belongs to the event loop that it is made in; only ``close`` may be called elsewhere."""

    def __init__(self, reader: Reader, arrivals: Arrivals, tail: Tail, *, age: float = math.inf) -> None:
        self._age = age
        """Seconds after which a stream is ended, or somewhat sooner: what began at once is not to end at once."""
        self.closing = asyncio.Event()
        """Set once the service is to stop: whoever waits for the log gives up."""
        self.open: set[Stream] = set()
        self._at_head: dict[Wanted, set[Stream]] = {}
        """Those that are fed together, by what they want."""
        self._wants: Wants | None = None
        """The same for whoever reads for them; None once it has changed."""
        self._new: set[Wanted] = set()
        """What has come to be wanted since the last reading for them began."""
        self._position = 0
        """Up to which those at the head have been fed."""
        self._needed = asyncio.Event()
        self._reader = reader
        self._arrivals = arrivals
        self._tail = tail
        self._parties = Parties(reader)
        self._reading = asyncio.Semaphore(READERS)
        self._loop = asyncio.get_running_loop()
        self._tasks: tuple[asyncio.Task[None], ...] = ()

    def start(self) -> None:
        """Begin to feed the streams at the head, and to look whether those who listen still may."""
        self._tasks = asyncio.create_task(self._feed()), asyncio.create_task(self._watch())

    def close(self) -> None:
        """End all streams, also those still to come. May be called from a signal handler or another thread."""
        self._loop.call_soon_threadsafe(self._close)

    async def stop(self) -> None:
        """End all streams, and feed none any more."""
        self._close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @contextmanager
    def opened(self, wanted: Wanted, after: int, permitted: Permitted | None = None) -> Iterator[Stream]:
        """Open a stream of what is wanted behind a position, for as long as the block lasts."""
        stream = Stream(wanted, after, permitted)
        self.open.add(stream)
        if self.closing.is_set():
            stream.end()
        try:
            yield stream
        finally:
            self.open.discard(stream)
            self._leave(stream)

    async def follow(self, stream: Stream) -> AsyncIterator[bytes]:
        """Yield what is to be sent on a stream, until it ends: at last behind what it goes on."""
        yield OPENED
        spoken = self._loop.time()
        ends = spoken + self._age * random.uniform(0.9, 1.0)  # noqa: S311 - no secret
        while not stream.ended and self._loop.time() < ends:
            content = stream.take()
            if not content and not self._is_at_head(stream):
                content = await self._catch_up(stream)
            elif not content:
                await stream.wait(min(spoken + HEARTBEAT, ends) - self._loop.time())
                content = stream.take()
            if not content and self._loop.time() - spoken >= HEARTBEAT:
                content = SILENCE
            if content and not stream.refused:
                yield content
                spoken = self._loop.time()
        self._leave(stream)
        if stream.refused:
            return
        yield stream.take() + await self._farewell(stream)

    async def _farewell(self, stream: Stream) -> bytes:
        """Say behind which position a client goes on, also one that has heard nothing yet.

        A block without data sets the last event id and is no event (HTML, section 9.2.6). It names no position
        of an agreement that the client may not see.
        """
        try:
            seen = await in_thread(self._reader.position_for, stream.wanted.sight, stream.seen)
        except Unavailable:
            return b""
        return b": go on behind this\nid: %d\nretry: %d\n\n" % (seen, COME_BACK)

    def _close(self) -> None:
        self.closing.set()
        for stream in self.open:
            stream.end()

    async def _catch_up(self, stream: Stream) -> bytes:
        """Read what comes next for one stream alone; at the end of the log it joins the others."""
        try:
            async with self._reading:
                stretch = await in_thread(
                    frames.read_stretch, self._reader, self._parties, stream.seen, Wants((stream.wanted,))
                )
        except Unavailable:
            await stream.wait(POLL)
            return b""
        stream.seen = stretch.until
        if stretch.end:
            self._join(stream)
        return stretch.contents.get(stream.wanted, b"")

    def _is_at_head(self, stream: Stream) -> bool:
        return stream in self._at_head.get(stream.wanted, ())

    def _join(self, stream: Stream) -> None:
        """Feed a stream with the others, unless they are ahead of it: then it reads once more for itself."""
        if not self._at_head:
            self._position = stream.seen
            self._tail.want(wanted=True)
        if stream.seen >= self._position:
            if stream.wanted not in self._at_head:
                self._at_head[stream.wanted] = set()
                self._new.add(stream.wanted)
                self._wants = None
            self._at_head[stream.wanted].add(stream)
            self._needed.set()

    def _leave(self, stream: Stream) -> None:
        """Feed it no more: from what it has been fed it reads for itself."""
        if not self._is_at_head(stream):
            return
        stream.seen = max(stream.seen, self._position)
        alike = self._at_head[stream.wanted]
        alike.discard(stream)
        if not alike:
            del self._at_head[stream.wanted]
            self._new.discard(stream.wanted)
            self._wants = None
        if not self._at_head:
            self._needed.clear()
            self._tail.want(wanted=False)

    async def _feed(self) -> None:
        """Read on for as long as anybody is at the head; whatever happens on the way is tried again."""
        while True:
            await self._needed.wait()
            after, heard = self._position, self._arrivals.position
            if self._wants is None:
                self._wants = Wants(self._at_head)
            self._new.clear()
            try:
                stretch = await in_thread(self._next, after, heard, self._wants)
            except Unavailable:
                self._tail.forget()  # it is for a moment only: what it has may be erased before the database is back
                await asyncio.sleep(POLL)
            except Exception:
                log.exception("the log cannot be read behind position %d", after)
                await asyncio.sleep(POLL)
            else:
                if stretch.until > after:
                    self._hand_out(stretch)
                    await asyncio.sleep(pause_after(stretch))
                elif heard > after:  # told of what is not there: on PostgreSQL anybody may notify
                    await asyncio.sleep(POLL)
                else:
                    await self._arrivals.wait(after, POLL)

    async def _watch(self) -> None:
        """End the streams of those who may no longer listen; while that cannot be found out they go on."""
        while True:
            await asyncio.sleep(WATCH)
            for stream in tuple(self.open):
                if stream.permitted is None or stream.ended:
                    continue
                try:
                    if not await stream.permitted():
                        stream.refuse()
                except Unavailable:
                    break
                except Exception:
                    log.exception("it cannot be found out who still may listen")
                    break

    def _next(self, after: int, heard: int, wants: Wants) -> Stretch:
        """Write out what comes next, as this process has appended it if it has appended all that was heard of."""
        rows = self._tail.behind(after, heard, frames.MORE)
        return frames.read_stretch(self._reader, self._parties, after, wants, rows)

    def _hand_out(self, stretch: Stretch) -> None:
        if stretch.after != self._position:  # it was read for streams that have gone
            return
        for wanted in tuple(self._new):  # they came while it was being read
            self._let_go(tuple(self._at_head[wanted]))
        for wanted in stretch.contents:
            alike = self._at_head.get(wanted, ())
            self._let_go([one for one in alike if not one.offer(stretch.content(wanted, one.seen))])
        if self._at_head:
            self._position = stretch.until

    def _let_go(self, streams: Iterable[Stream]) -> None:
        for stream in streams:
            self._leave(stream)
            stream.wake()


def pause_after(stretch: Stretch) -> float:
    """Tell for how many seconds to rest after a round."""
    if not stretch.end:
        return BEHIND
    return PAUSE if stretch.until - stretch.after < MUCH else LONGER
