"""The files of a bundle, read out of a directory or a ZIP that may be hostile.

Only regular files of known names are taken, each read once from its beginning, and nothing is ever written out.
"""

import os
import stat
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Protocol

from registry.verifier.outcome import malformed, unreadable

NAMES = frozenset(
    {
        "manifest.json",
        "checkpoint",
        "keys.txt",
        "entries.ndjson",
        "consistency.json",
        "claimed.json",
        "report.html",
        "checkpoints.ndjson",
        "witnessed.ndjson",
    }
)
"""Every name that a bundle may hold; there are no directories in it."""

MAX_SMALL = 64 * 1024 * 1024
"""Bytes of a file that is read as a whole."""
_STORED = zipfile.ZIP_STORED
_LOCAL_HEADER = 30
_ENCRYPTED = 0x1


class Files(Protocol):
    """The files of a bundle."""

    names: frozenset[str]

    def open(self, name: str) -> IO[bytes]:
        """Open a file from its beginning; the caller closes it."""

    def size(self, name: str) -> int:
        """Give the bytes of a file."""


class Directory:
    """A bundle as a directory. Links are not followed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        names = set()
        with os.scandir(path) as found:
            for file in found:
                if file.name not in NAMES:
                    raise malformed(repr(file.name)[1:81], "no bundle has a file of this name")
                if not stat.S_ISREG(file.stat(follow_symlinks=False).st_mode):
                    raise malformed(file.name, "it is a link, or no regular file")
                names.add(file.name)
        self.names = frozenset(names)

    def open(self, name: str) -> IO[bytes]:
        """Open a file from its beginning."""
        flags = os.O_RDONLY | os.O_CLOEXEC | getattr(os, "O_NOFOLLOW", 0)
        try:
            return os.fdopen(os.open(self._path / name, flags), "rb")
        except OSError as error:
            raise unreadable(name, error.strerror or "it cannot be opened") from error

    def size(self, name: str) -> int:
        """Give the bytes of a file."""
        return (self._path / name).lstat().st_size


class Archive:
    """A bundle as a ZIP of stored files: without compression there is nothing to blow up."""

    def __init__(self, zipped: zipfile.ZipFile, length: int) -> None:
        self._zip = zipped
        found = zipped.infolist()
        end = 0
        for info in sorted(found, key=lambda one: one.header_offset):
            _check_member(info)
            if info.header_offset < end:
                raise malformed(info.filename, "it lies over another file of the archive")
            end = info.header_offset + _LOCAL_HEADER + len(info.filename) + info.file_size
        if end > length:
            raise malformed("bundle", "its files are longer than the archive")
        self._infos = {info.filename: info for info in found}
        if len(self._infos) != len(found):
            raise malformed("bundle", "a name stands twice in the archive")
        if zipped.comment:
            raise malformed("bundle", "the archive has a comment")
        self.names = frozenset(self._infos)

    def open(self, name: str) -> IO[bytes]:
        """Open a file from its beginning."""
        try:
            return self._zip.open(self._infos[name])
        except zipfile.BadZipFile as error:
            raise malformed(name, str(error)) from error

    def size(self, name: str) -> int:
        """Give the bytes of a file."""
        return self._infos[name].file_size


@contextmanager
def files(path: Path) -> Iterator[Files]:
    """Open the directory or the ZIP of a bundle. Raises Ended."""
    if path.is_dir():
        yield Directory(path)
        return
    try:
        with zipfile.ZipFile(path) as zipped:
            yield Archive(zipped, path.stat().st_size)
    except zipfile.BadZipFile as error:
        raise malformed("bundle", f"it is no sound ZIP: {error}") from error
    except NotImplementedError as error:
        raise malformed("bundle", f"its ZIP is of an unknown kind: {error}") from error
    except OSError as error:
        raise unreadable(str(path), error.strerror or str(error)) from error


def read(files: Files, name: str, most: int = MAX_SMALL) -> bytes:
    """Read a file as a whole. Raises Ended when it is longer than ``most``."""
    with files.open(name) as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise malformed(name, f"it is longer than {most} bytes")
    return content


def _check_member(info: zipfile.ZipInfo) -> None:
    name = info.filename
    if name not in NAMES or info.orig_filename != name:
        raise malformed(repr(info.orig_filename)[1:81], "no bundle has a file of this name")
    mode = info.external_attr >> 16
    if mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
        raise malformed(name, "it is a link, or no regular file")
    if info.flag_bits & _ENCRYPTED:
        raise malformed(name, "it is encrypted")
    if info.compress_type != _STORED or info.compress_size != info.file_size:
        raise malformed(name, "it is compressed; the files of a bundle are stored as they are")
    if info.extra:
        raise malformed(name, "it has extra fields")


def zipped(path: Path) -> bool:
    """Tell whether a file begins as a ZIP does: nothing may stand before its first file. Raises OSError."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")
