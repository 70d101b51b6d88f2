"""A reader of bundles that shares no code with the registry: written from docs/evidence.md and docs/log-format.md."""

import io
import json
import zipfile
from base64 import b64decode, b64encode
from hashlib import sha1, sha256
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

URL_NAMESPACE = bytes.fromhex("6ba7b8119dad11d180b400c04fd430c8")
WHERE_WHEN = {
    "consistency.json": lambda manifest: manifest["from"] is not None,
    "claimed.json": lambda manifest: manifest["agreement"] is not None,
    "report.html": lambda manifest: manifest["agreement"] is not None,
    "checkpoints.ndjson": lambda manifest: manifest["agreement"] is None,
    "witnessed.ndjson": lambda manifest: manifest["agreement"] is None,
}
ALWAYS = {"manifest.json", "checkpoint", "keys.txt", "entries.ndjson"}


class Event(NamedTuple):
    position: int
    type: str
    open: dict[int, bytes]
    withheld: set[int]
    erased: set[int]


class Bundle(NamedTuple):
    manifest: dict[str, Any]
    root: bytes
    events: list[Event]
    claimed: dict[str, Any] | None


def unzipped(content: bytes) -> dict[str, bytes]:
    """Take a ZIP apart that is exactly as the page says."""
    files: dict[str, bytes] = {}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert not archive.comment
        for member in archive.infolist():
            assert member.compress_type == zipfile.ZIP_STORED
            assert member.date_time == (1980, 1, 1, 0, 0, 0)
            assert member.external_attr >> 16 == 0o100644
            assert not member.extra
            assert not member.comment
            assert not member.flag_bits & 1
            assert member.filename not in files
            files[member.filename] = archive.read(member)
    assert list(files) == sorted(files)
    return files


def check(files: dict[str, bytes], vkey: str, earlier: bytes | None = None) -> Bundle:
    """Check a bundle as the page says, against a key, and an earlier checkpoint that was kept."""
    manifest = canonical(files["manifest.json"])
    assert manifest["bundle"] == 1
    assert set(files) == ALWAYS | {name for name, holds in WHERE_WHEN.items() if holds(manifest)}
    assert manifest["files"] == {
        name: sha256(content).hexdigest() for name, content in files.items() if name != "manifest.json"
    }
    origin, size, root = signed(files["checkpoint"], vkey)
    assert (manifest["origin"], manifest["size"]) == (origin, size)
    *lines, rest = files["entries.ndjson"].split(b"\n")
    assert rest == b""
    read = [canonical(line) for line in lines]
    leaves = [sha256(b"\0" + b64(line["entry"])).digest() for line in read]
    entries = [canonical(b64(line["entry"])) for line in read]
    if manifest["agreement"] is None:
        assert [entry["seq"] for entry in entries] == list(range(1, size + 1))
        assert root_of(leaves) == root
        assert all(line["proof"] == [] for line in read)
    else:
        assert {entry["stream"] for entry in entries} == {manifest["agreement"]}
        assert [entry["ver"] for entry in entries] == list(range(1, len(entries) + 1))
        for line, leaf, entry in zip(read, leaves, entries, strict=True):
            assert included(entry["seq"] - 1, size, leaf, [b64(node) for node in line["proof"]]) == root
    positions = [entry["seq"] for entry in entries]
    assert positions == sorted(set(positions))
    assert [entry["rec"] for entry in entries] == sorted(entry["rec"] for entry in entries)
    events = [opened(line, entry) for line, entry in zip(read, entries, strict=True)]
    buried = tombstones(entries, events)
    for event, entry in zip(events, entries, strict=True):
        assert event.erased <= buried.get((entry["stream"], entry["source"], entry["id"]), set())
    if earlier is not None:
        old = signed(earlier, vkey)
        said = canonical(files["consistency.json"])
        assert (said["old_size"], b64(said["old_root"]), said["size"]) == (old[1], old[2], size)
        assert manifest["from"] == old[1]
        proof = [b64(node) for node in said["proof"]]
        assert consistent(old[1], size, proof, old[2]) == (old[2], root)
    claimed = canonical(files["claimed.json"]) if "claimed.json" in files else None
    if claimed is not None:
        assert (claimed["id"], claimed["version"]) == (manifest["agreement"], len(events))
        assert (claimed["position"], claimed["on"]) == (positions[-1], manifest["valid_as_of"])
    return Bundle(manifest, root, events, claimed)


