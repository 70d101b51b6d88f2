"""Reading a bundle of the whole log (``docs/evidence.md``) to make a database of it: strictly, and line by line.

Memory does not grow with the log. Each file is hashed as it is read and compared with the manifest at its end, so
nothing that was read may be used for good before its file is through.
"""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeVar

import msgspec

from registry.audit.bundle import CHECKPOINT, CHECKPOINTS, ENTRIES, KEYS, MANIFEST, WITNESSED
from registry.domain.subset import canonical
from registry.merkle.checkpoint import Checkpoint, parse_checkpoint
from registry.merkle.entry import commitment, event_uuid, parse_entry
from registry.merkle.note import Note, VerifierKey, parse_note, parse_verifier_key
from registry.store.copied import Copied, Part

FILES = frozenset((CHECKPOINT, KEYS, ENTRIES, CHECKPOINTS, WITNESSED))
MAX_LINE = 4 << 20
"""Bytes of a line: an event of 256 KiB takes half a megabyte, its entry another tenth."""
MAX_SMALL = 1 << 20
"""Bytes of a file that is read at once."""

T = TypeVar("T")


class Unfit(Exception):
    """The bundle is not one that a database can be made of; the text says what is wrong and where."""


class _Manifest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    bundle: Literal[1]
    origin: str
    size: int
    agreement: None
    valid_as_of: None
    from_: None = msgspec.field(name="from")
    files: dict[str, str]


class _Part(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    no: int
    salt: bytes
    data: bytes


class _Event(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    entry: bytes
    parts: tuple[_Part, ...]
    proof: tuple[()]
    withheld: tuple[int, ...]


class StoredSignature(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of ``log_signature``."""

    key_id: bytes
    name: str
    signature: bytes
    time: int


class StoredCheckpoint(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of ``log_checkpoint`` and those of its signatures."""

    root: bytes
    signatures: tuple[StoredSignature, ...]
    size: int


class StoredWitnessed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A row of ``witnessed``."""

    note: str
    origin: str
    root: bytes
    size: int


class Bundle(NamedTuple):
    """What a bundle says of itself."""

    directory: Path
    manifest: Any
    note: Note
    checkpoint: Checkpoint
    keys: tuple[VerifierKey, ...]
    """Those in the bundle, on nobody's word."""


def open_bundle(directory: Path) -> Bundle:
    """Read everything but the log itself. Raises Unfit."""
    try:
        names = {path.name for path in directory.iterdir()}
    except OSError as error:
        raise Unfit(f"cannot read {directory}: {error.strerror}") from error
    if names != FILES | {MANIFEST}:
        odd = sorted(names ^ (FILES | {MANIFEST}))
        raise Unfit(f"{directory} is no bundle of a whole log: {', '.join(odd)}")
    manifest = _decoded(_content(directory / MANIFEST), _Manifest, MANIFEST)
    if manifest.files.keys() != FILES:
        raise Unfit(f"{MANIFEST}: it does not name the files that are there")
    small = {}
    for name in (CHECKPOINT, KEYS):
        small[name] = _content(directory / name)
        if sha256(small[name]).hexdigest() != manifest.files[name]:
            raise Unfit(f"{name}: it is not the file that the manifest names")
    try:
        note = parse_note(small[CHECKPOINT])
        checkpoint = parse_checkpoint(note.text)
        keys = tuple([parse_verifier_key(each) for each in small[KEYS].decode().split("\n")[:-1]])
    except ValueError as error:
        raise Unfit(f"{CHECKPOINT} or {KEYS}: {error}") from error
    if (checkpoint.origin, checkpoint.size) != (manifest.origin, manifest.size):
        raise Unfit(f"{CHECKPOINT}: it is of another log or size than the manifest")
    return Bundle(directory, manifest, note, checkpoint, keys)


def events(bundle: Bundle) -> Iterator[Copied]:
    """Yield the events in their order, each with an entry that holds by itself and parts that fit it. Raises Unfit."""
    for number, read in enumerate(_lines(bundle, ENTRIES, _Event), 1):
        try:
            yield _copied(read, number)
        except ValueError as error:
            raise Unfit(f"{ENTRIES}, line {number}: {error}") from error


def checkpoints(bundle: Bundle) -> Iterator[StoredCheckpoint]:
    """Yield the checkpoints that the log has signed. Raises Unfit."""
    yield from _lines(bundle, CHECKPOINTS, StoredCheckpoint)


def witnessed(bundle: Bundle) -> Iterator[StoredWitnessed]:
    """Yield what witnesses, and this registry as one, have seen. Raises Unfit."""
    yield from _lines(bundle, WITNESSED, StoredWitnessed)


def _copied(read: _Event, position: int) -> Copied:
    """Check what can be checked of one event alone. Raises ValueError."""
    if read.withheld:
        raise ValueError("a part is held back; export the log with every part")
    fields = parse_entry(read.entry)
    if fields.position != position:
        raise ValueError(f"position {position} comes next, and the entry is of position {fields.position}")
    numbers = [part.no for part in read.parts]
    if numbers != sorted(set(numbers)) or any(not 0 <= k < len(fields.parts) for k in numbers):
        raise ValueError("its parts are not those of the entry, each once and in their order")
    uuid = event_uuid(fields.source, fields.id)
    for part in read.parts:
        if commitment(part.salt, uuid, part.no, part.data) != fields.parts[part.no]:
            raise ValueError(f"part {part.no} does not fit its commitment")
    return Copied(fields, read.entry, [Part(part.no, part.salt, part.data) for part in read.parts])


def _lines(bundle: Bundle, name: str, kind: type[T]) -> Iterator[T]:
    digest = sha256()
    try:
        with (bundle.directory / name).open("rb") as file:
            number = 0
            while raw := file.readline(MAX_LINE):
                number += 1
                digest.update(raw)
                if not raw.endswith(b"\n"):
                    raise Unfit(f"{name}, line {number}: it is too long or has no end")
                yield _decoded(raw[:-1], kind, f"{name}, line {number}")
    except OSError as error:
        raise Unfit(f"cannot read {name}: {error.strerror}") from error
    if digest.hexdigest() != bundle.manifest.files[name]:
        raise Unfit(f"{name}: it is not the file that the manifest names")


def _decoded(raw: bytes, kind: type[T], place: str) -> T:
    """Read canonical JSON of one shape: only the bytes that writing it again gives are accepted."""
    try:
        read = msgspec.json.decode(raw, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Unfit(f"{place}: {error}") from error
    if canonical(read) != raw:
        raise Unfit(f"{place}: it is not in its canonical form")
    return read


def _content(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_SMALL + 1)
    except OSError as error:
        raise Unfit(f"cannot read {path.name}: {error.strerror}") from error
    if len(content) > MAX_SMALL:
        raise Unfit(f"{path.name} is too large")
    return content
