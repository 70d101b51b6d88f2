"""Copying a SQLite store while somebody writes it: a file of one moment, complete by itself."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

PAGES = 2048
"""Pages copied between two looks at the progress: 8 MiB of the usual size."""

Progress = Callable[[int, int], None]
"""Called with (done, in all)."""


def copy_database(source: Path, target: Path, progress: Progress = lambda _done, _total: None) -> None:
    """Copy a store to a new file, as it was when the copy began. Raises sqlite3.Error and OSError.

    The source is opened read-only, so that this process never writes or checkpoints it, and in one read
    transaction: what is appended meanwhile does not make the copy begin anew (SQLite documentation, "Online
    Backup API"). The write-ahead log cannot be reset for so long, and grows by what is appended.
    The copy leaves WAL mode: it is one file, which can also be read where nothing can be written.
    """
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    with (
        closing(sqlite3.connect(f"{source.as_uri()}?mode=ro", uri=True, isolation_level=None)) as reading,
        closing(sqlite3.connect(target, isolation_level=None)) as copy,
    ):
        reading.execute("BEGIN")
        reading.execute("SELECT size FROM log_head").fetchall()  # the moment is that of the first read
        reading.backup(copy, pages=PAGES, progress=lambda _, left, total: progress(total - left, total))
        copy.execute("PRAGMA journal_mode = DELETE").fetchall()
    descriptor = os.open(target, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
