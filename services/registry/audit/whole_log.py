"""The whole log as a bundle in a directory: what ``registry export`` writes and another database is made of.

It is ``docs/evidence.md``'s bundle of the whole log: every event with every open part, and all signatures.
"""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, Self

from sqlalchemy import Connection, select

from registry.audit.bundle import (
    CHECKPOINT,
    CHECKPOINTS,
    ENTRIES,
    KEYS,
    MANIFEST,
    WITNESSED,
    encoded,
    line,
    manifest,
)
from registry.audit.checkpoints import Published
from registry.audit.evidence import LOOK_AGAIN, SIGNED_WITHIN, key_lines, require_published
from registry.audit.sealed import last_erasure, sealed_page
from registry.domain.subset import canonical
from registry.errors import Unavailable
from registry.merkle.checkpoint import Checkpoint, parse_checkpoint
from registry.merkle.note import VerifierKey, parse_note
from registry.store.database import reachable
from registry.store.reader import Reader
from registry.store.rows import PAGE
from registry.store.tables import log_checkpoint, log_signature, witnessed

Progress = Callable[[int, int], None]
"""Called with (events written, events in all)."""


def write_whole_log(
    reader: Reader,
    directory: Path,
    *,
    keys: Iterable[VerifierKey],
    progress: Progress = lambda _done, _total: None,
) -> Checkpoint:
    """Write the whole log, as far as the last published checkpoint, into a new directory; returns that checkpoint.

    ``keys`` go into ``keys.txt``: those of the log, then those of witnesses. The directory is there as a whole or not
    at all: its files are written beside it, the manifest last, and then it gets its name. Memory does not grow with the
    log; each page is a transaction of its own, and the log may grow meanwhile. The files are those of a bundle
    without an agreement (``entries.ndjson`` with every open part and its salt, and with empty proofs) and

    - ``checkpoints.ndjson``: a line for each stored checkpoint by size, ``{"root", "signatures": [{"key_id", "name",
      "signature", "time"}], "size"}``, the columns of ``log_checkpoint`` and ``log_signature`` with bytes in base64;
    - ``witnessed.ndjson``: a line for each log that this registry is a witness for, or whose witness has said how far
      it knows this one: ``{"note", "origin", "root", "size"}``, the columns of ``witnessed``.

    Raises FileExistsError when the directory is there, OSError, and Unavailable when the database cannot be reached,
    the log has no checkpoint, or none covers the erasure of a part that is missing.
    """
    if directory.exists():
        raise FileExistsError(f"{directory} is there already")
    draft = directory.with_name(f".{directory.name}.{token_hex(4)}")
    draft.mkdir(mode=0o700)
    try:
        checkpoint = _write(reader, draft, key_lines(keys), progress)
        draft.rename(directory)
    except BaseException:
        for file in draft.iterdir():
            file.unlink()
        draft.rmdir()
        raise
    return checkpoint


def _write(reader: Reader, directory: Path, keys: bytes, progress: Progress) -> Checkpoint:
    digests: dict[str, str] = {}
    with _Hashed(directory, ENTRIES, digests) as file:
        last = _entries(reader, file, progress)
    checkpoint = parse_checkpoint(parse_note(last.note).text)
    with _Hashed(directory, CHECKPOINT, digests) as file:
        file.write(last.note)
    with _Hashed(directory, KEYS, digests) as file:
        file.write(keys)
    with _Hashed(directory, CHECKPOINTS, digests) as file:
        for each in _checkpoints(reader):
            file.write(each)
    with _Hashed(directory, WITNESSED, digests) as file, reachable(), reader.connect() as connection:
        for each in _witnessed(connection):
            file.write(each)
    said = manifest(
        origin=checkpoint.origin,
        size=checkpoint.size,
        agreement=None,
        valid_as_of=None,
        from_size=None,
        digests=digests,
    )
    (directory / MANIFEST).write_bytes(said)
    return checkpoint


def _entries(reader: Reader, file: "_Hashed", progress: Progress) -> Published:
    """Write every event, and go on to a later checkpoint when a part was erased behind the one aimed at.

    What went missing while the log was being read is explained by an event that only the later one covers.
    """
    last, done = require_published(reader), 0
    while True:
        while done < last.size:
            with reachable(), reader.connect() as connection:
                page = sealed_page(connection, done, last.size, limit=PAGE)
            for event in page:
                file.write(line(event, (), parts=True))
            done = page[-1].position
            progress(done, last.size)
        with reachable(), reader.connect() as connection:
            unexplained = last_erasure(connection, last.size)
        if not unexplained:
            return last
        last = _signed(reader, unexplained)


def _signed(reader: Reader, size: int) -> Published:
    """Wait for a checkpoint over so many events. Raises Unavailable."""
    until = time.monotonic() + SIGNED_WITHIN
    while (last := require_published(reader)).size < size:
        if time.monotonic() > until:
            raise Unavailable(
                f"no checkpoint covers the erasure at position {size}; start the service, which signs"
            )
        time.sleep(LOOK_AGAIN)
    return last


def _checkpoints(reader: Reader) -> Iterator[bytes]:
    """Yield the stored checkpoints by pages."""
    c, s, after = log_checkpoint.c, log_signature.c, -1
    while True:
        with reachable(), reader.connect() as connection:
            page = connection.execute(
                select(c.size, c.root).where(c.size > after).order_by(c.size).limit(PAGE)
            ).all()
            if not page:
                return
            last: int = page[-1].size
            rows = connection.execute(
                select(s.size, s.name, s.key_id, s.time, s.signature)
                .where(s.size > after, s.size <= last)
                .order_by(s.size, s.name, s.key_id)
            ).all()
        signatures: dict[int, list[dict[str, str | int]]] = {}
        for row in rows:
            signatures.setdefault(row.size, []).append(
                {
                    "name": row.name,
                    "key_id": encoded(row.key_id),
                    "time": row.time,
                    "signature": encoded(row.signature),
                }
            )
        for size, root in page:
            said = {"size": size, "root": encoded(root), "signatures": signatures.get(size, [])}
            yield canonical(said) + b"\n"
        after = last


def _witnessed(connection: Connection) -> Iterator[bytes]:
    for row in connection.execute(select(witnessed).order_by(witnessed.c.origin)):
        said = {"origin": row.origin, "size": row.size, "root": encoded(row.root), "note": row.note}
        yield canonical(said) + b"\n"


class _Hashed:
    """A file of the bundle that is being written; its digest is known when it is closed."""

    def __init__(self, directory: Path, name: str, digests: dict[str, str]) -> None:
        self._path = directory / name
        self._digests = digests
        self._hash = sha256()
        self._file: BinaryIO

    def __enter__(self) -> Self:
        self._file = self._path.open("xb")
        return self

    def write(self, content: bytes) -> None:
        self._hash.update(content)
        self._file.write(content)

    def __exit__(self, *_: object) -> None:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        self._digests[self._path.name] = self._hash.hexdigest()
