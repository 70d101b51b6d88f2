"""An evidence bundle: what its manifest says, and each of its events. ``docs/evidence.md`` defines it."""

import re
from collections.abc import Callable, Iterator
from datetime import date
from hashlib import file_digest
from typing import Any, NamedTuple, TypeVar

from registry.merkle.checkpoint import Checkpoint
from registry.merkle.note import VerifierKey
from registry.merkle.tiles import MAX_SIZE
from registry.verifier import strict
from registry.verifier.archive import MAX_SMALL, Files, read
from registry.verifier.events import Given, Part
from registry.verifier.keys import Stored, StoredSignature, parse_keys, stored
from registry.verifier.outcome import Ended, broken, malformed

FORMAT = 1
MAX_LINE = 4 * 1024 * 1024
"""Bytes of one event in a bundle: an event has at most 256 KiB as it is posted."""
MAX_MANIFEST = 64 * 1024
MAX_KEYS = 64 * 1024
ALWAYS = frozenset({"manifest.json", "checkpoint", "keys.txt", "entries.ndjson"})
ONE_AGREEMENT_ONLY = frozenset({"claimed.json", "report.html"})
WHOLE_LOG_ONLY = frozenset({"checkpoints.ndjson", "witnessed.ndjson"})

T = TypeVar("T")

_DIGEST = re.compile(r"[0-9a-f]{64}")


class Manifest(NamedTuple):
    origin: str
    size: int
    """Size of the tree of the checkpoint."""
    agreement: str | None
    """None: the whole log."""
    valid_as_of: date | None
    """None: of the whole log nothing is said that depends on a day."""
    since: int | None
    """Size of the auditor's earlier checkpoint, that the bundle shows the log to extend."""
    files: dict[str, str]
    """SHA-256 of every other file, in hexadecimal digits."""


class Consistency(NamedTuple):
    """That the tree of ``size`` extends that of ``old_size``."""

    old_size: int
    old_root: bytes
    size: int
    proof: tuple[bytes, ...]


def read_manifest(files: Files) -> Manifest:
    """Read the manifest and hold every other file against it. Raises Ended."""
    if missing := ALWAYS - files.names:
        raise malformed(min(missing), "a bundle has this file, and it is not there")
    manifest = _parsed(files, "manifest.json", _manifest, MAX_MANIFEST)
    allowed = ALWAYS | (WHOLE_LOG_ONLY if manifest.agreement is None else ONE_AGREEMENT_ONLY)
    if manifest.since is not None:
        allowed |= {"consistency.json"}
    if further := files.names - allowed:
        raise malformed(min(further), "a bundle of this kind has no such file")
    if lacking := allowed - files.names:
        raise malformed(min(lacking), "a bundle of this kind has this file, and it is not there")
    if manifest.files.keys() != files.names - {"manifest.json"}:
        raise malformed("manifest.json", "it does not name the files that are there")
    for name, digest in sorted(manifest.files.items()):
        with files.open(name) as file:
            if _sha256(file) != digest:
                raise broken(name, "its SHA-256 is not the one in the manifest")
    return manifest


def read_note(files: Files) -> bytes:
    """Read the checkpoint as it is. Raises Ended."""
    return read(files, "checkpoint", 1_000_001)


def read_claimed_keys(files: Files) -> list[VerifierKey]:
    """Read the keys that come with the bundle, which prove nothing by themselves. Raises Ended."""
    try:
        return parse_keys(read(files, "keys.txt", MAX_KEYS))
    except ValueError as error:
        raise malformed("keys.txt", str(error)) from error


def read_consistency(files: Files) -> Consistency:
    """Read the consistency proof. Raises Ended."""
    return _parsed(files, "consistency.json", _consistency, MAX_MANIFEST)


def read_claimed(files: Files) -> Any:
    """Read what the registry says of the agreement. Raises Ended."""
    return _parsed(files, "claimed.json", lambda value: value)


