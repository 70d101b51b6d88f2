"""Evidence as the SQLite file of a registry, read with ``sqlite3`` alone and never written to.

The file is read as one snapshot. Every column is held against the entry, every tile, checkpoint and the head against
the recomputed tree; constraints and triggers of the file are not believed.
"""

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from registry.merkle.checkpoint import Checkpoint
from registry.merkle.entry import Entry
from registry.merkle.tiles import full_tiles
from registry.merkle.tree import HASH_BYTES, Frontier, Subtree, leaf_hash, pack
from registry.verifier.events import Given, Part
from registry.verifier.keys import Stored, StoredSignature, stored
from registry.verifier.outcome import at, broken, unreadable

MAGIC = b"SQLite format 3\x00"
MAX_VALUE = 16 * 1024 * 1024
"""Bytes of one value in the file."""
EVENTS = (
    "SELECT position, source, event_id, stream_id, version, type, recorded_at, entry, leaf_hash "
    "FROM event ORDER BY position"
)
PARTS = "SELECT position, part_no, salt, data FROM event_part ORDER BY position, part_no"
SIGNATURES = "SELECT size, name, key_id, time, signature FROM log_signature ORDER BY size, name, key_id"
COPIES = ("position", "source", "event_id", "stream_id", "version", "type", "recorded_at")
"""The columns of ``event`` that copy a field of the entry."""
HEAD = "the head"


class Head(NamedTuple):
    origin: str
    size: int
    frontier: bytes
    recorded_at: int


