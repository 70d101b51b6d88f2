"""Backups of a SQLite store: a directory with the database and a manifest, verified before it has its name.

Neither keys nor the kept checkpoint are in it. The one must not lie beside what it signs; the other would make a
database that is set back look as if it were not.
"""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_hex
from typing import BinaryIO, Literal

import msgspec
from sqlalchemy import Engine

from registry.audit.checkpoints import published
from registry.audit.files import sync_directory, write_new
from registry.audit.report import Report
from registry.audit.verify import verify
from registry.store.backup import Progress, copy_database
from registry.store.database import open_reader, reachable
from registry.store.migrate import current_revision, newest_revision

DATABASE = "registry.db"
MANIFEST = "backup.json"
BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite has of one database; a log left behind by another one would be played into it."""
CHUNK = 1 << 20


class BackupFault(Exception):
    """A backup cannot be made, or cannot be put back; the text says why. Nothing was changed."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a backup says of itself."""

    backup: Literal[1] = 1
    made_at: str
    """RFC 3339, in UTC."""
    origin: str
    size: int
    """Events in it, which is the position of the last one."""
    root: str
    """The root over them, in hexadecimal digits."""
    checkpoint: str | None
    """The last checkpoint in it, a signed note; None when the log has signed none."""
    revision: str
    """The migration its tables are at."""
    bytes: int
    sha256: str
    """Of ``registry.db``, in hexadecimal digits."""


def make_backup(
    database: Path, target: Path, *, copying: Progress, verifying: Progress, lock_timeout: int = 10
) -> Manifest:
    """Copy a store into the new directory ``target``, verify the copy, and only then give it its name.

    Raises BackupFault and Unavailable; then nothing is left behind.
    """
    target = target.absolute()
    if os.path.lexists(target):
        raise BackupFault(f"{target} is there already, and no backup is ever overwritten")
    draft = target.with_name(f".{target.name}.{token_hex(4)}")
    with _written(target):
        draft.mkdir(mode=0o700, parents=True)
    try:
        with _written(target):
            copy_database(database, draft / DATABASE, copying)
            with (draft / DATABASE).open("rb") as file:
                size, digest = _digest(file)
        with opened(draft / DATABASE, lock_timeout) as engine:
            report = _holds(engine, verifying)
            with reachable(), engine.connect() as connection:
                last = published(connection)
                revision = current_revision(connection)
        manifest = Manifest(
            made_at=datetime.now(UTC).isoformat(timespec="seconds"),
            origin=report.origin,
            size=report.events,
            root=report.root.hex(),
            checkpoint=last.note.decode() if last is not None else None,
            revision=revision or "",
            bytes=size,
            sha256=digest,
        )
        with _written(target):
            content = msgspec.json.format(msgspec.json.encode(manifest), indent=2) + b"\n"
            write_new(draft / MANIFEST, content, mode=0o600)
            draft.rename(target)
            sync_directory(target)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return manifest


def read_manifest(directory: Path) -> Manifest:
    """Read what a backup says of itself. Raises BackupFault when it is none, or of a later version."""
    try:
        manifest = msgspec.json.decode((directory / MANIFEST).read_bytes(), type=Manifest)
    except (OSError, msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise BackupFault(f"{directory} is no backup: {error}") from error
    if manifest.revision > newest_revision():
        raise BackupFault(
            f"the backup is at revision {manifest.revision}, this version knows {newest_revision()} at most"
        )
    return manifest


def put_back(directory: Path, database: Path, *, verifying: Progress, lock_timeout: int = 10) -> Manifest:
    """Put a backup where there is no database, after the whole of it was verified. The caller holds the lock.

    Raises BackupFault and Unavailable; then nothing is there that was not there before.
    """
    manifest = read_manifest(directory)
    for suffix in BESIDE:
        if os.path.lexists(found := Path(f"{database}{suffix}")):
            raise BackupFault(f"{found} is there already, and no database is ever overwritten")
    draft = database.with_name(f".{database.name}.{token_hex(4)}")
    try:
        with _written(database):
            _take(directory / DATABASE, draft, manifest)
        with opened(draft, lock_timeout) as engine:
            report = _holds(engine, verifying)
        if (report.origin, report.events, report.root.hex()) != (
            manifest.origin,
            manifest.size,
            manifest.root,
        ):
            raise BackupFault("the log in the backup is not the one that its manifest tells of")
        with _written(database):
            os.link(draft, database)
    finally:
        draft.unlink(missing_ok=True)
    sync_directory(database)
    return manifest


@contextmanager
def opened(database: Path, lock_timeout: int) -> Iterator[Engine]:
    """Open a SQLite file to read it."""
    engine = open_reader(f"sqlite:///{database}", lock_timeout=lock_timeout)
    try:
        yield engine
    finally:
        engine.dispose()


def _holds(engine: Engine, progress: Progress) -> Report:
    report = verify(engine, progress)
    if report.finding is not None:
        raise BackupFault(f"the log does not hold: {report.finding}")
    return report


def _take(source: Path, draft: Path, manifest: Manifest) -> None:
    """Copy the file of a backup, if it is the one that the manifest tells of."""
    with (
        source.open("rb") as file,
        os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), "wb") as copy,
    ):
        found = _digest(file, copy)
        copy.flush()
        os.fsync(copy.fileno())
    if found != (manifest.bytes, manifest.sha256):
        raise BackupFault(f"{source} is not the file that was backed up")


def _digest(file: BinaryIO, copy: BinaryIO | None = None) -> tuple[int, str]:
    """Return the length and the SHA-256 of a file, and copy it on the way."""
    digest, size = sha256(), 0
    while chunk := file.read(CHUNK):
        digest.update(chunk)
        size += len(chunk)
        if copy is not None:
            copy.write(chunk)
    return size, digest.hexdigest()


@contextmanager
def _written(target: Path) -> Iterator[None]:
    """Turn what hinders writing into BackupFault."""
    try:
        yield
    except (OSError, sqlite3.Error) as error:
        raise BackupFault(f"cannot write {target}: {error}") from error
