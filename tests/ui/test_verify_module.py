"""The module that verifies in a browser, run in Node against answers that were made by other code."""

import json
import os
import shutil
import subprocess
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry.merkle.checkpoint import Checkpoint, format_checkpoint
from registry.merkle.entry import commitment, encode_entry, event_uuid
from registry.merkle.note import COSIGNATURE, ED25519, Note, Signature, cosigned, format_note, verifier_key

ROOT = Path(__file__).resolve().parents[2]
MODULE = ROOT / "services" / "registry" / "ui" / "static" / "verify.js"
VECTORS = ROOT.parent / "shared" / "vectors"
MOST = 40
"""The largest tree of the answers; all indexes and sizes up to it."""

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")


@needs_node
def test_the_module_agrees_with_answers_made_by_other_code(tmp_path: Path):
    run(tmp_path, made_here())


@needs_node
@pytest.mark.skipif(not VECTORS.is_dir(), reason="the known answers are not here")
def test_the_module_agrees_with_the_known_answers(tmp_path: Path):
    answers = made_here()
    answers["event"] = json.loads((VECTORS / "leaf.json").read_text())
    notes = json.loads((VECTORS / "note.json").read_text())
    answers["verifier_key"] = {"vkey": notes["signed_note"]["vkey"], "bad": notes["signed_note"]["bad_vkeys"]}
    tree = json.loads((VECTORS / "rfc6962.json").read_text())
    leaves = [bytes.fromhex(leaf) for leaf in tree["leaf_hashes_hex"]]
    assert [root(leaves[:size]).hex() for size in range(len(leaves) + 1)] == tree["roots_by_size_hex"]
    answers |= trees(leaves)
    run(tmp_path, answers)


def run(folder: Path, answers: dict[str, Any]) -> None:
    (folder / "answers.json").write_text(json.dumps(answers))
    # Node takes a file of another ending for a module only when a package says so.
    (folder / "verify.mjs").write_bytes(MODULE.read_bytes())
    done = subprocess.run(
        ["node", "--test", str(Path(__file__).with_name("verify.test.mjs"))],
        env={
            **os.environ,
            "ANSWERS": str(folder / "answers.json"),
            "MODULE": (folder / "verify.mjs").as_uri(),
        },
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "fail 0" in done.stdout


def made_here() -> dict[str, Any]:
    leaves = [sha256(b"\x00" + bytes([number])).digest() for number in range(MOST)]
    key = noted(b"\x01" * 32)
    return {"event": event(), "notes": [key], "verifier_key": {"vkey": key["keys"][0], "bad": []}} | trees(
        leaves
    )


def event() -> dict[str, Any]:
    source, id_ = "https://report-b.example/ü", "b-\u20ac"
    uuid = event_uuid(source, id_)
    parts = [
        {"part_no": number, "salt_hex": (bytes([number]) * 32).hex(), "data_utf8": data}
        for number, data in enumerate(('{"attrs":{},"data":{}}', '{"/name":"\U0001d49c"}', '{"/b":"c"}'))
    ]
    for part in parts:
        salt, data = bytes.fromhex(part["salt_hex"]), part["data_utf8"].encode()
        part["commitment_hex"] = commitment(salt, uuid, part["part_no"], data).hex()
    entry = encode_entry(
        id=id_,
        parts=[bytes.fromhex(part["commitment_hex"]) for part in parts],
        recorded_at=1_700_000_000_123_456,
        position=3,
        source=source,
        stream="one-agreement",
        type="agreement.signed.v1",
        version=2,
    )
    return {
        "event_uuid_hex": uuid.hex(),
        "parts": parts,
        "entry_utf8": entry.decode(),
        "leaf_hash_hex": sha256(b"\x00" + entry).hexdigest(),
    }


def noted(seed: bytes) -> dict[str, Any]:
    """A checkpoint signed by its log and by a witness."""
    log, witness = (
        Ed25519PrivateKey.from_private_bytes(seed),
        Ed25519PrivateKey.from_private_bytes(seed[::-1]),
    )
    keys = [
        verifier_key(name, kind, private.public_key().public_bytes_raw())
        for name, kind, private in (("log.example", ED25519, log), ("witness.example", COSIGNATURE, witness))
    ]
    top = sha256(b"root").digest()
    text = format_checkpoint(Checkpoint("log.example", 7, top))
    time = 1_700_000_000
    signatures = (
        Signature(keys[0].name, keys[0].key_id, log.sign(text.encode())),
        Signature(keys[1].name, keys[1].key_id, time.to_bytes(8) + witness.sign(cosigned(time, text))),
        Signature("unknown.example", b"abcd", b"anything"),
    )
    return {
        "note": format_note(Note(text, signatures)).decode(),
        "keys": list(map(str, keys)),
        "names": [key.name for key in keys],
        "checkpoint": {"origin": "log.example", "size": 7, "root": top.hex()},
    }


def trees(leaves: Sequence[bytes]) -> dict[str, Any]:
    """All proofs in the trees of the first leaves, made by the recursive definitions of RFC 9162 section 2.1."""
    return {
        "inclusion": [
            {
                "index": index,
                "size": size,
                "leaf": leaves[index].hex(),
                "path": [node.hex() for node in path(index, leaves[:size])],
                "root": root(leaves[:size]).hex(),
            }
            for size in range(1, len(leaves) + 1)
            for index in range(size)
        ],
        "consistency": [
            {
                "from": old,
                "to": new,
                "from_root": root(leaves[:old]).hex(),
                "to_root": root(leaves[:new]).hex(),
                "proof": [node.hex() for node in (extension(old, leaves[:new]) if 0 < old < new else [])],
            }
            for new in range(1, len(leaves) + 1)
            for old in range(new + 1)
        ],
    }


def root(leaves: Sequence[bytes]) -> bytes:
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    split = half(len(leaves))
    return sha256(b"\x01" + root(leaves[:split]) + root(leaves[split:])).digest()


def half(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def path(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    if len(leaves) == 1:
        return []
    split = half(len(leaves))
    if index < split:
        return [*path(index, leaves[:split]), root(leaves[split:])]
    return [*path(index - split, leaves[split:]), root(leaves[:split])]


def extension(old: int, leaves: Sequence[bytes], *, whole: bool = True) -> list[bytes]:
    if old == len(leaves):
        return [] if whole else [root(leaves)]
    split = half(len(leaves))
    if old <= split:
        return [*extension(old, leaves[:split], whole=whole), root(leaves[split:])]
    return [*extension(old - split, leaves[split:], whole=False), root(leaves[:split])]
