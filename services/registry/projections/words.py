"""Words: full-text search that finds the same on every database.

The words of a text are made here and not by a database, which only keeps them, byte for byte: SQLite in an FTS5
index beside the table, which triggers keep up to date, PostgreSQL in a ``tsvector`` with a GIN index. All words
that are sought must be there; the last may be the beginning of one.

A model that has texts adds ``*word_columns()`` to a table and gives each row an ``id``, the position of the founding
event, and its ``words`` by ``kept_words``; its list has a filter of the type ``Sought`` and the condition
that its ``id`` is among those of ``matching``.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any
from unicodedata import category, normalize

from sqlalchemy import (
    BindParameter,
    Column,
    ColumnElement,
    Connection,
    Dialect,
    Index,
    Select,
    Table,
    Text,
    cast,
    column,
    event,
    literal,
    literal_column,
    select,
    table,
    text,
)
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.schema import SchemaItem
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeDecorator, TypeEngine

from registry.projections.listing import Source
from registry.store.tables import Position

LONGEST = 64
"""Letters of a word that count. PostgreSQL takes up to 2,046 bytes."""

MOST_BYTES = 400_000
"""Bytes of words that a row may have; PostgreSQL takes up to a megabyte."""

MOST_SOUGHT = 30
"""Words that may be sought at once."""

INDEX = "_words"
"""What the name of a table's index on SQLite ends in."""

_WORD = re.compile(r"[^\W_]+")

_ASCII = bytes(ord(chr(code).lower() if chr(code).isalnum() else " ") for code in range(128)).ljust(256)
"""What becomes of each character of a text in ASCII, so that it need only be split."""


def words_of(text: str) -> list[str]:
    """Cut a text into its words: letters and digits, without accents and capitals (``São Tomé``: sao, tome)."""
    if text.isascii():
        words = text.encode().translate(_ASCII).decode().split()
        return words if len(text) <= LONGEST else [word[:LONGEST] for word in words]
    # Capitals may fold to letters with accents, and accents be what decides whether two letters are one.
    plain = normalize("NFKD", normalize("NFKD", text).casefold())
    text = "".join(letter for letter in plain if category(letter)[0] != "M")
    return [word[:LONGEST] for word in _WORD.findall(text.lower())]


def folded(text: str) -> str:
    """Give a text as it is compared and sorted: its words, with a space between any two."""
    return " ".join(words_of(text))


def kept_words(texts: Iterable[str]) -> str:
    """Give the words of several texts as they are kept: each once, sorted, with a space between any two.

    Should they be too many, those of the texts that come first are kept.
    """
    found: dict[str, None] = {}
    for one in texts:
        found.update(dict.fromkeys(words_of(one)))
    every = " ".join(sorted(found))
    if len(every) * 4 <= MOST_BYTES:  # a character has at most four bytes
        return every
    kept: list[str] = []
    left = MOST_BYTES
    for word in found:
        left -= len(word.encode()) + 1
        if left < 0:
            break
        kept.append(word)
    return " ".join(sorted(kept))


class Sought:
    """What is looked for: words that must all be there, the last of them or a word that begins like it."""

    PATTERN = r"[^\W_]"
    """What is in every text that can be looked for."""

    def __init__(self, words: Sequence[str]) -> None:
        self.words = tuple(words)

    @classmethod
    def parse(cls, text: str) -> "Sought":
        """Read what somebody typed. Raises ValueError when there is nothing to look for, or too much."""
        words = words_of(text)
        if not words:
            raise ValueError("has no word to look for: no letter and no digit")
        if len(words) > MOST_SOUGHT:
            raise ValueError(f"has more than {MOST_SOUGHT} words")
        return cls(words)

    def __str__(self) -> str:
        return " ".join(self.words)


def matching(source: Source, main: Table, sought: Sought) -> Select[int]:
    """Find the ids of the rows of a table that have the words."""
    *whole, last = sought.words  # letters and digits alone, so they need no escaping
    if source.dialect == "postgresql":
        lexemes = " & ".join((*(f"'{word}'" for word in whole), f"'{last}':*"))
        return select(main.c.id).where(
            main.c.words.op("@@", is_comparison=True)(cast(literal(lexemes), TSQUERY))
        )
    phrases = " ".join((*(f'"{word}"' for word in whole), f'"{last}"*'))
    index = table(main.name + INDEX, column("rowid"))
    found = literal_column(index.name).op("MATCH", is_comparison=True)(phrases)
    return select(index.c.rowid).where(found)


