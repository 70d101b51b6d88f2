"""What the doctor looks at: one function a check. Nothing here changes anything."""

import platform
import shutil
import sqlite3
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal

import msgspec

from registry.cli.database import file_of, reader_engine
from registry.cli.environment import masked
from registry.cli.exits import Stop
from registry.config import Settings
from registry.errors import Unavailable
from registry.merkle.entry import format_time
from registry.store.database import reachable
from registry.store.head import read_head
from registry.store.lock import holder, lock_path
from registry.store.migrate import current_revision, newest_revision
from registry.store.tables import APPEND_ONLY

OLDEST_PYTHON = (3, 11)
WAL_RESET_BUG = ((3, 7, 0), (3, 51, 2))
"""SQLite versions that may corrupt a database when two connections write or checkpoint at once."""
LEAST_SPACE = 256 << 20
BUILT_AFTER = datetime(2026, 1, 1, tzinfo=UTC)
MICROSECONDS = 1_000_000

TRIGGERS = {
    "sqlite": "SELECT tbl_name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT relname, pg_get_triggerdef(t.oid) "
    "FROM pg_trigger t JOIN pg_class c ON c.oid = tgrelid "
    "WHERE NOT tgisinternal AND tgenabled <> 'D' AND relnamespace = current_schema()::regnamespace",
}


class Check(msgspec.Struct, frozen=True):
    name: str
    state: Literal["ok", "warn", "fail"]
    text: str


def checks(settings: Settings) -> Iterator[Check]:
    """Look at everything; what rests on something broken is left out."""
    from registry.cli import key_checks  # which makes checks as well

    yield python()
    yield clock()
    if settings.sqlite:
        yield sqlite_version(sqlite3.sqlite_version_info)
        yield space(settings)
    yield from key_checks.key_files(settings)
    try:
        with reader_engine(settings) as engine, reachable(), engine.connect() as connection:
            yield Check("database", "ok", masked(settings.database))
            if settings.sqlite:
                yield journal(connection)
            else:
                yield Check(
                    "postgresql", "ok", str(connection.exec_driver_sql("SHOW server_version").scalar())
                )
                yield key_checks.skew(connection)
            migration = migrations(current_revision(connection))
            yield migration
            if migration.state == "ok":
                yield triggers(connection)
                yield head(connection)
                yield key_checks.kept_checkpoint(settings, engine)
                yield key_checks.ending_keys(engine)
    except (Stop, Unavailable) as error:
        yield Check("database", "fail", str(error))
    if settings.sqlite:
        yield lock(settings)


def python() -> Check:
    """The interpreter, and what it runs on."""
    version = platform.python_version()
    state: Literal["ok", "fail"] = "ok" if sys.version_info >= OLDEST_PYTHON else "fail"
    return Check("python", state, f"{version} on {platform.system()} {platform.machine()}")


def clock() -> Check:
    """The wall clock, which gives the record times."""
    now = datetime.now(UTC)
    if now < BUILT_AFTER:
        return Check("clock", "fail", f"it says {now:%Y-%m-%d %H:%M:%S} UTC, which is past")
    return Check("clock", "ok", f"{now:%Y-%m-%d %H:%M:%S} UTC")


def sqlite_version(version: tuple[int, int, int]) -> Check:
    """The SQLite library, and whether it has the WAL-reset bug."""
    shown = ".".join(map(str, version))
    if WAL_RESET_BUG[0] <= version <= WAL_RESET_BUG[1]:
        return Check(
            "sqlite",
            "warn",
            f"{shown} can corrupt a WAL when two processes write or checkpoint: keep to one process, as the "
            "lock does, and open the file with no other tool while it serves (mended after 3.51.2)",
        )
    return Check("sqlite", "ok", shown)


def space(settings: Settings) -> Check:
    """Room on the disk that holds the database."""
    place = (file_of(settings) or Path()).absolute().parent
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free
    state: Literal["ok", "warn"] = "ok" if free >= LEAST_SPACE else "warn"
    return Check("space", state, f"{free / (1 << 30):,.1f} GiB free in {place}")


def journal(connection: Any) -> Check:
    """The journal of an SQLite database."""
    mode = connection.exec_driver_sql("PRAGMA journal_mode").scalar()
    state: Literal["ok", "warn"] = "ok" if mode == "wal" else "warn"
    return Check(
        "journal", state, f"{mode}{'' if mode == 'wal' else ', becomes wal when the service opens it'}"
    )


def migrations(revision: str | None) -> Check:
    """Whether the tables are those of this version."""
    newest = newest_revision()
    if revision == newest:
        return Check("migrations", "ok", f"at revision {revision}")
    if revision is None:
        return Check("migrations", "fail", "no tables yet; `registry migrate` makes them")
    return Check(
        "migrations", "fail", f"at revision {revision}, this version needs {newest}: `registry migrate`"
    )


def triggers(connection: Any) -> Check:
    """Whether everything append-only is guarded against UPDATE and DELETE."""
    guarded: dict[str, str] = {}
    for table, definition in connection.exec_driver_sql(TRIGGERS[connection.dialect.name]):
        guarded[table] = guarded.get(table, "") + definition.upper()
    bare = [
        f"{operation} on {table}"
        for table in APPEND_ONLY
        for operation in ("UPDATE", "DELETE")
        if operation not in guarded.get(table, "")
    ]
    if bare:
        return Check("triggers", "fail", f"nothing refuses {', '.join(bare)}")
    return Check("triggers", "ok", f"{', '.join(APPEND_ONLY)} only grow")


def head(connection: Any) -> Check:
    """Where the log ends, and whether the clock has fallen behind it."""
    end = read_head(connection)
    if not end.size:
        return Check("log", "ok", f"{end.origin} is empty")
    ahead = end.recorded_at - time.time_ns() // 1000
    if ahead > MICROSECONDS:
        late = timedelta(seconds=ahead // MICROSECONDS)
        return Check(
            "log", "warn", f"the clock is {late} behind the last record time, which stands still till then"
        )
    shown = f"{end.origin}: {end.size:,} event{'' if end.size == 1 else 's'}"
    return Check("log", "ok", f"{shown}, the last recorded {format_time(end.recorded_at)}")


def lock(settings: Settings) -> Check:
    """Who writes the database now. Without a lock file nobody ever did, and none is made."""
    path = lock_path(settings.database)
    url = holder(settings.database) if path is not None and path.exists() else None
    if url is None:
        return Check("lock", "ok", "nobody writes now")
    return Check("lock", "ok", f"held by the server at {url}" if url else "held by another command")