class Database:
    """One snapshot of the file of a registry."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.recorded_at = 0
        """Of the last event read, in microseconds since 1970."""
        self._row: tuple[Any, ...] = ()
        """The last event read."""

    def head(self) -> Head:
        """Read the head. Raises Ended."""
        rows = self._all("SELECT id, origin, size, frontier, recorded_at FROM log_head")
        if len(rows) != 1 or [type(value) for value in rows[0]] != [int, str, int, bytes, int]:
            raise broken(HEAD, "it is not one row of a name, a size, a frontier and a time")
        return Head(*rows[0][1:])

    def checkpoints(self, origin: str) -> list[Stored]:
        """Read every checkpoint with its signatures, by size. Raises Ended."""
        signatures: dict[int, list[StoredSignature]] = {}
        for size, *row in self._all(SIGNATURES):
            if [type(value) for value in row] != [str, bytes, int, bytes]:
                raise broken(f"checkpoint {size}", "a signature on it cannot be read")
            signatures.setdefault(size, []).append(StoredSignature(*row))
        found = []
        for size, root in self._all("SELECT size, root FROM log_checkpoint ORDER BY size"):
            if type(size) is not int or size < 0 or type(root) is not bytes or len(root) != HASH_BYTES:
                raise broken(f"checkpoint {size}", "it is no size and root")
            try:
                found.append(stored(Checkpoint(origin, size, root), signatures.get(size, [])))
            except ValueError as error:
                raise broken(f"checkpoint {size}", str(error)) from error
        return found

    def events(self) -> Iterator[Given]:
        """Read the events in their order, each with its open parts. Raises Ended."""
        parts = self._rows(PARTS)
        part = next(parts, None)
        for row in self._rows(EVENTS):
            position, entry = row[0], row[7]
            if type(position) is not int or type(entry) is not bytes:
                raise broken(at(position), "its position or its entry cannot be read")
            opened: dict[int, Part] = {}
            while part is not None and part[0] == position:
                if [type(value) for value in part[1:]] != [int, bytes, bytes] or part[1] in opened:
                    raise broken(at(position), f"part {part[1]} cannot be read, or stands twice")
                opened[part[1]] = Part(part[2], part[3])
                part = next(parts, None)
            if part is not None and type(part[0]) is int and part[0] < position:
                raise broken(at(part[0]), "a part stands there that belongs to no event")
            self._row = row
            yield Given(entry, opened)
        if part is not None:
            raise broken(at(part[0]), "a part stands there that belongs to no event")

    def check_tile(self, subtree: Subtree, hashes: list[bytes]) -> None:
        """Hold a stored tile against the recomputed one. Raises Ended."""
        level, n, root = subtree
        rows = self._all("SELECT hashes, root FROM log_tile WHERE level = ? AND n = ?", (level, n))
        if rows != [(pack(hashes), root)]:
            detail = "it is not that of the events" if rows else "it is missing"
            raise broken(f"tile {level}/{n}", detail)

    def check_end(self, head: Head, size: int, frontier: Frontier) -> None:
        """Hold the head against the recomputed tree, and see that nothing lies beyond it. Raises Ended."""
        if head.size != size:
            raise broken(HEAD, f"it counts {head.size} events, and there are {size}")
        if head.frontier != pack(frontier):
            raise broken(HEAD, f"its frontier is not that of the {size} events recorded")
        if head.recorded_at != self.recorded_at:
            raise broken(HEAD, "its record time is not that of the last event")
        [(tiles,)] = self._all("SELECT count(*) FROM log_tile")
        if tiles != sum(full_tiles(size)):
            raise broken("tiles", f"there are {tiles}, and {size} events fill {sum(full_tiles(size))}")

    def check_copies(self, entry: Entry) -> None:
        """Hold the columns of the last event read against its entry. Raises Ended."""
        row = self._row
        fields = (
            entry.position,
            entry.source,
            entry.id,
            entry.stream,
            entry.version,
            entry.type,
            entry.recorded_at,
        )
        if row[:7] != fields:
            name = next(
                name for name, copy, field in zip(COPIES, row[:7], fields, strict=True) if copy != field
            )
            raise broken(at(entry.position), f"its column {name} differs from its entry")
        if row[8] != leaf_hash(row[7]):
            raise broken(at(entry.position), "its leaf hash is not that of its entry")
        self.recorded_at = entry.recorded_at

    def _rows(self, statement: str) -> Iterator[tuple[Any, ...]]:
        try:
            for row in self._connection.execute(statement):  # noqa: UP028 - `yield from` would close the cursor late
                yield row
        except sqlite3.Error as error:
            raise unreadable("database", str(error)) from error

    def _all(self, statement: str, values: Iterable[Any] = ()) -> list[tuple[Any, ...]]:
        try:
            return self._connection.execute(statement, tuple(values)).fetchall()
        except sqlite3.Error as error:
            raise unreadable("database", str(error)) from error


def is_sqlite(path: Path) -> bool:
    """Tell whether a file says that it is one of SQLite. Raises OSError."""
    with path.open("rb") as file:
        return file.read(len(MAGIC)) == MAGIC


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    """Open a file as one snapshot, without ever writing. Raises Ended."""
    absolute = path.resolve()
    # A copy of a database alone, where nothing may be written beside it, can only be read as it stands.
    alone = not absolute.with_name(f"{absolute.name}-wal").exists()
    try:
        try:
            connection = _connect(absolute, "?mode=ro")
        except sqlite3.OperationalError:
            if not alone:
                raise
            connection = _connect(absolute, "?mode=ro&immutable=1")
    except sqlite3.Error as error:
        raise unreadable(str(path), f"the database cannot be opened: {error}") from error
    with closing(connection):
        connection.execute("BEGIN")
        yield Database(connection)


def _connect(path: Path, how: str) -> sqlite3.Connection:
    connection = sqlite3.connect(f"{path.as_uri()}{how}", uri=True, isolation_level=None)
    try:
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MAX_VALUE)
        connection.text_factory = _text
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA query_only = ON")
        connection.execute("SELECT count(*) FROM sqlite_master").fetchall()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _text(raw: bytes) -> str:
    """Read a text that may be no UTF-8; then it equals nothing that an entry holds."""
    return raw.decode(errors="surrogateescape")
