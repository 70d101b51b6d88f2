"""A log as a client sees it that knows the C2SP specifications alone: files, checked without any code of the registry."""

from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Fetch = Callable[[str], bytes]
"""Gives the content of a static resource by its path."""


class Signed(NamedTuple):
    origin: str
    size: int
    root: bytes


def signed_by(note: bytes, vkey: str) -> Signed:
    """Read a checkpoint and verify the signature of the log on it."""
    name, key_id, encoded = vkey.split("+", 2)
    material = b64decode(encoded)
    assert sha256(name.encode() + b"\n" + material).digest()[:4].hex() == key_id
    assert material[0] == 1
    text, signatures = note.decode().rsplit("\n\n", 1)
    found = False
    for line in signatures.rstrip("\n").split("\n"):
        dash, signer, blob = line.split(" ")
        signature = b64decode(blob)
        if (dash, signer, signature[:4].hex()) == ("—", name, key_id):
            Ed25519PublicKey.from_public_bytes(material[1:]).verify(signature[4:], f"{text}\n".encode())
            found = True
    assert found
    origin, size, root = text.split("\n")
    return Signed(origin, int(size), b64decode(root))


def path(kind: str, n: int, width: int) -> str:
    """The path of a tile, as section "Merkle Tree" has it."""
    groups = [f"{n % 1000:03}"]
    while n >= 1000:
        n //= 1000
        groups.insert(0, f"x{n % 1000:03}")
    return f"tile/{kind}/{'/'.join(groups)}" + (f".p/{width}" if width < 256 else "")


def paths(size: int) -> list[str]:
    """Every resource that a log of this size is made of, but its checkpoint."""
    found, level, hashes = [], 0, size
    while hashes:
        tiles = [(n, min(256, hashes - 256 * n)) for n in range(-(-hashes // 256))]
        found += [path(str(level), n, width) for n, width in tiles]
        if level == 0:
            found += [path("entries", n, width) for n, width in tiles]
        level, hashes = level + 1, hashes // 256
    return found


def entries(fetch: Fetch, size: int) -> list[bytes]:
    """Every entry of the log, from the bundles."""
    found = []
    for n in range(-(-size // 256)):
        bundle = fetch(path("entries", n, min(256, size - 256 * n)))
        while bundle:
            length = int.from_bytes(bundle[:2], "big")
            assert len(bundle) >= 2 + length
            found.append(bundle[2 : 2 + length])
            bundle = bundle[2 + length :]
    return found


def root_of(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, by its own recursion."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while 2 * k < len(leaves):
        k *= 2
    return sha256(b"\x01" + root_of(leaves[:k]) + root_of(leaves[k:])).digest()


def check(fetch: Fetch, vkey: str) -> Signed:
    """Check a whole mirrored log: signature, entries, leaf tiles, and the tiles above them."""
    signed = signed_by(fetch("checkpoint"), vkey)
    leaves = [sha256(b"\x00" + entry).digest() for entry in entries(fetch, signed.size)]
    assert len(leaves) == signed.size
    assert root_of(leaves) == signed.root
    level, hashes = 0, leaves
    while hashes:
        for n in range(-(-len(hashes) // 256)):
            row = hashes[256 * n : 256 * n + 256]
            assert fetch(path(str(level), n, len(row))) == b"".join(row)
        hashes = [root_of(hashes[i : i + 256]) for i in range(0, len(hashes) // 256 * 256, 256)]
        level += 1
    return signed
