"""Arrivals: waking whoever waits for the log to grow, without asking the database again and again."""

import asyncio
import logging
import threading
from typing import Any

from sqlalchemy.engine import make_url

from registry.store.database import connection_arguments

log = logging.getLogger(__name__)

CHANNEL = "agreement_registry"
"""What an append notifies on PostgreSQL, once a transaction: the position that the log has reached."""

RECONNECT = 1.0
"""Seconds after which a lost listening connection is opened again; meanwhile waiters poll."""
CONNECT = 2
"""Seconds to wait for each host when it connects: for no longer than that may it hold up the end of a process."""


class Arrivals:
    """The furthest position this process has heard of. Belongs to the event loop."""

    def __init__(self) -> None:
        self.position = 0
        self._grown = asyncio.Event()

    def announce(self, position: int) -> None:
        """Tell that the log has reached a position."""
        if position > self.position:
            self.position = position
            self._grown.set()
            self._grown = asyncio.Event()

    async def wait(self, after: int, timeout: float) -> None:  # noqa: ASYNC109 - running out is no error here
        """Wait until the log is known to be longer than ``after``, or for ``timeout`` seconds."""
        try:
            # Unlike wait_for, which may overlook that the task is cancelled while the log grows.
            async with asyncio.timeout(timeout):
                while self.position <= after:
                    await self._grown.wait()
        except TimeoutError:
            return


class Listener:
    """Hears what other processes append to a PostgreSQL store, in a thread with a connection of its own.

    A wake-up only: whoever waits polls as well, so a notification that is lost costs time and nothing else.
    """

    def __init__(self, url: str, arrivals: Arrivals, loop: asyncio.AbstractEventLoop) -> None:
        self._arguments = connection_arguments(url, connect_timeout=CONNECT)
        self._arrivals = arrivals
        self._loop = loop
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="listener", daemon=True)

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def stop(self) -> None:
        """Stop listening; returns within a fraction of a second."""
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        import psycopg  # a SQLite store does without

        while not self._stop.is_set():
            try:
                self._listen()
            except psycopg.Error as error:
                log.warning("not listening for appends: %s", type(error).__name__)
                self._stop.wait(RECONNECT)

    def _listen(self) -> None:
        import psycopg

        with psycopg.connect(**self._arguments, autocommit=True) as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            while not self._stop.is_set():
                for notification in connection.notifies(timeout=0.2):
                    self._loop.call_soon_threadsafe(self._arrivals.announce, _position(notification.payload))


def _position(payload: Any) -> int:
    """Read a position; anybody may notify, so what is none counts as nothing new."""
    text = str(payload)
    return int(text) if text.isascii() and text.isdigit() else 0


def listens(url: str) -> bool:
    """Tell whether a store notifies."""
    return make_url(url).get_backend_name() == "postgresql"
