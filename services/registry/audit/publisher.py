"""The publisher: signs the head of the log, one process at a time, and gives out what it has signed.

A checkpoint is kept in a file outside the database, then stored, then served. It is only ever made of a committed
head, and Ed25519 signs the same text the same way: whatever happens in between, there are no two of one size.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import Engine

from registry.audit import checkpoints
from registry.audit.checkpoints import Contradiction
from registry.audit.configured import witnesses
from registry.audit.keys import KeyFault, SigningKey, kept_path, log_keys
from registry.audit.standing import Behind, Kept, look
from registry.config import Settings
from registry.errors import Unavailable
from registry.merkle.checkpoint import Checkpoint, format_checkpoint
from registry.merkle.note import Note, format_note
from registry.store.arrivals import Arrivals
from registry.store.database import reachable
from registry.store.head import Head, read_head
from registry.store.leases import TTL, Held, acquire, release, renew
from registry.store.reader import Reader

log = logging.getLogger(__name__)

LEASE = "publisher"
PERIOD = 0.5
"""Seconds from one checkpoint to the next at least, and after which the log is looked at without being told to."""
RENEWED_EVERY = TTL / 1_000_000 / 3

Fault = Callable[[str], None]
"""Called between the steps of publishing; tests let it fail there."""

Beside = Callable[[], Coroutine[Any, Any, None]]
"""What runs as long as this process is the one that publishes: asking the witnesses."""

R = TypeVar("R")


class Publisher:
    """Publishes for as long as this process holds the lease, and watches the log all the time.

    Its task owns the lease; what waits for the database, or for the disk, happens in its one thread.
    """

    def __init__(
        self,
        engine: Engine,
        reader: Reader,
        keys: Sequence[SigningKey],
        *,
        kept: Kept | None,
        arrivals: Arrivals,
        on_standing: Callable[[str], None] = lambda _: None,
        fault: Fault = lambda _: None,
    ) -> None:
        self.published = Arrivals()
        """Told of the size of every checkpoint."""
        self.beside: Beside | None = None
        self.signs = bool(keys)
        """Whether this process has a key to sign with."""
        self.why = ""
        """By a word that stays the same, why the log does not stand well; empty when it does."""
        self._engine = engine
        self._reader = reader
        self._keys = keys
        self._kept = kept
        self._arrivals = arrivals
        self._on_standing = on_standing
        self._fault = fault
        self._standing = ""
        self._last: Checkpoint | None = None
        """The last one that this process has published."""
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="publisher")

    def check_keys(self) -> None:
        """Raise KeyFault unless a key that is configured has signed the last checkpoint, if there is one."""
        with reachable(), self._reader.connect() as connection:
            origin = read_head(connection).origin
            last = checkpoints.latest(connection, origin)
            known = checkpoints.signers(connection, last) if last is not None else set()
        try:
            ours = {key.verifier_key(origin).key_id for key in self._keys}
        except ValueError as error:
            raise KeyFault(f"the origin {origin!r} cannot sign: {error}") from error
        if known and self._keys and not known & ours:
            raise KeyFault(
                "the last checkpoint of the log is signed by another key; change from one key to the next with "
                "REGISTRY_LOG_KEY_FILE_NEXT, or give up the origin with `registry log new-origin`"
            )

    def step(self) -> Head:
        """Publish the head if it has moved. Raises Behind, Contradiction and Unavailable."""
        head = look(self._reader, self._kept)
        checkpoint = Checkpoint(head.origin, head.size, head.root)
        if checkpoint != self._last:
            self._publish(checkpoint)
            self._last = checkpoint
        return head

    async def begin(self) -> None:
        """See where the log stands before anything is appended, and sign it if it has never been signed.

        So a service never answers without a checkpoint. Of processes that begin at once each may do so.
        """
        await self._stands(self._begin)

    async def watch(self) -> None:
        """Look once where the log stands, and say so. Raises Unavailable."""
        await self._stands(lambda: look(self._reader, self._kept))

    async def run(self) -> None:
        """Run until cancelled; whatever happens on the way is logged and tried again."""
        while True:
            held = None
            try:
                held = await self._in_thread(self._acquire) if self._keys else None
                if held is not None:
                    await self._publish_while(held)
                else:
                    await self.watch()
            except Unavailable as error:
                log.warning("the publisher waits: %s", error)
            except asyncio.CancelledError:
                await asyncio.shield(self._in_thread(self._leave))
                raise
            except Exception:  # whatever it is must not end the publishing for good
                log.exception("publishing failed")
            await asyncio.sleep(PERIOD)

    def close(self) -> None:
        """Let the thread go."""
        self._thread.shutdown()

    async def _publish_while(self, held: Held) -> None:
        beside = asyncio.create_task(self.beside()) if self.beside is not None else None
        renewed = time.monotonic()
        try:
            while True:
                started = time.monotonic()
                if started - renewed > RENEWED_EVERY:
                    if not await self._in_thread(partial(self._renew, held)):
                        return
                    renewed = started
                head = await self._stands(self.step)
                if head is not None:
                    self.published.announce(head.size)
                    await self._arrivals.wait(head.size, PERIOD)
                await asyncio.sleep(started + PERIOD - time.monotonic())
        finally:
            if beside is not None:
                beside.cancel()
                await asyncio.gather(beside, return_exceptions=True)

    async def _stands(self, action: Callable[[], Head]) -> Head | None:
        """Do something that finds out where the log stands, and tell; None when it does not stand well."""
        head, standing, why = None, "", ""
        try:
            head = await self._in_thread(action)
        except (Behind, Contradiction) as error:
            standing, why = str(error), getattr(error, "code", "contradiction")
        self.why = why
        if standing != self._standing:
            log.log(
                logging.ERROR if standing else logging.WARNING, "%s", standing or "appends are taken again"
            )
            self._standing = standing
        self._on_standing(standing)
        return head

    def _begin(self) -> Head:
        head = look(self._reader, self._kept)
        with reachable(), self._reader.connect() as connection:
            signed = checkpoints.latest(connection, head.origin) is not None
        return self.step() if self._keys and not signed else head

    def _publish(self, checkpoint: Checkpoint) -> None:
        # Without a look at the fence: a holder that has overslept publishes what the next one could have, too.
        text = format_checkpoint(checkpoint)
        signatures = tuple([key.sign_note(checkpoint.origin, text) for key in self._keys])
        self._fault("signed")
        if self._kept is not None:
            self._kept.write(format_note(Note(text, signatures)))
        self._fault("kept")
        with reachable(), self._engine.begin() as connection:
            checkpoints.store(connection, checkpoint, signatures)
        self._fault("stored")

    async def _in_thread(self, action: Callable[[], R]) -> R:
        return await asyncio.get_running_loop().run_in_executor(self._thread, action)

    def _acquire(self) -> Held | None:
        with reachable():
            return acquire(self._engine, LEASE)

    def _renew(self, held: Held) -> bool:
        with reachable():
            return renew(self._engine, held)

    def _leave(self) -> None:
        """Publish what came last, unless another process does, and let the next one publish at once."""
        try:
            held = self._acquire() if self._keys else None
            if held is not None:
                self.step()
                with reachable():
                    release(self._engine, held)
        except (Behind, Contradiction, Unavailable) as error:
            log.warning("the publisher stops: %s", error)


def open_publisher(
    settings: Settings,
    engine: Engine,
    reader: Reader,
    *,
    arrivals: Arrivals,
    on_standing: Callable[[str], None],
) -> Publisher:
    """Make the publisher of a process; the key of a new log on SQLite is made with it.

    Raises KeyFault when the keys that are configured are not those of the log, and Unavailable.
    """
    with reachable(), reader.connect() as connection:
        signed = checkpoints.latest(connection, read_head(connection).origin) is not None
    path = kept_path(settings)
    publisher = Publisher(
        engine,
        reader,
        log_keys(settings, make=not signed),
        kept=Kept(path) if path is not None else None,
        arrivals=arrivals,
        on_standing=on_standing,
    )
    publisher.check_keys()
    if settings.witnesses_file:
        from registry.audit.witnesses import ask_all  # with an HTTP client, which takes a while to load

        every = witnesses(Path(settings.witnesses_file))
        publisher.beside = partial(ask_all, every, engine, reader, publisher.published)
    return publisher
