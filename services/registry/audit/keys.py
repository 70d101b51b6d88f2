"""Keys: Ed25519 (RFC 8032), each in a file of its own that only its owner may read. None is ever logged.

A file is PKCS #8 in PEM, so that ``openssl genpkey -algorithm ed25519`` makes one as well.
"""

import os
import stat
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from registry.audit.files import write_new
from registry.config import Settings
from registry.merkle.note import COSIGNATURE, ED25519, Signature, VerifierKey, verifier_key
from registry.store.database import parse_url

OTHERS = stat.S_IRWXO | stat.S_IWGRP
"""What a key file must not allow: anything to everybody, and writing to the group."""


class KeyFault(Exception):
    """A key file that is configured cannot be used; the text says why, and holds nothing of the key."""


class SigningKey:
    """A private key. It does not show itself."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public_key = private.public_key().public_bytes_raw()
        """32 bytes."""

    def sign(self, message: bytes) -> bytes:
        """Sign; the same message always gets the same 64 bytes."""
        return self._private.sign(message)

    def verifier_key(self, name: str, type: int = ED25519) -> VerifierKey:
        """Give what others verify with. Raises ValueError on what is no name of a key."""
        return verifier_key(name, type, self.public_key)

    def sign_note(self, name: str, text: str) -> Signature:
        """Sign the text of a note as the key of this name."""
        return Signature(name, self.verifier_key(name).key_id, self.sign(text.encode()))


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Verify an Ed25519 signature."""
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def make_key(path: Path) -> SigningKey:
    """Make a key and write it to a new file. Raises KeyFault when there is one, or it cannot be written."""
    private = Ed25519PrivateKey.generate()
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        write_new(path, pem, mode=0o600)
    except FileExistsError as error:
        raise KeyFault(f"{path} is there already, and no key is ever overwritten") from error
    except OSError as error:
        raise KeyFault(f"cannot write a key to {path}: {error.strerror}") from error
    return SigningKey(private)


def read_key(path: Path) -> SigningKey:
    """Read a key. Raises KeyFault when the file is none, or others may read it."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            pem = file.read(1 << 16)
    except OSError as error:
        raise KeyFault(f"cannot read the key in {path}: {error.strerror}") from error
    if mode & OTHERS:
        raise KeyFault(f"the key in {path} is open to others: chmod 600 {path}")
    try:
        private = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        private = None  # what the library says might quote the key
    if not isinstance(private, Ed25519PrivateKey):
        raise KeyFault(f"{path} holds no Ed25519 key in PEM, without a password")
    return SigningKey(private)


def key_path(settings: Settings) -> Path | None:
    """Return where the key of the log is: as configured, or beside a SQLite database; else None."""
    return _beside(settings, settings.log_key_file, ".key")


def kept_path(settings: Settings) -> Path | None:
    """Return where the last checkpoint is kept outside the database; None if nowhere."""
    return _beside(settings, settings.checkpoint_file, ".checkpoint")


def log_keys(settings: Settings, *, make: bool) -> list[SigningKey]:
    """Read the keys of the log: none (PostgreSQL without one), one, or two while it changes.

    With ``make``, one is made beside a SQLite database that has none. Raises KeyFault.
    """
    path = key_path(settings)
    if path is None:
        if settings.log_key_file_next:
            raise KeyFault("REGISTRY_LOG_KEY_FILE_NEXT needs REGISTRY_LOG_KEY_FILE beside it")
        return []
    missing = make and not settings.log_key_file and not path.exists()
    keys = [make_key(path) if missing else read_key(path)]
    if settings.log_key_file_next:
        keys.append(read_key(Path(settings.log_key_file_next)))
    return keys


def witness_key(settings: Settings) -> VerifierKey | None:
    """Read what others verify our cosignatures with; None when this registry is no witness. Raises KeyFault."""
    if not (settings.witness_name and settings.witness_key_file):
        return None
    return read_key(Path(settings.witness_key_file)).verifier_key(settings.witness_name, COSIGNATURE)


def _beside(settings: Settings, configured: str, suffix: str) -> Path | None:
    if configured:
        return Path(configured)
    return Path(f"{parse_url(settings.database).database}{suffix}") if settings.sqlite else None