def word_columns() -> Sequence[SchemaItem]:
    """Make the columns of a table whose rows are found by words: ``id``, unique for ever, and ``words``."""
    # An implicit row id may be renumbered by VACUUM, which the index beside the table would not notice.
    return [
        Column("id", Position, primary_key=True, autoincrement=False),
        Column("words", Words, nullable=False),
        Index(None, "words", postgresql_using="gin").ddl_if(dialect="postgresql"),
    ]


def forget(connection: Connection) -> None:
    """Make words that are in no row any more vanish from every index, in the caller's transaction.

    On SQLite an index keeps the words of deleted rows until it is optimized, ``secure_delete`` notwithstanding; the
    pages they were on are then overwritten, in the file itself once the WAL is checkpointed. On PostgreSQL they
    are in dead rows, which VACUUM of the tables removes and this does not.
    """
    if connection.dialect.name != "sqlite":
        return
    indexes = text(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name LIKE 'rm!_%' ESCAPE '!' "
        "AND sql LIKE 'CREATE VIRTUAL TABLE % USING fts5%'"
    )
    for name in connection.scalars(indexes).all():
        connection.exec_driver_sql(f"INSERT INTO {name}({name}) VALUES ('optimize')")


@event.listens_for(Table, "after_create")
def _make_index(made: Table, connection: Connection, **_: Any) -> None:
    """Let a table with words on SQLite come with its index, and with triggers that keep that up to date."""
    if connection.dialect.name != "sqlite" or not _has_words(made):
        return
    name, index = made.name, made.name + INDEX
    options = f"content='{name}', content_rowid='id', tokenize='ascii', detail=none, columnsize=0"
    new = f"INSERT INTO {index}(rowid, words) VALUES (new.id, new.words)"
    gone = f"INSERT INTO {index}({index}, rowid, words) VALUES ('delete', old.id, old.words)"
    connection.exec_driver_sql(f"CREATE VIRTUAL TABLE {index} USING fts5(words, {options})")
    connection.exec_driver_sql(f"CREATE TRIGGER {index}_new AFTER INSERT ON {name} BEGIN {new}; END")
    connection.exec_driver_sql(f"CREATE TRIGGER {index}_gone AFTER DELETE ON {name} BEGIN {gone}; END")


@event.listens_for(Table, "after_drop")
def _drop_index(gone: Table, connection: Connection, **_: Any) -> None:
    if connection.dialect.name == "sqlite" and _has_words(gone):
        connection.exec_driver_sql(f"DROP TABLE IF EXISTS {gone.name}{INDEX}")


def _has_words(table: Table) -> bool:
    return "words" in table.c and isinstance(table.c.words.type, Words)


class _Keep(FunctionElement[str]):
    """Words on their way into the database."""

    type = Text()
    inherit_cache = True


class _Read(FunctionElement[str]):
    """Words on their way out of the database."""

    type = Text()
    inherit_cache = True


class Words(TypeDecorator[str]):
    """The type of a column of words: one text on the way in and out, and what each database searches inside."""

    impl = Text
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose what the database keeps."""
        return dialect.type_descriptor(TSVECTOR() if dialect.name == "postgresql" else Text())

    def bind_expression(self, bindparam: BindParameter[str]) -> ColumnElement[str]:
        """Make the database's own kind of a text."""
        return _Keep(bindparam)

    def column_expression(self, column: ColumnElement[str]) -> ColumnElement[str]:
        """Make a text of the database's own kind."""
        return _Read(column)


@compiles(_Keep)
@compiles(_Read)
def _as_it_is(element: FunctionElement[str], compiler: SQLCompiler, **options: Any) -> str:
    return compiler.process(element.clauses, **options)


@compiles(_Keep, "postgresql")
def _to_lexemes(element: _Keep, compiler: SQLCompiler, **options: Any) -> str:
    return f"array_to_tsvector(string_to_array({compiler.process(element.clauses, **options)}, ' '))"


@compiles(_Read, "postgresql")
def _of_lexemes(element: _Read, compiler: SQLCompiler, **options: Any) -> str:
    return f"array_to_string(tsvector_to_array({compiler.process(element.clauses, **options)}), ' ')"
