"""Packing: the rows of some agreements as a database takes them, so that writing them is its work alone."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any

import msgspec
from sqlalchemy import Column, Table

from registry.projections.model import Rows, Tables

_encode = msgspec.json.Encoder().encode


class Packed(msgspec.Struct, frozen=True):
    """The rows of some agreements. Values stand in the order of ``columns``."""

    values: dict[str, Sequence[Any]]
    """By table, of those that get rows: on PostgreSQL a JSON array a column, on SQLite a tuple a row."""
    known: Sequence[str]
    """Agreements that may have rows already, which these replace."""


def pack(tables: Tables, dialect: str, rows: Mapping[str, Rows], new: Collection[str] = ()) -> Packed:
    """Pack rows that are given by agreement and table; agreements that are ``new`` have none yet."""
    packed: dict[str, Sequence[Any]] = {}
    for which, table in tables.items():
        values = _values(table)
        every = [
            (agreement, *values(row)) for agreement, of in rows.items() if which in of for row in of[which]
        ]
        if every:
            packed[which] = _packed(dialect, every)
    return Packed(packed, [agreement for agreement in rows if agreement not in new])


def unpack(packed: Packed, dialect: str, agreements: Collection[str]) -> Iterator[tuple[str, Packed]]:
    """Yield what was packed for each agreement by itself."""
    by_agreement: dict[str, dict[str, list[Any]]] = {agreement: {} for agreement in agreements}
    for which, values in packed.values.items():
        for row in _unpacked(dialect, values):
            by_agreement[row[0]].setdefault(which, []).append(row)
    known = set(packed.known)
    for agreement, of in by_agreement.items():
        own = {which: _packed(dialect, rows) for which, rows in of.items()}
        yield agreement, Packed(own, [agreement] if agreement in known else [])


def columns(table: Table) -> list[Column[Any]]:
    """Give the columns in the order in which values are given: whose row it is, then all others."""
    return [table.c.agreement, *(column for column in table.c if column.name != "agreement")]


def as_json(values: Sequence[Any]) -> str:
    """Write values as one JSON array."""
    return _encode(values).decode()


def _packed(dialect: str, rows: list[Any]) -> Sequence[Any]:
    return tuple(map(as_json, zip(*rows, strict=True))) if dialect == "postgresql" else rows


def _unpacked(dialect: str, values: Sequence[Any]) -> Iterator[Any]:
    return zip(*map(msgspec.json.decode, values), strict=True) if dialect == "postgresql" else iter(values)


@lru_cache(maxsize=256)
def _values(table: Table) -> Callable[[dict[str, Any]], tuple[Any, ...]]:
    """Give what takes the values out of a row, in the order of the columns behind the agreement."""
    names = [column.name for column in columns(table)[1:]]
    if len(names) > 1:
        return itemgetter(*names)
    (only,) = names
    return lambda row: (row[only],)
