"""Signed notes (C2SP signed-note v1.0.0): a text, and below it the signatures of named keys.

Read strictly: a note, a key or a signature line has one spelling, and any other is refused. Nothing here
computes a signature; whoever verifies brings the function for it. Lines of kinds that are not known here, such
as those of a second algorithm, are kept as they are, and who verifies passes over them.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import NamedTuple

ED25519 = 0x01
"""The signature type of a log: Ed25519 over the text."""
COSIGNATURE = 0x04
"""The signature type of a witness (tlog-cosignature v1.0.1): Ed25519 over a time and the text."""

KEY_ID_BYTES = 4
PUBLIC_KEY_BYTES = {ED25519: 32, COSIGNATURE: 32}
"""The signature types that can be verified here, with the length of their public keys."""

MAX_NOTE_BYTES = 1_000_000
MAX_SIGNATURES = 100
"""The specification asks to take at least 16."""

DASH = "\u2014 "
"""How a signature line begins: an em dash and a space."""

Verify = Callable[[bytes, bytes, bytes], bool]
"""Verifies an Ed25519 signature (RFC 8032), given the public key, the message and the signature."""

_KEY_ID = re.compile(r"[0-9a-f]{8}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")


class Signature(NamedTuple):
    """One line below a note."""

    name: str
    key_id: bytes
    """4 bytes; with the name they tell the key, and with it the algorithm."""
    signature: bytes
    """As the algorithm has it: 64 bytes of Ed25519, or a cosignature with its time."""


class Note(NamedTuple):
    text: str
    """Ends in a line feed; it is part of what is signed."""
    signatures: tuple[Signature, ...]


class VerifierKey(NamedTuple):
    """What a note is verified with."""

    name: str
    key_id: bytes
    type: int
    """``ED25519`` or ``COSIGNATURE``."""
    public_key: bytes

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(bytes([self.type]) + self.public_key).decode()}"


def verifier_key(name: str, type: int, public_key: bytes) -> VerifierKey:
    """Name a public key. Raises ValueError when a part of it is none."""
    check_name(name)
    if len(public_key) != PUBLIC_KEY_BYTES.get(type):
        raise ValueError("this is no public key of a signature type that is known here")
    digest = sha256(name.encode() + b"\n" + bytes([type]) + public_key).digest()
    return VerifierKey(name, digest[:KEY_ID_BYTES], type, public_key)


def parse_verifier_key(text: str) -> VerifierKey:
    """Read a key as it is written, ``name+id+key``. Raises ValueError."""
    name, _, rest = text.partition("+")
    key_id, _, encoded = rest.partition("+")
    if not _KEY_ID.fullmatch(key_id):
        raise ValueError("a verifier key is name+id+key, its id 8 hexadecimal digits in lower case")
    material = decode_base64(encoded)
    key = verifier_key(name, material[0] if material else 0, material[1:])
    if key.key_id.hex() != key_id:
        raise ValueError("the id of the verifier key is not that of its name and key")
    return key


def parse_note(raw: bytes) -> Note:
    """Read a note. Raises ValueError; nothing is verified yet."""
    if len(raw) > MAX_NOTE_BYTES:
        raise ValueError(f"a note has at most {MAX_NOTE_BYTES} bytes")
    whole = raw.decode()
    check_characters(whole)
    text, blank, lines = whole.rpartition("\n\n")
    if not blank or not lines:
        raise ValueError("a note is a text, an empty line and signature lines")
    return Note(text + "\n", parse_signatures(lines))


def parse_signatures(lines: str) -> tuple[Signature, ...]:
    """Read signature lines. Raises ValueError, also when there is none or one key stands there twice."""
    if not lines.endswith("\n"):
        raise ValueError("a signature line ends in a line feed")
    signatures = tuple([_signature(line) for line in lines[:-1].split("\n", MAX_SIGNATURES)])
    if len(signatures) > MAX_SIGNATURES:
        raise ValueError(f"a note has at most {MAX_SIGNATURES} signatures")
    if len({(one.name, one.key_id) for one in signatures}) != len(signatures):
        raise ValueError("a key signs a note once")
    return signatures


def format_note(note: Note) -> bytes:
    """Write a note. Raises ValueError when it would not be read again as it is."""
    raw = f"{note.text}\n{''.join(map(format_signature, note.signatures))}".encode()
    if parse_note(raw) != note:
        raise ValueError("the text of a note ends in a line feed")
    return raw


def format_signature(one: Signature) -> str:
    """Write a signature line, with its line feed."""
    return f"{DASH}{one.name} {b64encode(one.key_id + one.signature).decode()}\n"


def cosigned(time: int, text: str) -> bytes:
    """Write what a witness signs for a text at a time, in seconds since 1970."""
    return f"cosignature/v1\ntime {time}\n{text}".encode()


def cosignature_time(signature: bytes) -> int:
    """Read the time from a cosignature, in seconds since 1970. Raises ValueError."""
    time = int.from_bytes(signature[:8])
    if len(signature) != 8 + 64 or time >= 1 << 63:
        raise ValueError("a cosignature is a time in 8 bytes and an Ed25519 signature in 64")
    return time


def verifies(key: VerifierKey, text: str, signature: bytes, verify: Verify) -> bool:
    """Tell whether a signature by a key stands for a text."""
    if key.type == ED25519:
        return verify(key.public_key, text.encode(), signature)
    try:
        time = cosignature_time(signature)
    except ValueError:
        return False
    return verify(key.public_key, cosigned(time, text), signature[8:])


def verified(note: Note, keys: Iterable[VerifierKey], verify: Verify) -> tuple[Signature, ...]:
    """Give the signatures by keys that are known; lines of unknown keys are passed over.

    Raises ValueError when one by a known key does not hold, or there is none.
    """
    known = {(key.name, key.key_id): key for key in keys}
    found = [one for one in note.signatures if (one.name, one.key_id) in known]
    for one in found:
        if not verifies(known[one.name, one.key_id], note.text, one.signature, verify):
            raise ValueError(f"the signature of {one.name} does not hold")
    if not found:
        raise ValueError("no key that is known has signed the note")
    return tuple(found)


def check_name(name: str) -> None:
    """Raise ValueError on what is no name of a key: it is not empty, without spaces, ``+`` and controls."""
    if not name or "+" in name or any(character.isspace() or character < " " for character in name):
        raise ValueError("the name of a key is not empty and has no spaces, no + and no control characters")


def check_characters(text: str) -> None:
    """Raise ValueError on an ASCII control character that is no line feed."""
    if _CONTROL.search(text):
        raise ValueError("a note has no control characters but line feeds")


def decode_base64(text: str) -> bytes:
    """Read base64 (RFC 4648 section 4) in the one spelling that it has. Raises ValueError."""
    decoded = b64decode(text, validate=True)
    if b64encode(decoded).decode() != text:
        raise ValueError("base64 has one spelling only")
    return decoded


def _signature(line: str) -> Signature:
    name, _, encoded = line.removeprefix(DASH).partition(" ")
    if not line.startswith(DASH):
        raise ValueError("a signature line begins with an em dash and a space")
    check_name(name)
    decoded = decode_base64(encoded)
    if len(decoded) <= KEY_ID_BYTES:
        raise ValueError("a signature line holds the id of a key and a signature")
    return Signature(name, decoded[:KEY_ID_BYTES], decoded[KEY_ID_BYTES:])
