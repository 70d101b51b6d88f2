"""Files that are there as a whole or not at all, also after the power has failed."""

import os
from pathlib import Path
from secrets import token_hex


def write_new(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that is not there yet. Raises FileExistsError when it is, and OSError."""
    draft = _draft(path, content, mode)
    try:
        os.link(draft, path)
    finally:
        draft.unlink()
    sync_directory(path)


def replace(path: Path, content: bytes, *, mode: int = 0o644) -> None:
    """Write a file in place of what is there. Raises OSError."""
    draft = _draft(path, content, mode)
    try:
        draft.replace(path)
    except OSError:
        draft.unlink()
        raise
    sync_directory(path)


def _draft(path: Path, content: bytes, mode: int) -> Path:
    draft = path.with_name(f".{path.name}.{token_hex(4)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return draft


def sync_directory(path: Path) -> None:
    """Make the name last as well as what is under it."""
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
