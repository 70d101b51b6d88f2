"""Being a witness for the logs of others (C2SP tlog-witness v1.0.0): cosign what extends what was seen before."""

import time
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from sqlalchemy import Connection, Engine, select

from registry.audit.checkpoints import insert_new
from registry.audit.configured import known_logs
from registry.audit.keys import KeyFault, SigningKey, read_key, verify
from registry.config import Settings
from registry.errors import Malformed, NotFound, RegistryError
from registry.merkle.checkpoint import Checkpoint, Submission, parse_checkpoint, parse_submission
from registry.merkle.note import COSIGNATURE, Signature, VerifierKey, cosigned, format_signature, verified
from registry.merkle.proof import verify_consistency
from registry.merkle.tree import EMPTY_ROOT
from registry.store.database import reachable
from registry.store.reader import Reader
from registry.store.tables import witnessed

RATE, BURST = 5.0, 20.0
"""Checkpoints a second that are cosigned for one log, and how many at once after a pause."""


class NotSigned(RegistryError):
    """The checkpoint is not signed by a key of its log, or falsely."""


class NotExtending(RegistryError):
    """The proof does not show that the checkpoint extends what was cosigned before."""


class TooOften(RegistryError):
    """A log sends more checkpoints than are cosigned."""


class SeenOther(RegistryError):
    """What was cosigned last is not what the log says it was."""

    def __init__(self, size: int) -> None:
        super().__init__(f"the last checkpoint that was cosigned is of {size} entries")
        self.size = size


class _Bucket(msgspec.Struct):
    """What is left of the allowance of one log."""

    left: float
    since: float


class Witness:
    """Cosigns checkpoints of the logs it knows. May be called from any thread."""

    def __init__(
        self,
        engine: Engine,
        name: str,
        key: SigningKey,
        logs: Mapping[str, tuple[VerifierKey, ...]],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._engine = engine
        self._key = key
        self._verifier_key = key.verifier_key(name, COSIGNATURE)
        self._logs = logs
        self._clock = clock
        self._buckets = {origin: _Bucket(BURST, clock()) for origin in logs}

    def add_checkpoint(self, raw: bytes) -> str:
        """Check a submission and cosign it; returns signature lines.

        Raises Malformed, NotFound (the origin), NotSigned, TooOften, SeenOther, NotExtending and Unavailable.
        """
        try:
            submission = parse_submission(raw)
            checkpoint = parse_checkpoint(submission.note.text)
        except ValueError as error:
            raise Malformed(f"this is no checkpoint for a witness: {error}") from error
        keys = self._logs.get(checkpoint.origin)
        if keys is None:
            raise NotFound("this is no witness for the log of that origin")
        try:
            verified(submission.note, keys, verify)
        except ValueError as error:
            raise NotSigned(str(error)) from error
        if submission.old > checkpoint.size:
            raise Malformed(f"the old size is larger than that of the checkpoint, {checkpoint.size}")
        self._allow(checkpoint.origin)
        signature = self._cosign(submission.note.text)
        with reachable(), self._engine.begin() as connection:
            self._record(connection, submission, checkpoint, raw.partition(b"\n\n")[2].decode() + signature)
        return signature

    def _record(
        self, connection: Connection, submission: Submission, checkpoint: Checkpoint, note: str
    ) -> None:
        """Compare with what was seen and take its place, in one transaction that locks the row."""
        nothing = {"origin": checkpoint.origin, "size": 0, "root": EMPTY_ROOT, "note": ""}
        insert_new(connection, witnessed, nothing)
        c = witnessed.c
        mine = c.origin == checkpoint.origin
        seen = connection.execute(select(c.size, c.root).where(mine).with_for_update()).one()
        if seen.size != submission.old:
            raise SeenOther(seen.size)
        if checkpoint.size == seen.size and checkpoint.root != seen.root:
            raise SeenOther(seen.size)
        if not verify_consistency(seen.size, checkpoint.size, seen.root, checkpoint.root, submission.proof):
            raise NotExtending("the proof does not lead from the last cosigned checkpoint to this one")
        connection.execute(
            witnessed.update().where(mine).values(size=checkpoint.size, root=checkpoint.root, note=note)
        )

    def _cosign(self, text: str) -> str:
        now = int(self._clock())
        blob = now.to_bytes(8) + self._key.sign(cosigned(now, text))
        return format_signature(Signature(self._verifier_key.name, self._verifier_key.key_id, blob))

    def _allow(self, origin: str) -> None:
        bucket, now = self._buckets[origin], self._clock()
        bucket.left = min(BURST, bucket.left + max(0.0, now - bucket.since) * RATE)
        bucket.since = now
        if bucket.left < 1:
            raise TooOften("the log sends more checkpoints than are cosigned")
        bucket.left -= 1


def open_witness(settings: Settings, engine: Engine, reader: Reader) -> Witness | None:
    """Be a witness if the settings say so. Raises KeyFault."""
    given = (settings.witness_name, settings.witness_key_file, settings.witnessed_logs_file)
    if not any(given):
        return None
    if not all(given):
        raise KeyFault(
            "a witness needs REGISTRY_WITNESS_NAME, REGISTRY_WITNESS_KEY_FILE and REGISTRY_WITNESSED_LOGS_FILE"
        )
    logs = known_logs(Path(settings.witnessed_logs_file))
    if reader.head().origin in logs:
        raise KeyFault("a registry is no witness for its own log")
    return Witness(engine, settings.witness_name, read_key(Path(settings.witness_key_file)), logs)
