"""A log under test: real events, signed checkpoints, erasures; as a database and, by the page alone, as bundles."""

import json
import shutil
import sqlite3
from base64 import b64encode
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from eventsourcing.persistence import StoredEvent
from sqlalchemy import delete

from registry.audit.checkpoints import store, store_cosignature
from registry.audit.keys import SigningKey, make_key
from registry.domain import cloudevents, strict_json
from registry.domain.agreement import fold
from registry.domain.codec import event_and_missing, join, split
from registry.domain.envelope import Recorded
from registry.domain.values import write_custom
from registry.domain.view import view
from registry.merkle.checkpoint import Checkpoint, format_checkpoint
from registry.merkle.entry import parse_entry
from registry.merkle.note import COSIGNATURE, Signature, cosigned
from registry.store.database import open_writer
from registry.store.head import read_head
from registry.store.recorder import SQLAlchemyRecorder
from registry.store.tables import event_part

STORY = Path(__file__).resolve().parents[2] / "services" / "registry" / "cli" / "story"
AGREEMENT = "pak-slv-2025-digital-assets"
OTHER = "isl-nzl-2026-geothermal"
SOURCE = "https://gazette.example/"
DAY = date(2026, 11, 21)
TOMBSTONE = "agreement.personal-data-erased.v1"


class Fact(NamedTuple):
    """An event as it is stored."""

    entry: bytes
    parts: dict[int, tuple[bytes, bytes]]
    """(salt, data) of the open parts."""


