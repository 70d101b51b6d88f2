"""The last checkpoint seen of each log, and whether what is shown now extends it.

Each log has a directory, named by a hash of its origin, which this program alone writes. A checkpoint is replaced as
a whole or not at all, and only by one that extends it under a key that the auditor brought.
"""

import os
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from secrets import token_hex

from registry.merkle.checkpoint import Checkpoint
from registry.verifier.keys import read_checkpoint
from registry.verifier.outcome import Ended, unreadable


def default_state() -> Path:
    """Return where checkpoints are kept unless told otherwise (XDG base directories)."""
    home = os.environ.get("XDG_STATE_HOME", "")
    base = Path(home) if home.startswith("/") else Path.home() / ".local" / "state"
    return base / "agreement-registry" / "verify"


class Kept:
    """What is kept of one log."""

    def __init__(self, state: Path, origin: str) -> None:
        self.directory = state / sha256(origin.encode()).hexdigest()[:32]
        self._path = self.directory / "checkpoint"
        self._origin = origin

    def read(self) -> tuple[Checkpoint, bytes] | None:
        """Read the checkpoint kept; None at first contact. Raises Ended when it cannot be read."""
        try:
            raw = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise unreadable(str(self._path), error.strerror or "it cannot be opened") from error
        return read_since(raw, str(self._path), self._origin), raw

    def write(self, note: bytes) -> None:
        """Keep a checkpoint in place of an earlier one. Raises Ended."""
        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            draft = self.directory / f".checkpoint.{token_hex(4)}"
            _write(draft, note)
            draft.replace(self._path)
        except OSError as error:
            raise unreadable(str(self._path), f"it cannot be written: {error.strerror}") from error

    def put_aside(self, kept: bytes, shown: bytes, now: datetime | None = None) -> Path:
        """Keep both checkpoints of a fork as evidence, beside what is kept; return where. Raises Ended."""
        at = (now or datetime.now(UTC)).strftime("%Y%m%dT%H%M%S.%fZ")
        folder = self.directory / f"fork-{at}"
        try:
            folder.mkdir(parents=True)
            _write(folder / "kept", kept)
            _write(folder / "shown", shown)
        except OSError as error:
            raise unreadable(str(folder), f"it cannot be written: {error.strerror}") from error
        return folder


def read_since(raw: bytes, place: str, origin: str) -> Checkpoint:
    """Read an earlier checkpoint of the same log. Raises Ended."""
    try:
        _, checkpoint = read_checkpoint(raw)
    except Ended as ended:
        raise unreadable(place, f"the earlier checkpoint cannot be read: {ended.problem.detail}") from ended
    if checkpoint.origin != origin:
        raise unreadable(place, f"the earlier checkpoint is of {checkpoint.origin}, and this is of {origin}")
    return checkpoint


def _write(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
