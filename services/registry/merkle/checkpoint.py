"""Checkpoints (C2SP tlog-checkpoint v1.0.0), and what is sent around them: to a witness, and as a proof.

A checkpoint is a note whose text says how large the tree of a log is, and its root.
"""

import re
from base64 import b64encode
from typing import NamedTuple

from registry.merkle.note import Note, check_characters, decode_base64, parse_note
from registry.merkle.proof import Proof
from registry.merkle.tiles import MAX_SIZE
from registry.merkle.tree import HASH_BYTES

PROOF_HEADER = "c2sp.org/tlog-proof@v1"
MAX_PROOF_LINES = 63

_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")


class Checkpoint(NamedTuple):
    """What the text of a checkpoint says."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()
    """Further lines, if the log writes any; ours writes none."""


class Submission(NamedTuple):
    """What a log sends to a witness (tlog-witness v1.0.0, ``add-checkpoint``)."""

    old: int
    """The size that the witness has seen, as far as the log knows."""
    proof: Proof
    """That the checkpoint extends the tree of that size."""
    note: Note


class LogProof(NamedTuple):
    """That an entry is in a log, complete by itself (tlog-proof v1)."""

    leaf: int
    """Its index, from 0."""
    proof: Proof
    note: Note
    """The checkpoint whose root the proof leads to."""
    extra: bytes | None = None
    """Anything; it is not authenticated."""


def format_checkpoint(checkpoint: Checkpoint) -> str:
    """Write the text of a checkpoint. Raises ValueError when it would not be read again as it is."""
    lines = (checkpoint.origin, str(checkpoint.size), b64encode(checkpoint.root).decode())
    text = "".join(f"{line}\n" for line in (*lines, *checkpoint.extensions))
    if parse_checkpoint(text) != checkpoint:
        raise ValueError("the lines of a checkpoint are not empty and hold no line feed")
    return text


def parse_checkpoint(text: str) -> Checkpoint:
    """Read the text of a checkpoint strictly. Raises ValueError."""
    check_characters(text)
    origin, size, root, *extensions = _lines(text, least=3)
    if not (origin and all(extensions)):
        raise ValueError("no line of a checkpoint is empty")
    return Checkpoint(origin, parse_number(size), _hash(root), tuple(extensions))


def parse_submission(raw: bytes) -> Submission:
    """Read what is sent to a witness. Raises ValueError."""
    head, note = _around_blank_line(raw)
    first, *proof = _lines(head, least=1)
    old = parse_number(_after("old ", first))
    if len(proof) > MAX_PROOF_LINES:
        raise ValueError(f"a consistency proof has at most {MAX_PROOF_LINES} hashes")
    return Submission(old, tuple(map(_hash, proof)), parse_note(note))


def format_submission(old: int, proof: Proof, note: bytes) -> bytes:
    """Write what is sent to a witness; the note as it is."""
    return f"old {old}\n{_hashes(proof)}\n".encode() + note


def parse_proof(raw: bytes) -> LogProof:
    """Read a proof. Raises ValueError; nothing is verified yet."""
    head, note = _around_blank_line(raw)
    header, *lines = _lines(head, least=2)
    if header != PROOF_HEADER:
        raise ValueError(f"a proof begins with the line {PROOF_HEADER}")
    extra = decode_base64(_after("extra ", lines.pop(0))) if lines[0].startswith("extra ") else None
    if not lines:
        raise ValueError("a proof has the index of an entry")
    index, proof = parse_number(_after("index ", lines[0])), lines[1:]
    if len(proof) > MAX_PROOF_LINES:
        raise ValueError(f"an inclusion proof has at most {MAX_PROOF_LINES} hashes")
    return LogProof(index, tuple(map(_hash, proof)), parse_note(note), extra)


def format_proof(index: int, proof: Proof, note: bytes, *, extra: bytes | None = None) -> bytes:
    """Write a proof; the note of the checkpoint as it is."""
    further = "" if extra is None else f"extra {b64encode(extra).decode()}\n"
    return f"{PROOF_HEADER}\n{further}index {index}\n{_hashes(proof)}\n".encode() + note


def parse_number(text: str) -> int:
    """Read a size or an index: ASCII digits without leading zeros, below 2^63. Raises ValueError."""
    if not _NUMBER.fullmatch(text) or int(text) > MAX_SIZE:
        raise ValueError("a size is written in ASCII digits without leading zeros and below 2^63")
    return int(text)


def _around_blank_line(raw: bytes) -> tuple[str, bytes]:
    head, blank, note = raw.partition(b"\n\n")
    if not blank:
        raise ValueError("an empty line stands before the checkpoint")
    return head.decode() + "\n", note


def _lines(text: str, *, least: int) -> list[str]:
    *lines, rest = text.split("\n")
    if rest or len(lines) < least:
        raise ValueError(f"there are at least {least} lines, each with a line feed at its end")
    return lines


def _after(word: str, line: str) -> str:
    if not line.startswith(word):
        raise ValueError(f"a line begins with {word.rstrip()!r}")
    return line.removeprefix(word)


def _hash(text: str) -> bytes:
    decoded = decode_base64(text)
    if len(decoded) != HASH_BYTES:
        raise ValueError(f"a hash has {HASH_BYTES} bytes")
    return decoded


def _hashes(proof: Proof) -> str:
    return "".join(f"{b64encode(node).decode()}\n" for node in proof)
