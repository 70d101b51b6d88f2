"""The database of this machine: how commands lock it and open it, and what they say when they cannot."""

import re
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from registry.cli.console import note
from registry.cli.exits import LOCKED, UNREACHABLE, USAGE, Stop
from registry.config import Settings
from registry.store.database import open_reader, open_writer, parse_url
from registry.store.lock import Locked, WriteLock
from registry.store.migrate import newest_revision
from registry.store.reader import Reader

SQLITE = b"SQLite format 3\0"
"""How every SQLite file begins that is not empty."""


class Held(Stop):
    """Another process writes the SQLite store; ``url`` is where it serves, empty if it does not."""

    def __init__(self, settings: Settings, url: str) -> None:
        by = f"the server at {url}" if url else "another command"
        super().__init__(LOCKED, f"{by} writes {settings.database} now, and there is one writer at a time")
        self.url = url


def file_of(settings: Settings) -> Path | None:
    """Return the file of a SQLite store; None for PostgreSQL. Raises Stop when the URL is neither."""
    if not re.match(r"(sqlite|postgresql)(\+\w+)?://", settings.database):
        raise Stop(USAGE, "REGISTRY_DATABASE is a URL that begins with sqlite:/// or postgresql://")
    try:
        path = parse_url(settings.database).database
    except ValueError as error:
        raise Stop(USAGE, f"REGISTRY_DATABASE is no URL of a database: {error}") from error
    return Path(path or "") if settings.sqlite else None


@contextmanager
def write_lock(settings: Settings, url: str = "") -> Iterator[None]:
    """Hold the lock of a SQLite store; ``url`` is where a server serves. Raises Held when another has it."""
    path = file_of(settings)
    lock = WriteLock(settings.database, url)
    try:
        lock.__enter__()
    except Locked as locked:
        raise Held(settings, locked.url) from locked
    except OSError as error:
        raise Stop(USAGE, f"cannot write beside {path}: {error.strerror}") from error
    with ExitStack() as held:
        held.push(lock)
        yield


@contextmanager
def writer_engine(settings: Settings) -> Iterator[Any]:
    """Open the engine that appends; for SQLite the lock must be held. Raises Stop or Unavailable."""
    path = file_of(settings)
    if path is not None and path.exists():
        require_file(settings)
    engine = open_writer(settings.database, lock_timeout=settings.lock_timeout)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def reader_engine(settings: Settings) -> Iterator[Any]:
    """Open the engine that reads. Raises Stop when there is no such database, and Unavailable."""
    require_file(settings)
    engine = open_reader(settings.database, lock_timeout=settings.lock_timeout)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def checked_reader_engine(settings: Settings) -> Iterator[Any]:
    """Open the engine that reads a database of this version. Raises Stop or Unavailable."""
    with reader_engine(settings) as engine:
        check_revision(Reader(engine).revision())
        yield engine


@contextmanager
def reader(settings: Settings) -> Iterator[Reader]:
    """Open a database of this version to read. Raises Stop or Unavailable."""
    with checked_reader_engine(settings) as engine:
        yield Reader(engine)


def lock_or_url(opened: ExitStack, settings: Settings) -> str | None:
    """Take the write lock for as long as ``opened`` is; None then. Give the URL of the server that holds it instead.

    Raises Held when whoever holds it is no server.
    """
    try:
        opened.enter_context(write_lock(settings))
    except Held as held:
        if not held.url:
            raise
        note(f"the server at {held.url} writes the database; going through it")
        return held.url
    return None


def require_file(settings: Settings) -> None:
    """Refuse a SQLite store that is not there, instead of making an empty one. Raises Stop."""
    path = file_of(settings)
    if path is None:
        return
    try:
        with path.open("rb") as file:
            start = file.read(len(SQLITE))
    except FileNotFoundError:
        raise Stop(UNREACHABLE, f"there is no database at {path}; `registry migrate` makes one") from None
    except OSError as error:
        raise Stop(UNREACHABLE, f"cannot read {path}: {error.strerror}") from error
    if start not in (b"", SQLITE):
        raise Stop(USAGE, f"{path} is no SQLite database")


def check_revision(revision: str | None) -> None:
    """Refuse a database whose tables are not those of this version. Raises Stop."""
    newest = newest_revision()
    if revision != newest:
        found = f"at revision {revision}" if revision else "without tables"
        raise Stop(
            UNREACHABLE, f"the database is {found}, this version needs {newest}: run `registry migrate`"
        )
