"""What a read model is: tables, and the rows that the state of one agreement has in them."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, MetaData, Table, Text, text
from sqlalchemy.dialects.postgresql import TEXT
from sqlalchemy.schema import SchemaItem

from registry.domain.agreement import Agreement

SCHEMA = "read_model"
"""The PostgreSQL schema of all read models. It is the service's own; migrations touch nothing in it."""

NAMES = {"ix": "ix_%(table_name)s_%(column_0_N_name)s", "pk": "pk_%(table_name)s"}

Word = Text().with_variant(TEXT(collation="C"), "postgresql")
"""Text that is compared and sorted by its code points, so that every database gives one and the same order."""

UNSAMPLED = frozenset({"shown", "words"})
"""Columns of which PostgreSQL keeps no samples: names may be in them, and it would remember those of a table that an
erasure has left without rows. The index of words is chosen without them."""

Rows = Mapping[str, Sequence[dict[str, Any]]]
"""Rows by the name of their table, each without its agreement."""

Tables = Mapping[str, Table]


class ReadModel(msgspec.Struct, frozen=True, eq=False):
    """One read model. Every row belongs to one agreement and depends on nothing but its state.

    So whatever happened to an agreement, its rows are replaced as a whole: corrections, merges and retractions
    need no handling of their own, and any way of cutting the log into batches leads to the same rows.
    """

    name: str
    version: int
    """Raised whenever the tables or the rows change; the old version serves until this one has caught up."""
    columns: Mapping[str, Callable[[], Sequence[SchemaItem]]]
    """By table: makes its columns and indexes beside ``agreement``. The table ``""`` is the model's main one.

    A table with one row an agreement says so by a column ``agreement`` of its own, ``the_only_row``.
    """
    rows: Callable[[Agreement], Rows]

    @property
    def lease(self) -> str:
        """The name of the lease of whoever runs this version."""
        return f"projection/{self.name}/{self.version}"

    def tables(self, generation: int, dialect: str) -> Tables:
        """Name the tables of one generation: ``rm_<name>_<version>_<generation>`` and, behind it, the table's."""
        return _tables(self, generation, dialect)


@lru_cache(maxsize=256)
def _tables(model: ReadModel, generation: int, dialect: str) -> Tables:
    """Make the tables once: statements on the same ones are compiled once."""
    metadata = MetaData(schema=SCHEMA if dialect == "postgresql" else None, naming_convention=NAMES)
    prefix = f"rm_{model.name}_{model.version}_{generation}"
    return {
        table: Table(f"{prefix}_{table}" if table else prefix, metadata, *_with_agreement(make()))
        for table, make in model.columns.items()
    }


def the_only_row() -> Column[str]:
    """Make the column ``agreement`` of a table with one row for each; databases plan better for knowing it."""
    return Column("agreement", Word, nullable=False, index=True, unique=True)


def _with_agreement(items: Sequence[SchemaItem]) -> Sequence[SchemaItem]:
    if any(isinstance(item, Column) and item.name == "agreement" for item in items):
        return items
    return (Column("agreement", Word, nullable=False, index=True), *items)


def create(connection: Connection, tables: Tables) -> None:
    """Make the tables of a generation."""
    for table in tables.values():
        table.create(connection)
        if connection.dialect.name == "postgresql":
            for name in UNSAMPLED & set(table.c.keys()):
                connection.execute(text(f"ALTER TABLE {table.fullname} ALTER COLUMN {name} SET STATISTICS 0"))


def drop(connection: Connection, tables: Tables) -> None:
    """Drop the tables of a generation; those that are gone already are fine."""
    for table in tables.values():
        table.drop(connection, checkfirst=True)