def opened(line: dict[str, Any], entry: dict[str, Any]) -> Event:
    digest = bytearray(sha1(URL_NAMESPACE + f"{entry['source']}\n{entry['id']}".encode()).digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x50, digest[8] & 0x3F | 0x80
    found = {}
    for part in line["parts"]:
        no, salt, data = part["no"], b64(part["salt"]), b64(part["data"])
        numbers = no.to_bytes(2, "big") + len(data).to_bytes(4, "big")
        commitment = sha256(b"agreement-registry/part/v1\0" + salt + bytes(digest) + numbers + data).digest()
        assert len(salt) == 32
        assert commitment == b64(entry["parts"][no])
        assert no not in found
        found[no] = data
    withheld = set(line["withheld"])
    assert line["withheld"] == sorted(withheld)
    assert 0 not in withheld
    assert not withheld & found.keys()
    every = set(range(len(entry["parts"])))
    assert withheld | found.keys() <= every
    return Event(entry["seq"], entry["type"], found, withheld, every - withheld - found.keys())


def tombstones(entries: list[Any], events: list[Event]) -> dict[tuple[str, str, str], set[int]]:
    buried: dict[tuple[str, str, str], set[int]] = {}
    for entry, event in zip(entries, events, strict=True):
        if event.type == "agreement.personal-data-erased.v1":
            said = json.loads(event.open[0])["data"]
            at = entry["stream"], said["target"]["source"], said["target"]["id"]
            buried.setdefault(at, set()).update(said["parts"])
    return buried


def canonical(text: bytes) -> Any:
    """Read canonical JSON: written again it is the same bytes."""
    read = json.loads(text)
    again = json.dumps(read, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    assert again == text
    return read


def b64(text: str) -> bytes:
    decoded = b64decode(text, validate=True)
    assert b64encode(decoded).decode() == text
    return decoded


def signed(note: bytes, vkey: str) -> tuple[str, int, bytes]:
    name, _, encoded = vkey.split("+", 2)
    material = b64(encoded)
    key_id = sha256(name.encode() + b"\n" + material).digest()[:4]
    text, lines = note.decode().rsplit("\n\n", 1)
    blobs = [line.split(" ")[2] for line in lines.rstrip("\n").split("\n") if line.split(" ")[1] == name]
    (signature,) = [b64(blob)[4:] for blob in blobs if b64(blob)[:4] == key_id]
    Ed25519PublicKey.from_public_bytes(material[1:]).verify(signature, f"{text}\n".encode())
    origin, size, root = text.split("\n")
    return origin, int(size), b64(root)


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def split(n: int) -> int:
    return 1 << (n - 1).bit_length() - 1


def root_of(leaves: list[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    k = split(len(leaves))
    return node(root_of(leaves[:k]), root_of(leaves[k:]))


def included(i: int, n: int, leaf: bytes, proof: list[bytes]) -> bytes:
    if n == 1:
        assert not proof
        return leaf
    *lower, beside = proof
    k = split(n)
    if i < k:
        return node(included(i, k, leaf, lower), beside)
    return node(beside, included(i - k, n - k, leaf, lower))


def consistent(m: int, n: int, proof: list[bytes], old: bytes, whole: bool = True) -> tuple[bytes, bytes]:
    if m == n:
        assert whole == (not proof)
        return (old, old) if whole else (proof[0], proof[0])
    *lower, beside = proof
    k = split(n)
    if m <= k:
        first, second = consistent(m, k, lower, old, whole)
        return first, node(second, beside)
    first, second = consistent(m - k, n - k, lower, old, whole=False)
    return node(beside, first), node(beside, second)
