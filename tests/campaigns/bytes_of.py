"""Every byte that a database consists of, and where a word stands among them."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
from sqlalchemy.engine import make_url

from registry.store.database import parse_url

CATALOGS = "SELECT n.nspname, c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "


def found_in(url: str, *words: str) -> list[str]:
    """Tell where in a database one of some words stands: in which file, or in which table."""
    every = files_of(url) if url.startswith("sqlite") else tables_of(url)
    return sorted({where for where, content in every for word in words if word.encode() in content})


def files_of(url: str) -> Iterator[tuple[str, bytes]]:
    """Read the files of a SQLite database: its own, the WAL, and the index of that."""
    path = Path(parse_url(url).database or "")
    for name in (path, *path.parent.glob(f"{path.name}-*")):
        yield name.name, name.read_bytes()


def tables_of(url: str) -> Iterator[tuple[str, bytes]]:
    """Copy every table of a PostgreSQL database out, and what the planner remembers of their values."""
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        tables = connection.execute(
            CATALOGS + "WHERE c.relkind = 'r' AND n.nspname NOT IN ('pg_catalog', 'information_schema')"
        ).fetchall()
        for schema, table in tables:
            with connection.cursor().copy(f'COPY "{schema}"."{table}" TO STDOUT (FORMAT binary)') as copied:
                yield f"{schema}.{table}", b"".join(bytes(piece) for piece in copied)
        for row in connection.execute("SELECT tablename, attname, s::text FROM pg_stats s").fetchall():
            yield f"statistics of {row[0]}.{row[1]}", row[2].encode()


def relations_of(url: str) -> Iterator[tuple[str, bytes]]:
    """Read the files of every table and index of a PostgreSQL database whose data directory is at hand."""
    conninfo = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(conninfo, autocommit=True) as connection:
        connection.execute("CHECKPOINT")
        home = Path(connection.execute("SHOW data_directory").fetchone()[0])  # type: ignore[index]
        rows = connection.execute(
            CATALOGS.replace(
                "SELECT n.nspname, c.relname", "SELECT n.nspname, c.relname, pg_relation_filepath(c.oid)"
            )
            + "WHERE c.relkind IN ('r', 'i', 't')"
        ).fetchall()
    for schema, name, path in rows:
        for file in sorted((home / path).parent.glob(f"{Path(path).name}*")):
            yield f"{schema}.{name}", file.read_bytes()
