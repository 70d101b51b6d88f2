"""Engines: how each kind of database is opened, for the one writer and for readers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Engine, create_engine, event, exc
from sqlalchemy.engine import URL, make_url
from sqlalchemy.pool import QueuePool

from registry.errors import Unavailable

BINARY = {"binary": True}
"""For statements that read many bytes: PostgreSQL sends them to a reader as they are, not in hexadecimal digits."""

GONE = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError, exc.InternalError)
"""What SQLAlchemy raises when the database cannot be reached, went away or did not answer in time."""


def parse_url(url: str) -> URL:
    """Return the URL with the driver this project uses; SQLite paths become absolute."""
    parsed = make_url(url)
    backend = parsed.get_backend_name()
    if backend == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend != "sqlite":
        raise ValueError(f"the store is sqlite or postgresql, not {backend}")
    if not parsed.database or parsed.database == ":memory:":
        raise ValueError("the store is a file: sqlite:///path/to/registry.db")
    return parsed.set(drivername="sqlite", database=str(Path(parsed.database).absolute()))


# An append looks rows up by key and never scans; a plan made while a table was small must not say otherwise.
POINT_LOOKUPS = ("enable_seqscan = off", "enable_hashjoin = off", "enable_mergejoin = off")


# A primary that is gone without a word, as when its machine is cut off, is given up after about half a minute,
# and not when the system does so by itself. What a URL says of these goes before; sockets of this machine have none.
LOST = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 25_000,
}


def open_writer(url: str, *, lock_timeout: int = 10, pool_size: int = 4) -> Engine:
    """Open the engine that appends. SQLite gets one connection, whose transactions begin IMMEDIATE."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        engine = create_engine(
            parsed,
            pool_size=1,
            max_overflow=0,
            pool_timeout=lock_timeout,
            hide_parameters=True,
            connect_args={"timeout": lock_timeout, "check_same_thread": False},
        )
        _prepare_sqlite(
            engine,
            begin="BEGIN IMMEDIATE",
            pragmas=(
                "journal_mode = WAL",
                "synchronous = FULL",
                "secure_delete = ON",
                "recursive_triggers = ON",  # so that INSERT OR REPLACE meets the triggers that refuse DELETE
            ),
        )
        return engine
    return _postgres(parsed, pool_size=pool_size, lock_timeout=lock_timeout, settings=POINT_LOOKUPS)


def open_reader(url: str, *, lock_timeout: int = 10, pool_size: int = 8) -> Engine:
    """Open the engine that reads. On SQLite ``mode=ro``: a read-write one may checkpoint as it closes."""
    parsed = parse_url(url)
    if parsed.get_backend_name() == "sqlite":
        path = Path(parsed.database or "").as_uri()
        read_only = parsed.set(database=path).update_query_dict({"mode": "ro", "uri": "true"})
        engine = create_engine(
            read_only,
            pool_size=pool_size,
            pool_timeout=lock_timeout,
            hide_parameters=True,
            connect_args={"timeout": lock_timeout, "check_same_thread": False},
        )
        _prepare_sqlite(engine, begin="BEGIN", pragmas=("query_only = ON",))
        return engine
    # A read is one statement, or several that each see what is committed by then: READ COMMITTED would give no
    # more, and its BEGIN and ROLLBACK are two round trips.
    engine = _postgres(parsed, pool_size=pool_size, lock_timeout=lock_timeout, isolation="AUTOCOMMIT")
    _prepare_formats(engine)
    return engine


@contextmanager
def reachable() -> Iterator[None]:
    """Turn a database that is lost, out of reach or damaged into Unavailable."""
    try:
        yield
    except GONE as error:
        raise Unavailable("the database cannot be reached") from error
    except exc.DatabaseError as error:
        if type(error) is not exc.DatabaseError:
            raise
        # What SQLite says of a file that is no database any more; every other error is of a narrower kind.
        raise Unavailable(f"the database cannot be read: {error.orig}") from error


def _postgres(
    url: URL,
    *,
    pool_size: int,
    lock_timeout: int,
    settings: tuple[str, ...] = (),
    isolation: Literal["READ COMMITTED", "AUTOCOMMIT"] = "READ COMMITTED",
) -> Engine:
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_timeout=lock_timeout,
        hide_parameters=True,  # an error that is logged says nothing of anybody
        isolation_level=isolation,
        connect_args=_unless_given(url, {"connect_timeout": lock_timeout, **LOST}),
    )

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        with connection.cursor() as cursor:
            for setting in (f"lock_timeout = '{lock_timeout}s'", "synchronous_commit = on", *settings):
                cursor.execute(f"SET {setting}")
        connection.commit()

    return engine


def _prepare_formats(engine: Engine) -> None:
    from psycopg.pq import Format  # a SQLite store does without

    @event.listens_for(engine, "before_cursor_execute")
    def choose(_connection: Any, cursor: Any, _statement: Any, _given: Any, context: Any, _many: Any) -> None:
        if context.execution_options.get("binary"):
            cursor.format = Format.BINARY


def pool_use(engine: Engine) -> tuple[int, int]:
    """Tell how many connections of an engine are in use, and how many it opens at most."""
    pool = engine.pool
    assert isinstance(pool, QueuePool)  # noqa: S101 - as both kinds of database are opened above
    return pool.checkedout(), pool.size() + max(0, pool._max_overflow)  # noqa: SLF001 - nothing else says it


def connection_arguments(url: str, **otherwise: Any) -> dict[str, Any]:
    """Return what psycopg connects to a PostgreSQL store with, of several hosts as of one.

    ``otherwise`` counts where the URL says nothing.
    """
    parsed = parse_url(url)
    _, given = parsed.get_dialect()().create_connect_args(parsed)
    return {**LOST, **otherwise, **given}


def _unless_given(url: URL, settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name not in url.query}


def _prepare_sqlite(engine: Engine, *, begin: str, pragmas: tuple[str, ...]) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself; the listener below does
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").close()

    @event.listens_for(engine, "begin")
    def begins(connection: Any) -> None:
        connection.exec_driver_sql(begin)
