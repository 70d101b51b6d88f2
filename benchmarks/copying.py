"""What the database takes by COPY of the very rows that a rebuild makes: the bound of any rebuild."""

import time
from collections.abc import Iterator

import psycopg
from psycopg import sql

from benchmarks.figures import Measurement
from benchmarks.loaded import Loaded
from registry.projections.model import SCHEMA
from registry.store.database import connection_arguments

SUBJECT = "COPY"
TASK = "rebuild on PostgreSQL"


def measurements(store: Loaded, repetitions: int) -> Iterator[Measurement]:
    """Copy the rows of all live read models into tables like them, with their indexes, one transaction a table."""
    with psycopg.connect(**connection_arguments(store.url)) as connection:
        for _ in range(repetitions):
            seconds = sum(_copy(connection, table) for table in _live(connection))
            yield Measurement(subject=SUBJECT, task=TASK, events=store.events, seconds=seconds)


def _live(connection: psycopg.Connection) -> list[str]:
    """Name the tables of the generations that are read."""
    names = connection.execute(
        "SELECT tablename FROM pg_tables, tracking WHERE schemaname = %s AND state = 'live'"
        " AND (tablename || '_') LIKE format('rm\\_%%s\\_%%s\\_%%s\\_%%%%', projection, version, generation)",
        [SCHEMA],
    )
    return sorted({name for (name,) in names})


def _copy(connection: psycopg.Connection, table: str) -> float:
    source, target = sql.Identifier(SCHEMA, table), sql.Identifier(SCHEMA, f"copied_{table}"[:63])
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} TO STDOUT (FORMAT binary)").format(source)) as copying,
    ):
        rows = b"".join(bytes(piece) for piece in copying)
    connection.execute(sql.SQL("CREATE TABLE {} (LIKE {} INCLUDING ALL)").format(target, source))
    connection.commit()
    start = time.perf_counter()
    with (
        connection.cursor() as cursor,
        cursor.copy(sql.SQL("COPY {} FROM STDIN (FORMAT binary)").format(target)) as copying,
    ):
        copying.write(rows)
    connection.commit()
    seconds = time.perf_counter() - start
    connection.execute(sql.SQL("DROP TABLE {}").format(target))
    connection.commit()
    return seconds
