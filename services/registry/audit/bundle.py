"""The files of a bundle of evidence, made of what was read; ``docs/evidence.md`` defines them.

Two makes of the same evidence are the same bytes: nothing is in them but what was recorded and signed.
"""

import io
import zipfile
from base64 import b64decode, b64encode
from collections.abc import Mapping
from datetime import date
from hashlib import sha256

import msgspec

from registry.access import Sight
from registry.audit.evidence import Consistency, Evidence
from registry.audit.readable.page import readable
from registry.audit.sealed import Sealed
from registry.domain.agreement import fold
from registry.domain.envelope import Recorded
from registry.domain.subset import canonical
from registry.domain.values import write_custom
from registry.domain.view import AgreementView, view
from registry.merkle.entry import parse_entry
from registry.merkle.proof import Proof
from registry.merkle.tree import leaf_hash
from registry.store.rows import Row

FORMAT = 1
"""The member ``bundle`` of every manifest."""

MANIFEST = "manifest.json"
CHECKPOINT = "checkpoint"
KEYS = "keys.txt"
ENTRIES = "entries.ndjson"
CONSISTENCY = "consistency.json"
CLAIMED = "claimed.json"
REPORT = "report.html"
CHECKPOINTS = "checkpoints.ndjson"
WITNESSED = "witnessed.ndjson"

NAMES = frozenset((MANIFEST, CHECKPOINT, KEYS, ENTRIES, CONSISTENCY, CLAIMED, REPORT, CHECKPOINTS, WITNESSED))

Files = Mapping[str, bytes]
"""The content of each file, by name."""


def make_bundle(evidence: Evidence, on: date, *, parts: bool) -> Files:
    """Make the bundle of one agreement for a day; ``parts`` tells whether personal values are given.

    Raises ValueError when what was read is no agreement.
    """
    events = [recorded(event, parts=parts) for event in evidence.events]
    state = fold(None, events)
    if state is None:
        raise ValueError("an agreement has at least one event")
    shown = view(state, on)
    files = {
        CHECKPOINT: evidence.note,
        KEYS: evidence.keys,
        ENTRIES: b"".join(
            line(event, proof, parts=parts)
            for event, proof in zip(evidence.events, evidence.proofs, strict=True)
        ),
        CLAIMED: claimed(shown),
    }
    if evidence.consistency is not None:
        files[CONSISTENCY] = consistency(evidence.consistency, evidence.checkpoint.size)
    files[REPORT] = readable(evidence, state, events, shown, on, parts=parts)
    files[MANIFEST] = manifest(
        origin=evidence.checkpoint.origin,
        size=evidence.checkpoint.size,
        agreement=evidence.agreement,
        valid_as_of=on,
        from_size=None if evidence.consistency is None else evidence.consistency.old_size,
        digests={name: sha256(content).hexdigest() for name, content in files.items()},
    )
    return files


def manifest(
    *,
    origin: str,
    size: int,
    agreement: str | None,
    valid_as_of: date | None,
    from_size: int | None,
    digests: Mapping[str, str],
) -> bytes:
    """Write the manifest; ``digests`` are the SHA-256 of all other files in hexadecimal."""
    said = {
        "bundle": FORMAT,
        "origin": origin,
        "size": size,
        "agreement": agreement,
        "valid_as_of": None if valid_as_of is None else valid_as_of.isoformat(),
        "from": from_size,
        "files": dict(digests),
    }
    return canonical(said)


def line(event: Sealed, proof: Proof, *, parts: bool) -> bytes:
    """Write one event as a line of ``entries.ndjson``."""
    given = {number: part for number, part in event.parts.items() if parts or number == 0}
    said = {
        "entry": encoded(event.entry),
        "parts": [
            {"no": number, "salt": encoded(part.salt), "data": encoded(part.data)}
            for number, part in sorted(given.items())
        ],
        "withheld": sorted(event.parts.keys() - given.keys()),
        "proof": [encoded(node) for node in proof],
    }
    return canonical(said) + b"\n"


def consistency(found: Consistency, size: int) -> bytes:
    """Write the proof that the tree extends an earlier one."""
    said = {
        "old_size": found.old_size,
        "old_root": encoded(found.old_root),
        "size": size,
        "proof": [encoded(node) for node in found.proof],
    }
    return canonical(said)


def claimed(shown: AgreementView) -> bytes:
    """Write what the registry says of an agreement on a day."""
    return canonical(msgspec.to_builtins(shown, enc_hook=write_custom))


def recorded(event: Sealed, *, parts: bool) -> Recorded:
    """Read an event as the fold sees it, from its entry and its open parts; personal ones are withheld or given."""
    entry = parse_entry(event.entry)
    row = Row(
        position=entry.position,
        source=entry.source,
        event_id=entry.id,
        stream_id=entry.stream,
        version=entry.version,
        type=entry.type,
        recorded_at=entry.recorded_at,
        entry=event.entry,
        leaf_hash=leaf_hash(event.entry),
        parts={number: part.data for number, part in event.parts.items()},
    )
    return row.shown_with(Sight(parts=parts)).recorded()


def encoded(content: bytes) -> str:
    """Write bytes in base64 (RFC 4648 section 4)."""
    return b64encode(content).decode()


def old_root(content: bytes) -> bytes:
    """Read from ``consistency.json`` the root of the earlier tree. Raises ValueError."""
    return b64decode(msgspec.json.decode(content)["old_root"])


def zipped(files: Files) -> bytes:
    """Put the files into a ZIP whose bytes depend on nothing else: stored, in the order of their names."""
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_STORED, allowZip64=False) as archive:
        for name in sorted(files):
            member = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            member.create_system = 3  # Unix, whatever this runs on
            member.external_attr = 0o100644 << 16
            archive.writestr(member, files[name])
    return into.getvalue()


def unzipped(content: bytes) -> Files:
    """Take a ZIP apart that ``zipped`` made; nothing in it is verified. Raises ValueError on any other."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = archive.infolist()
            names = [member.filename for member in members]
            if not set(names) <= NAMES or len(set(names)) != len(names) or MANIFEST not in names:
                raise ValueError("it does not have the files of a bundle")
            if any(member.compress_type != zipfile.ZIP_STORED for member in members):
                raise ValueError("it is compressed, and a bundle is not")
            return {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, RuntimeError, EOFError, OSError) as error:  # the second: encrypted
        raise ValueError(f"it is no ZIP that can be read: {error}") from error
