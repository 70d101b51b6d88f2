"""Signatures on checkpoints, verified with keys that the auditor brings."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from registry.merkle.checkpoint import Checkpoint, format_checkpoint, parse_checkpoint
from registry.merkle.note import (
    COSIGNATURE,
    ED25519,
    Note,
    Signature,
    VerifierKey,
    cosignature_time,
    format_signature,
    parse_note,
    parse_verifier_key,
    verifies,
)
from registry.verifier.outcome import broken, malformed

MAX_KEY_FILE = 64 * 1024


class Cosigned(NamedTuple):
    """That a witness has seen a checkpoint."""

    witness: str
    time: int
    """Seconds since 1970."""


class Signed(NamedTuple):
    """A checkpoint with who stands for it."""

    checkpoint: Checkpoint
    note: bytes
    """As it was given; empty when the log never signed."""
    signers: tuple[VerifierKey, ...]
    """The keys brought by the auditor that signed it; none: unauthenticated."""
    claimed: tuple[VerifierKey, ...] = ()
    """The keys that come with the evidence and signed it: they prove nothing about who made it."""
    cosigned: tuple[Cosigned, ...] = ()


class StoredSignature(NamedTuple):
    """A signature as a registry stores it: the time of a cosignature stands apart, and is 0 for the log's own."""

    name: str
    key_id: bytes
    time: int
    signature: bytes


class Stored(NamedTuple):
    """A checkpoint as a registry stores it."""

    checkpoint: Checkpoint
    note: bytes
    """Put together from the signatures stored with it; empty when none is by the log's present name."""


def stored(checkpoint: Checkpoint, rows: Sequence[StoredSignature]) -> Stored:
    """Put a checkpoint together as the registry gives it out: its own signatures, then those of witnesses.

    Raises ValueError when it cannot be written.
    """
    ours = [
        Signature(row.name, row.key_id, row.signature)
        for row in rows
        if not row.time and row.name == checkpoint.origin
    ]
    if not ours:
        return Stored(checkpoint, b"")
    theirs = [row for row in rows if row.time]
    if any(not row.time and row.name != checkpoint.origin for row in rows):
        theirs = []  # of a size that was signed under two names nothing tells which of them was cosigned
    try:
        cosigned = [Signature(row.name, row.key_id, row.time.to_bytes(8) + row.signature) for row in theirs]
    except OverflowError as error:
        raise ValueError("a cosignature has no such time") from error
    lines = "".join(map(format_signature, ours + cosigned))
    return Stored(checkpoint, f"{format_checkpoint(checkpoint)}\n{lines}".encode())


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Verify an Ed25519 signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def read_keys(given: str) -> list[VerifierKey]:
    """Read a verifier key, or a file with one a line. Raises ValueError, and OSError on a file."""
    if "+" in given and not Path(given).is_file():
        return [parse_verifier_key(given)]
    with Path(given).open("rb") as file:
        raw = file.read(MAX_KEY_FILE + 1)
    if len(raw) > MAX_KEY_FILE:
        raise ValueError("a file of keys is not that large")
    keys = parse_keys(raw)
    if not keys:
        raise ValueError("the file holds no verifier key")
    return keys


def parse_keys(raw: bytes) -> list[VerifierKey]:
    """Read verifier keys, one a line; the last line may end in a line feed or not. Raises ValueError."""
    text = raw.decode()
    return [parse_verifier_key(line) for line in text.removesuffix("\n").split("\n")] if text else []


def authenticate(
    raw: bytes,
    keys: Sequence[VerifierKey],
    witnesses: Sequence[VerifierKey] = (),
    claimed: Sequence[VerifierKey] = (),
) -> Signed:
    """Read a checkpoint and verify every signature on it by a key that is known.

    With ``keys``, one of them must have signed it. ``claimed`` are keys that came with the evidence. Raises Ended.
    """
    note, checkpoint = read_checkpoint(raw)
    place = f"checkpoint {checkpoint.size}"
    for key in keys:
        if key.name != checkpoint.origin:
            raise broken(place, f"it is of the log {checkpoint.origin}, and the key given is of {key.name}")
    signers = _signed_by(note, keys, place)
    ours = [key for key in claimed if key.type == ED25519 and key.name == checkpoint.origin]
    if keys and not signers:
        raise broken(place, "the key given has not signed it")
    cosigners = [key for key in witnesses if key.type == COSIGNATURE]
    return Signed(
        checkpoint,
        raw,
        tuple(signers),
        tuple(_signed_by(note, ours, place)),
        tuple(
            Cosigned(key.name, cosignature_time(_signature(note, key)))
            for key in _signed_by(note, cosigners, place)
        ),
    )


def read_checkpoint(raw: bytes) -> tuple[Note, Checkpoint]:
    """Read a checkpoint strictly, without verifying it. Raises Ended."""
    try:
        note = parse_note(raw)
        return note, parse_checkpoint(note.text)
    except ValueError as error:
        raise malformed("checkpoint", str(error)) from error


def _signed_by(note: Note, keys: Sequence[VerifierKey], place: str) -> list[VerifierKey]:
    """Give the keys that signed. Raises Ended when a signature by one of them does not hold."""
    lines = {(one.name, one.key_id) for one in note.signatures}
    found = [key for key in dict.fromkeys(keys) if (key.name, key.key_id) in lines]
    for key in found:
        if not verifies(key, note.text, _signature(note, key), verify):
            raise broken(place, f"the signature of {key.name} does not hold")
    return found


def _signature(note: Note, key: VerifierKey) -> bytes:
    return next(one.signature for one in note.signatures if (one.name, one.key_id) == (key.name, key.key_id))
