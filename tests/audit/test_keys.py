import stat
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from registry.audit import files
from registry.audit.keys import (
    KeyFault,
    SigningKey,
    kept_path,
    key_path,
    log_keys,
    make_key,
    read_key,
    verify,
    witness_key,
)
from registry.config import Settings
from registry.merkle.note import COSIGNATURE, ED25519, Note, verified


def at(path: Path, **settings: str) -> Settings:
    return Settings(database=f"sqlite:///{path / 'registry.db'}", **settings)


def test_a_key_that_was_made_is_read_again_and_signs(tmp_path: Path):
    made = make_key(tmp_path / "key")
    read = read_key(tmp_path / "key")
    assert read.public_key == made.public_key
    assert read.sign(b"x") == made.sign(b"x")
    assert verify(made.public_key, b"x", read.sign(b"x"))
    assert not verify(made.public_key, b"y", read.sign(b"x"))
    assert not verify(b"short", b"x", read.sign(b"x"))


def test_a_key_signs_a_note_under_a_name(tmp_path: Path):
    key = make_key(tmp_path / "key")
    signature = key.sign_note("log.example", "text\n")
    note = Note("text\n", (signature,))
    assert verified(note, [key.verifier_key("log.example")], verify) == (signature,)
    assert key.verifier_key("w", COSIGNATURE).key_id != key.verifier_key("w", ED25519).key_id


def test_only_the_owner_may_read_a_key(tmp_path: Path):
    path = tmp_path / "key"
    make_key(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    path.chmod(0o440)  # as a cluster mounts a secret for the group of the service
    read_key(path)
    for mode in (0o604, 0o620, 0o601):
        path.chmod(mode)
        with pytest.raises(KeyFault, match="open to others"):
            read_key(path)


def test_a_key_is_never_overwritten(tmp_path: Path):
    path = tmp_path / "key"
    kept = make_key(path)
    with pytest.raises(KeyFault, match="ever overwritten"):
        make_key(path)
    assert read_key(path).public_key == kept.public_key
    assert list(tmp_path.iterdir()) == [path]


def test_a_key_does_not_show_itself(tmp_path: Path):
    key = make_key(tmp_path / "key")
    secret = (tmp_path / "key").read_text().split("\n")[1]
    assert secret not in repr(key)
    assert "0x" in repr(key)


def test_a_key_of_openssl_is_taken(tmp_path: Path):
    path = tmp_path / "key"
    try:
        subprocess.run(["openssl", "genpkey", "-algorithm", "ed25519", "-out", path], check=True)
    except FileNotFoundError:
        pytest.skip("openssl is not here")
    path.chmod(0o600)
    assert isinstance(read_key(path), SigningKey)


def test_what_holds_no_key_is_refused_without_being_quoted(tmp_path: Path):
    other = Ed448PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for content in (b"", b"secret", other):
        path = tmp_path / "key"
        path.write_bytes(content)
        path.chmod(0o600)
        with pytest.raises(KeyFault, match="no Ed25519 key") as fault:
            read_key(path)
        assert "secret" not in str(fault.value)


def test_a_key_that_is_not_there_is_named(tmp_path: Path):
    with pytest.raises(KeyFault, match=r"cannot read the key in .*/absent"):
        read_key(tmp_path / "absent")
    with pytest.raises(KeyFault, match="cannot write a key"):
        make_key(tmp_path / "absent" / "key")


def test_sqlite_makes_a_key_beside_the_database_once(tmp_path: Path):
    settings = at(tmp_path)
    with pytest.raises(KeyFault, match="cannot read"):
        log_keys(settings, make=False)
    (made,) = log_keys(settings, make=True)
    (again,) = log_keys(settings, make=True)
    assert made.public_key == again.public_key
    assert key_path(settings) == tmp_path / "registry.db.key"
    assert kept_path(settings) == tmp_path / "registry.db.checkpoint"


def test_a_key_that_is_configured_is_never_made(tmp_path: Path):
    settings = at(tmp_path, log_key_file=str(tmp_path / "key"))
    with pytest.raises(KeyFault, match="cannot read"):
        log_keys(settings, make=True)


def test_while_the_key_changes_there_are_two(tmp_path: Path):
    old, new = make_key(tmp_path / "old"), make_key(tmp_path / "new")
    settings = at(tmp_path, log_key_file=str(tmp_path / "old"), log_key_file_next=str(tmp_path / "new"))
    keys = [key.public_key for key in log_keys(settings, make=False)]
    assert keys == [old.public_key, new.public_key]


def test_postgresql_has_the_keys_and_files_that_are_configured():
    settings = Settings(database="postgresql://db/registry")
    assert log_keys(settings, make=True) == []
    assert kept_path(settings) is None
    with pytest.raises(KeyFault, match="NEXT needs"):
        log_keys(Settings(database="postgresql://db/registry", log_key_file_next="x"), make=True)


def test_a_file_is_replaced_as_a_whole_or_not_at_all(tmp_path: Path):
    path = tmp_path / "file"
    files.replace(path, b"one")
    files.replace(path, b"two")
    assert path.read_bytes() == b"two"
    directory = tmp_path / "directory"
    directory.mkdir()
    with pytest.raises(OSError):
        files.replace(directory, b"three")
    assert sorted(tmp_path.iterdir()) == [directory, path]


def test_the_key_of_a_witness_is_given_when_it_has_a_name(tmp_path: Path):
    made = make_key(tmp_path / "key")
    settings = at(tmp_path, witness_key_file=str(tmp_path / "key"), witness_name="w.example")
    assert witness_key(settings) == made.verifier_key("w.example", COSIGNATURE)
    assert witness_key(at(tmp_path)) is None
