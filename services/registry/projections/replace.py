"""Writing rows: all of an agreement's at once, and many agreements in one statement a table."""

from collections.abc import Collection, Mapping
from functools import lru_cache
from itertools import chain
from typing import Any

from sqlalchemy import Boolean, Column, Connection, Integer, Table, literal_column
from sqlalchemy.dialects import postgresql

from registry.projections.model import Rows, Tables

TOGETHER = 100
"""Rows that one statement inserts on SQLite, which takes up to 32,766 values."""


def replace(
    connection: Connection, tables: Tables, rows: Mapping[str, Rows], new: Collection[str] = ()
) -> None:
    """Replace the rows of some agreements, given by agreement and table; those that are ``new`` have none yet."""
    known = [agreement for agreement in rows if agreement not in new]
    for which, table in tables.items():
        if known:
            connection.execute(table.delete().where(table.c.agreement.in_(known)))
        names = [column.name for column in _columns(table)[1:]]
        every = [
            (agreement, *[row[name] for name in names])
            for agreement, of in rows.items()
            for row in of.get(which, ())
        ]
        if not every:
            continue
        if connection.dialect.name == "postgresql":
            arrays = tuple(list(values) for values in zip(*every, strict=True))
            connection.exec_driver_sql(_insert_on_postgresql(table), arrays)
        else:
            _insert(connection, table, every)


@lru_cache(maxsize=256)
def _insert_on_postgresql(table: Table) -> str:
    """Write the statement that takes an array a column: any number of rows, one round trip and one plan."""
    columns = _columns(table)
    taken = [_taken(one) for one in columns]
    names = ", ".join(map(_quoted, columns))
    return (
        f"INSERT INTO {table.fullname} ({names}) SELECT {', '.join(taken)} "
        f"FROM unnest({', '.join(f'%b::{_kind(one)}[]' for one in columns)}) AS given ({names})"
    )


def _insert(connection: Connection, table: Table, rows: list[tuple[Any, ...]]) -> None:
    """Insert rows on SQLite, many by one statement: another thread can work until the statement is done."""
    whole = len(rows) - len(rows) % TOGETHER
    for start in range(0, whole, TOGETHER):
        values = tuple(chain.from_iterable(rows[start : start + TOGETHER]))
        connection.exec_driver_sql(_insert_on_sqlite(table, TOGETHER), values)
    if whole < len(rows):
        connection.exec_driver_sql(_insert_on_sqlite(table), rows[whole:])


@lru_cache(maxsize=256)
def _insert_on_sqlite(table: Table, rows: int = 1) -> str:
    columns = _columns(table)
    names, marks = ", ".join(map(_quoted, columns)), ", ".join("?" for _ in columns)
    return f"INSERT INTO {table.fullname} ({names}) VALUES {', '.join([f'({marks})'] * rows)}"


def _columns(table: Table) -> list[Column[Any]]:
    """Give the columns in the order in which values are given: whose row it is, then all others."""
    return [table.c.agreement, *(column for column in table.c if column.name != "agreement")]


def _taken(column: Column[Any]) -> str:
    """Write how a column takes what is given for it: as it is, or made into the database's own kind."""
    given: Any = literal_column(_quoted(column))
    made = column.type.bind_expression(given)
    return str((given if made is None else made).compile(dialect=postgresql.dialect()))  # type: ignore[no-untyped-call]


def _quoted(column: Column[Any]) -> str:
    return f'"{column.name}"'


def _kind(column: Column[Any]) -> str:
    if isinstance(column.type, Boolean):
        return "boolean"
    return "bigint" if isinstance(column.type, Integer) else "text"
