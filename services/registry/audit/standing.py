"""Whether the log still stands where it was last seen: by its own checkpoints, by the kept file, by witnesses.

A database that was restored from a backup, or failed over to a copy that lagged, is behind what the log has
signed already. To go on from there would be to tell two stories; so nothing is signed or appended then.
"""

from pathlib import Path

from registry.audit.checkpoints import latest, seen_by_witness, was_signed
from registry.audit.files import replace
from registry.merkle.checkpoint import Checkpoint, parse_checkpoint
from registry.merkle.note import parse_note
from registry.merkle.proof import consistency_nodes, prove_consistency, verify_consistency
from registry.store.database import reachable
from registry.store.head import Head, read_head
from registry.store.reader import Reader

REMEDY = "; appends are refused until `registry log new-origin` or the database of before is back"


class Behind(Exception):
    """The log is not where it was seen to be, or not what it was; the text says what shows it."""

    def __init__(self, reason: str, code: str = "behind") -> None:
        super().__init__(reason + REMEDY)
        self.code = code
        """The same in a word that does not change, for whoever counts."""


class Kept:
    """The file outside the database in which the last checkpoint is kept."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Checkpoint | None:
        """Read it; None when there is no file yet. Raises Behind when it cannot be read."""
        try:
            return parse_checkpoint(parse_note(self.path.read_bytes()).text)
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise Behind(
                f"the checkpoint kept in {self.path} cannot be read ({error})", "unreadable"
            ) from error

    def write(self, note: bytes) -> None:
        """Keep a checkpoint in place of an earlier one. Raises OSError."""
        replace(self.path, note)


def look(reader: Reader, kept: Kept | None) -> Head:
    """Read the head, and hold against it everything that was seen of the log before.

    Raises Behind when the log does not extend it, and Unavailable.
    """
    # The head comes last: another process may append and publish meanwhile.
    in_file = kept.read() if kept is not None else None
    with reachable(), reader.connect() as connection:
        origin = read_head(connection).origin
        last = latest(connection, origin)
        witnessed = seen_by_witness(connection, origin)
        if in_file is not None and in_file.origin != origin:
            if not was_signed(connection, in_file.origin):
                raise Behind(
                    f"the kept checkpoint is of {in_file.origin}, the database of {origin}", "other-origin"
                )
            in_file = None  # of an origin that has been given up since
        head = read_head(connection)
    if in_file is not None:
        require_extends(reader, head, in_file, "the kept checkpoint")
    if last is not None and last != in_file:
        require_extends(reader, head, last, "its last checkpoint")
    if witnessed > head.size:
        raise Behind(
            f"a witness has seen {witnessed} events of the log, and there are {head.size}", "behind-witness"
        )
    return head


def require_extends(reader: Reader, head: Head, seen: Checkpoint, what: str) -> None:
    """Raise Behind unless a consistency proof shows that the log extends a checkpoint."""
    if seen.size > head.size:
        raise Behind(f"{what} is of {seen.size} events, and there are {head.size}")
    try:
        hashes = reader.hashes(consistency_nodes(seen.size, head.size), head.size)
    except ValueError:
        hashes = None
    proof = prove_consistency(seen.size, head.size, hashes) if hashes is not None else None
    if proof is None or not verify_consistency(seen.size, head.size, seen.root, head.root, proof):
        raise Behind(f"the log does not extend {what}, of {seen.size} events", "not-extending")