def leaf(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def root_of(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, by its own recursion."""
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + root_of(leaves[:k]) + root_of(leaves[k:])).digest()


def path_of(m: int, leaves: list[bytes]) -> list[bytes]:
    """PATH of RFC 6962 section 2.1.1."""
    if len(leaves) < 2:
        return []
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m < k:
        return [*path_of(m, leaves[:k]), root_of(leaves[k:])]
    return [*path_of(m - k, leaves[k:]), root_of(leaves[:k])]


def extends(m: int, leaves: list[bytes], *, whole: bool = True) -> list[bytes]:
    """PROOF of RFC 6962 section 2.1.2."""
    if m == len(leaves):
        return [] if whole else [root_of(leaves)]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    if m <= k:
        return [*extends(m, leaves[:k], whole=whole), root_of(leaves[k:])]
    return [*extends(m - k, leaves[k:], whole=False), root_of(leaves[:k])]


class World:
    """A registry whose database is one file, and the key of its log."""

    def __init__(self, template: Path, folder: Path) -> None:
        self.path = folder / "registry.db"
        shutil.copy(template, self.path)
        self.engine = open_writer(f"sqlite:///{self.path}")
        self.key = make_key(folder / "log.key")
        self.witness = make_key(folder / "witness.key")
        with self.engine.connect() as connection:
            self.origin = read_head(connection).origin
        self.vkey = str(self.key.verifier_key(self.origin))
        self.witness_vkey = str(self.witness.verifier_key("witness.example/w", COSIGNATURE))
        self.backups: dict[int, Path] = {}
        """Copies of the database by size, made at every checkpoint."""
        self._versions: dict[str, int] = {}

    def post(self, *events: dict[str, Any]) -> None:
        """Record CloudEvents."""
        self._record([cloudevents.posted(strict_json.decode(json.dumps(one).encode())) for one in events])

    def tell(self, lines: slice = slice(None)) -> None:
        """Record events of the story of two reports."""
        whole = b"".join((STORY / f"report_{one}.ndjson").read_bytes() for one in "ab").splitlines()
        self._record([cloudevents.posted(strict_json.decode(line)) for line in whole[lines]])

    def erase(self, position: int, *parts: int) -> None:
        """Erase parts of an event as the registry does: with a tombstone, in one transaction."""
        entry = parse_entry(facts(self.path)[position - 1].entry)
        body = {
            "target": {"source": entry.source, "id": entry.id},
            "parts": list(parts),
            "legal_basis": "request",
        }
        stone = (SOURCE, f"erasure-{position}-{parts}", entry.stream, TOMBSTONE, body, {})
        gone = delete(event_part).where(event_part.c.position == position, event_part.c.part_no.in_(parts))
        self._write([stone], gone)

    def sign(self, *, witness: bool = False) -> bytes:
        """Sign the log as it is, and give its checkpoint."""
        with self.engine.begin() as connection:
            head = read_head(connection)
            checkpoint = Checkpoint(head.origin, head.size, head.root)
            text = format_checkpoint(checkpoint)
            store(connection, checkpoint, [self.key.sign_note(self.origin, text)])
            if witness:
                key = self.witness.verifier_key("witness.example/w", COSIGNATURE)
                signature = (1_800_000_000).to_bytes(8) + self.witness.sign(cosigned(1_800_000_000, text))
                store_cosignature(connection, head.size, Signature(key.name, key.key_id, signature))
        self.backups[head.size] = self.copy(self.path.with_name(f"backup-{head.size}.db"))
        return last_note(self.path, self.origin)

    def copy(self, to: Path) -> Path:
        """Copy the database as it is committed."""
        with sqlite3.connect(self.path) as source, sqlite3.connect(to) as target:
            source.backup(target)
        source.close()
        target.close()
        return to

    def close(self) -> None:
        self.engine.dispose()

    def _record(self, posted: Iterable[Any]) -> None:
        self._write([(one.source, one.id, one.subject, one.type, one.body, one.attrs) for one in posted])

    def _write(self, events: list[tuple[Any, ...]], *further: Any) -> None:
        stored, parts = [], []
        for _, _, subject, type_, body, attrs in events:
            version = self._versions[subject] = self._versions.get(subject, 0) + 1
            first, *rest = split(type_, body, attrs, "3d3c7f2e-8a55-4d55-9b0a-9f0f5a3b7c33")
            stored.append(StoredEvent(subject, version, type_, first))
            parts.append(tuple(rest))
        with self.engine.begin() as connection:
            here = lambda: nullcontext(connection)  # noqa: E731
            SQLAlchemyRecorder(begin=here, connect=here).insert_events(
                stored, identities=[event[:2] for event in events], parts=parts
            )
            for statement in further:
                connection.execute(statement)


def facts(path: Path) -> list[Fact]:
    """Read all events of a database."""
    connection = sqlite3.connect(path)
    found = [Fact(entry, {}) for (entry,) in connection.execute("SELECT entry FROM event ORDER BY position")]
    for position, k, salt, data in connection.execute("SELECT position, part_no, salt, data FROM event_part"):
        found[position - 1].parts[k] = (salt, data)
    connection.close()
    return found


def last_note(path: Path, origin: str) -> bytes:
    """Read the last checkpoint of a database as it is given out."""
    connection = sqlite3.connect(path)
    ((size, root),) = connection.execute("SELECT size, root FROM log_checkpoint ORDER BY size DESC LIMIT 1")
    lines = ""
    signed = connection.execute(
        "SELECT name, key_id, time, signature FROM log_signature WHERE size = ? ORDER BY time, name", (size,)
    )
    for name, key_id, time, signature in signed:
        stamp = time.to_bytes(8) if time else b""
        lines += f"— {name} {b64(key_id + stamp + signature)}\n"
    connection.close()
    return f"{origin}\n{size}\n{b64(root)}\n\n{lines}".encode()


def b64(content: bytes) -> str:
    return b64encode(content).decode()


def canonical(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def claimed(events: Iterable[Fact], withhold: bool = False) -> Any:
    """What the registry says of the agreement of these events."""
    recorded = []
    for fact in events:
        entry = parse_entry(fact.entry)
        parts = {k: data for k, (_, data) in fact.parts.items() if k == 0 or not withhold}
        held = sorted(k for k in fact.parts if k and withhold)
        joined = join(parts.pop(0, None), parts, held)
        data, erased, withheld = event_and_missing(entry.type, joined)
        recorded.append(
            Recorded(
                position=entry.position,
                version=entry.version,
                recorded_at=entry.recorded_at,
                source=entry.source,
                id=entry.id,
                type=entry.type,
                subject=entry.stream,
                data=data,
                erased=joined.erased,
                places_erased=erased,
                withheld=joined.withheld,
                places_withheld=withheld,
            )
        )
    state = fold(None, recorded)
    assert state is not None
    return msgspec.json.decode(msgspec.json.encode(view(state, DAY), enc_hook=write_custom))


def bundle(
    log: list[Fact],
    note: bytes,
    vkey: str,
    *,
    agreement: str | None = None,
    since: int | None = None,
    withhold: bool = False,
) -> dict[str, bytes]:
    """Make the files of a bundle of one agreement, or of the whole log."""
    origin, size = note.decode().split("\n")[0], int(note.decode().split("\n")[1])
    log = log[:size]
    leaves = [leaf(fact.entry) for fact in log]
    mine = [fact for fact in log if agreement in (None, json.loads(fact.entry)["stream"])]
    files = {"checkpoint": note, "keys.txt": f"{vkey}\n".encode()}
    files["entries.ndjson"] = b"".join(
        line(fact, [] if agreement is None else path_of(json.loads(fact.entry)["seq"] - 1, leaves), withhold)
        for fact in mine
    )
    if agreement is None:
        files |= {"checkpoints.ndjson": b"", "witnessed.ndjson": b""}
    else:
        files |= {"claimed.json": canonical(claimed(mine, withhold)), "report.html": b"<!doctype html>"}
    if since is not None:
        files["consistency.json"] = canonical(
            {
                "old_size": since,
                "old_root": b64(root_of(leaves[:since])),
                "size": size,
                "proof": [b64(node) for node in extends(since, leaves)],
            }
        )
    return manifested(files, origin, size, agreement, since)


def manifested(
    files: Mapping[str, bytes], origin: str, size: int, agreement: str | None, since: int | None = None
) -> dict[str, bytes]:
    """Put the manifest to the files of a bundle."""
    said = {
        "bundle": 1,
        "origin": origin,
        "size": size,
        "agreement": agreement,
        "valid_as_of": None if agreement is None else DAY.isoformat(),
        "from": since,
        "files": {name: sha256(content).hexdigest() for name, content in files.items()},
    }
    return {**files, "manifest.json": canonical(said)}


def changed(files: Mapping[str, bytes], **contents: bytes | None) -> dict[str, bytes]:
    """Change files of a bundle (dots are written as underscores) and make the manifest fit; None takes one away."""
    said = json.loads(files["manifest.json"])
    new = {name: content for name, content in files.items() if name != "manifest.json"}
    for name, content in contents.items():
        dotted = name.replace("_", ".")
        if content is None:
            del new[dotted]
        else:
            new[dotted] = content
    return manifested(new, said["origin"], said["size"], said["agreement"], said["from"])


def line(fact: Fact, proof: list[bytes], withhold: bool = False) -> bytes:
    """Write one event of a bundle."""
    given = {k: part for k, part in fact.parts.items() if k == 0 or not withhold}
    said = {
        "entry": b64(fact.entry),
        "parts": [
            {"no": k, "salt": b64(salt), "data": b64(data)} for k, (salt, data) in sorted(given.items())
        ],
        "withheld": sorted(fact.parts.keys() - given.keys()),
        "proof": [b64(node) for node in proof],
    }
    return canonical(said) + b"\n"


def written(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write a bundle as a directory."""
    folder.mkdir(parents=True)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


__all__ = ["AGREEMENT", "DAY", "OTHER", "SOURCE", "Fact", "SigningKey", "World"]
