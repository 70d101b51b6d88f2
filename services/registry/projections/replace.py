"""Writing rows: all of an agreement's at once, and many agreements in one statement a table."""

from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Integer, Table, literal_column
from sqlalchemy.dialects import postgresql

from registry.projections.model import Tables
from registry.projections.packing import Packed, as_json, columns

TOGETHER = (400, 100, 20, 5, 1)
"""How many rows one statement inserts on SQLite, which takes up to 32,766 values and keeps few statements prepared."""


def replace(connection: Connection, tables: Tables, packed: Packed) -> None:
    """Replace the rows of some agreements by what was packed for this kind of database."""
    on_postgresql = connection.dialect.name == "postgresql"
    for which, table in tables.items():
        if packed.known:
            connection.exec_driver_sql(_delete(table, connection.dialect.name), (as_json(packed.known),))
        values = packed.values.get(which)
        if values is None:
            continue
        if on_postgresql:
            connection.exec_driver_sql(_insert_on_postgresql(table), tuple(values))
        else:
            _insert(connection, table, values)


@lru_cache(maxsize=256)
def _delete(table: Table, dialect: str) -> str:
    """Write the statement that takes the agreements as one JSON array, so that it is one for any number of them."""
    if dialect == "postgresql":
        given = "= ANY (ARRAY(SELECT json_array_elements_text(%b::json)))"
    else:
        given = "IN (SELECT value FROM json_each(?))"
    return f"DELETE FROM {table.fullname} WHERE agreement {given}"


@lru_cache(maxsize=256)
def _insert_on_postgresql(table: Table) -> str:
    """Write the statement that takes a JSON array a column: any number of rows, one round trip and one plan.

    Arrays of PostgreSQL's own would be made in Python, value by value.
    """
    given = columns(table)
    names = ", ".join(map(_quoted, given))
    arrays = ", ".join("json_array_elements_text(%b::json)" for _ in given)
    return (
        f"INSERT INTO {table.fullname} ({names}) SELECT {', '.join(map(_taken, given))} "
        f"FROM ROWS FROM ({arrays}) AS given ({names})"
    )


def _insert(connection: Connection, table: Table, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert rows on SQLite, many by one statement: another thread can work until the statement is done."""
    start = 0
    for together in TOGETHER:
        while len(rows) - start >= together:
            values = tuple(chain.from_iterable(rows[start : start + together]))
            connection.exec_driver_sql(_insert_on_sqlite(table, together), values)
            start += together


@lru_cache(maxsize=1024)
def _insert_on_sqlite(table: Table, rows: int) -> str:
    given = columns(table)
    names, marks = ", ".join(map(_quoted, given)), ", ".join("?" for _ in given)
    return f"INSERT INTO {table.fullname} ({names}) VALUES {', '.join([f'({marks})'] * rows)}"


def _taken(column: Column[Any]) -> str:
    """Write how a column takes the text that is given for it: as it is, or made into the database's own kind."""
    kind = _kind(column)
    given: Any = literal_column(_quoted(column) if kind == "text" else f"{_quoted(column)}::{kind}")
    made = column.type.bind_expression(given)
    return str((given if made is None else made).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]


def _quoted(column: Column[Any]) -> str:
    return f'"{column.name}"'


def _kind(column: Column[Any]) -> str:
    if isinstance(column.type, Boolean):
        return "boolean"
    return "bigint" if isinstance(column.type, Integer) else "text"
