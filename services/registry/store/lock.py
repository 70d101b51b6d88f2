"""The lock of a SQLite store: one process writes, and the others learn where it serves."""

import fcntl
import os
from pathlib import Path
from typing import Self

from sqlalchemy.engine import make_url

from registry.store.database import parse_url


class Locked(Exception):
    """Another process writes this store; ``url`` is where it serves, empty if it does not."""

    def __init__(self, path: Path, url: str) -> None:
        super().__init__(f"{path} is held by {url or 'another command'}")
        self.path = path
        self.url = url


class WriteLock:
    """An advisory lock on ``<database>.lock``, whose text is the URL of the server that holds it.

    The system lets go of it when the process ends, however it ends, so a crash leaves nothing to clean up.
    PostgreSQL needs none: there the head row is the lock, and taking this one does nothing.
    """

    def __init__(self, database: str, url: str = "") -> None:
        self._database = database
        self._url = url
        self._file: int | None = None

    def __enter__(self) -> Self:
        """Take the lock. Raises Locked when another process has it."""
        path = lock_path(self._database)
        if path is None:
            return self
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            raise Locked(path, path.read_text().strip()) from None
        os.ftruncate(file, 0)
        os.write(file, self._url.encode())
        self._file = file
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of it. The file stays: removing it could take it from under somebody who just opened it."""
        if self._file is not None:
            os.ftruncate(self._file, 0)
            os.close(self._file)
            self._file = None


def lock_path(database: str) -> Path | None:
    """Return the lock file of a store; None for one that needs none."""
    if make_url(database).get_backend_name() != "sqlite":
        return None
    return Path(f"{parse_url(database).database}.lock")


def holder(database: str) -> str | None:
    """Tell who writes a store now: the URL of a server, "" for a command, None for nobody."""
    try:
        with WriteLock(database):
            return None
    except Locked as locked:
        return locked.url