def read_checkpoints(files: Files, origin: str) -> Iterator[Stored]:
    """Read every checkpoint that comes with a whole log. Raises Ended."""
    for number, line in lines(files, "checkpoints.ndjson"):
        try:
            root, signatures, size = strict.members(strict.canonical(line), "root", "signatures", "size")
            if type(signatures) is not list:
                raise ValueError("signatures are an array")  # noqa: TRY301 - told like any other flaw of the line
            checkpoint = Checkpoint(origin, strict.number(size), strict.root(root))
            yield stored(checkpoint, [_signature(one) for one in signatures])
        except ValueError as error:
            raise malformed(f"checkpoints.ndjson line {number}", str(error)) from error


def read_events(files: Files) -> Iterator[Given]:
    """Read the events one after the other. Raises Ended."""
    for number, line in lines(files, "entries.ndjson"):
        try:
            yield _event(strict.canonical(line))
        except ValueError as error:
            raise malformed(f"entries.ndjson line {number}", str(error)) from error


def lines(files: Files, name: str) -> Iterator[tuple[int, bytes]]:
    """Read lines with their numbers, each without its line feed. Raises Ended."""
    with files.open(name) as file:
        number = 0
        while line := file.readline(MAX_LINE + 1):
            number += 1
            if len(line) > MAX_LINE:
                raise malformed(f"{name} line {number}", f"it is longer than {MAX_LINE} bytes")
            if not line.endswith(b"\n"):
                raise malformed(f"{name} line {number}", "it has no line feed at its end")
            yield number, line[:-1]


def _sha256(file: Any) -> str:
    return file_digest(file, "sha256").hexdigest()


def _parsed(files: Files, name: str, parse: Callable[[Any], T], most: int = MAX_SMALL) -> T:
    content = read(files, name, most)
    try:
        return parse(strict.canonical(content))
    except Ended:
        raise
    except ValueError as error:
        raise malformed(name, str(error)) from error


def _manifest(value: Any) -> Manifest:
    names = ("bundle", "origin", "size", "agreement", "valid_as_of", "from", "files")
    version, origin, size, agreement, day, since, digests = strict.members(value, *names)
    if type(version) is not int or version != FORMAT:
        raise ValueError(f"bundles of format {version!r:.40} are not known")
    if strict.number(size) > MAX_SIZE or (since is not None and strict.number(since) > size):
        raise ValueError("a size is out of range")
    if type(digests) is not dict or not all(
        type(digest) is str and _DIGEST.fullmatch(digest) for digest in digests.values()
    ):
        raise ValueError("files are named with their SHA-256 in 64 hexadecimal digits")
    if (agreement is None) is not (day is None):
        raise ValueError("a bundle of one agreement is for a day, and one of the whole log is for none")
    on = None if day is None else date.fromisoformat(strict.text(day))
    if on is not None and on.isoformat() != day:
        raise ValueError("a day is written YYYY-MM-DD")
    return Manifest(
        strict.text(origin), size, None if agreement is None else strict.text(agreement), on, since, digests
    )


def _consistency(value: Any) -> Consistency:
    old_size, old_root, size, proof = strict.members(value, "old_size", "old_root", "size", "proof")
    return Consistency(
        strict.number(old_size), strict.root(old_root), strict.number(size), strict.hashes(proof)
    )


def _signature(value: Any) -> StoredSignature:
    key_id, name, signature, time = strict.members(value, "key_id", "name", "signature", "time")
    return StoredSignature(
        strict.text(name), strict.base64(key_id), strict.number(time), strict.base64(signature)
    )


def _event(value: Any) -> Given:
    entry, parts, withheld, proof = strict.members(value, "entry", "parts", "withheld", "proof")
    if type(parts) is not list or type(withheld) is not list:
        raise ValueError("parts and withheld are arrays")
    opened: dict[int, Part] = {}
    for part in parts:
        k, salt, data = strict.members(part, "no", "salt", "data")
        if strict.number(k) in opened:
            raise ValueError(f"part {k} stands twice")
        opened[k] = Part(strict.base64(salt), strict.base64(data))
    held = tuple(map(strict.number, withheld))
    if len(set(held)) != len(held):
        raise ValueError("a part is withheld twice")
    return Given(strict.base64(entry), opened, held, strict.hashes(proof))
