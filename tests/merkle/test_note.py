import json
from base64 import b64decode, b64encode
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from hypothesis import given
from hypothesis import strategies as st

from registry.merkle.note import (
    COSIGNATURE,
    ED25519,
    Note,
    Signature,
    cosignature_time,
    cosigned,
    decode_base64,
    format_note,
    format_signature,
    parse_note,
    parse_signatures,
    parse_verifier_key,
    verified,
    verifier_key,
    verifies,
)

VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
LINE = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
NOTE = f"{TEXT}\n{LINE}".encode()


def verify(key: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


@pytest.fixture(scope="session")
def vectors(shared: Path) -> dict:
    return json.loads((shared / "vectors" / "note.json").read_text())


def test_a_note_of_another_implementation_is_read_and_verified():
    note = parse_note(NOTE)
    assert note.text == TEXT
    assert [one.name for one in verified(note, [parse_verifier_key(VKEY)], verify)] == ["PeterNeumann"]
    assert format_note(note) == NOTE


def test_the_known_answers_hold(vectors):
    signed = vectors["signed_note"]
    key = parse_verifier_key(signed["vkey"])
    assert str(key) == signed["vkey"]
    note = parse_note(signed["note"].encode())
    assert note.text == signed["text"]
    assert verified(note, [key], verify) == note.signatures
    for bad in signed["bad_vkeys"]:
        with pytest.raises(ValueError):
            parse_verifier_key(bad)


def test_the_same_key_makes_the_same_note(vectors):
    signed = vectors["signed_note"]
    material = b64decode(signed["skey"].split("+", 4)[4])
    assert material[0] == ED25519
    private = Ed25519PrivateKey.from_private_bytes(material[1:])
    key = verifier_key("PeterNeumann", ED25519, private.public_key().public_bytes_raw())
    assert str(key) == signed["vkey"]
    signature = Signature(key.name, key.key_id, private.sign(signed["text"].encode()))
    assert format_note(Note(signed["text"], (signature,))) == signed["note"].encode()


def test_every_proper_substring_of_a_verifier_key_is_refused():
    for start in range(len(VKEY)):
        for end in range(start, len(VKEY) + 1):
            if end - start < len(VKEY):
                with pytest.raises(ValueError):
                    parse_verifier_key(VKEY[start:end])


def test_every_change_of_one_byte_of_a_verifier_key_is_refused():
    for place in range(len(VKEY)):
        for byte in range(256):
            changed = VKEY[:place] + chr(byte) + VKEY[place + 1 :]
            if changed != VKEY:
                with pytest.raises(ValueError):
                    parse_verifier_key(changed)


def test_a_cosignature_has_the_layout_of_the_known_answer(vectors):
    note = parse_note(vectors["checkpoint_with_cosignature_layout"].encode())
    log, witness = note.signatures
    assert (log.name, len(log.signature)) == ("example.com/behind-the-sofa", 64)
    assert cosignature_time(witness.signature) == 1679315147
    assert cosigned(1679315147, note.text) == vectors["cosignature_signed_message"].encode()
    assert format_note(note).decode() == vectors["checkpoint_with_cosignature_layout"]


def test_a_cosignature_stands_for_its_time_and_text():
    private = Ed25519PrivateKey.generate()
    public = private.public_key().public_bytes_raw()
    key = verifier_key("w.example", COSIGNATURE, public)
    assert key.key_id == sha256(b"w.example\n\x04" + public).digest()[:4]
    signature = (7).to_bytes(8) + private.sign(cosigned(7, TEXT))
    assert verifies(key, TEXT, signature, verify)
    assert not verifies(key, TEXT, (8).to_bytes(8) + signature[8:], verify)
    assert not verifies(key, TEXT + "x\n", signature, verify)
    assert not verifies(key, TEXT, signature[:-1], verify)
    assert not verifies(key, TEXT, b"\x80" + signature[1:], verify)


def test_a_line_of_an_unknown_key_or_algorithm_is_kept_and_passed_over():
    further = Signature("PeterNeumann", b"\x00\x01\x02\x03", bytes(2420))
    raw = NOTE + format_signature(further).encode()
    note = parse_note(raw)
    assert note.signatures[1] == further
    assert verified(note, [parse_verifier_key(VKEY)], verify) == note.signatures[:1]
    assert format_note(note) == raw


def test_a_note_without_a_signature_by_a_known_key_is_refused():
    with pytest.raises(ValueError, match="no key that is known"):
        verified(parse_note(NOTE), [verifier_key("PeterNeumann", COSIGNATURE, bytes(32))], verify)


def test_a_note_with_a_false_signature_by_a_known_key_is_refused():
    note = parse_note(NOTE.replace(b"problem is", b"problem Is"))
    with pytest.raises(ValueError, match="of PeterNeumann does not hold"):
        verified(note, [parse_verifier_key(VKEY)], verify)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        NOTE[:-1],
        NOTE.replace(b"\n", b"\r\n"),
        NOTE.replace(b"problem is", b"problem\tis"),
        NOTE.replace(b"problem is", b"problem\x00is"),
        NOTE.replace(b"problem is", b"problem\xff"),
        NOTE.replace(b"\n\n", b"\n"),
        TEXT.encode() + b"\n",
        NOTE + b"\n",
        NOTE + LINE.encode(),
        NOTE.replace("—".encode(), b"-"),
        NOTE.replace("— ".encode(), "—".encode()),
        NOTE.replace(b"PeterNeumann x08", b"PeterNeumann  x08"),
        NOTE.replace(b"PeterNeumann x08", b" x08"),
        NOTE.replace(b"PeterNeumann x08", b"Peter+Neumann x08"),
        NOTE.replace(b"PeterNeumann x08", "Peter\u2028Neumann x08".encode()),
        NOTE.replace(b"PeterNeumann x08", "Peter\u00a0Neumann x08".encode()),
        NOTE.replace(b"AM=", b"AN="),
        NOTE.replace(b"AM=", b"AM"),
        NOTE.replace(b"AM=", b"AM= "),
        NOTE.replace(b"x08go", b"x08*go"),
        NOTE[: NOTE.index(b"x08")] + b"x08gow==\n",
        NOTE[: NOTE.index(b"x08")] + b"\n",
        b"x" * 1_000_001,
    ],
    ids=range(24),
)
def test_what_is_not_quite_a_note_is_refused(raw: bytes):
    with pytest.raises(ValueError):
        parse_note(raw)


def test_a_text_may_have_empty_lines_and_any_script():
    text = "Ognuno sta solo\n\nè subito sera\u2028\n"
    assert parse_note(f"{text}\n{LINE}".encode()).text == text


def test_a_note_takes_many_signatures_but_not_any_number():
    lines = "".join(
        format_signature(Signature(f"witness{n}", bytes(4), b"x" * 2500)) for n in range(101)
    ).splitlines(keepends=True)
    assert len(parse_signatures("".join(lines[:100]))) == 100
    with pytest.raises(ValueError, match="at most 100"):
        parse_signatures("".join(lines))


def test_a_note_that_could_not_be_read_again_is_not_written():
    good = parse_note(NOTE)
    for bad in (
        good._replace(text=TEXT[:-1]),
        good._replace(text=TEXT + "further"),
        Note(f"{TEXT}\n{LINE[:-1]}", (Signature("another", bytes(4), b"x"),)),
        good._replace(text=TEXT + "\r\n"),
        good._replace(signatures=()),
        good._replace(signatures=(Signature("a b", bytes(4), b"x"),)),
    ):
        with pytest.raises(ValueError):
            format_note(bad)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u3000b", "a\x01b"])
def test_a_key_has_a_name_without_spaces_and_plus(name: str):
    with pytest.raises(ValueError, match="name of a key"):
        verifier_key(name, ED25519, bytes(32))


def test_a_key_of_an_unknown_algorithm_is_no_verifier_key():
    for type_, length in ((2, 32), (0x06, 1312), (ED25519, 31)):
        with pytest.raises(ValueError, match="no public key"):
            verifier_key("log.example", type_, bytes(length))
    with pytest.raises(ValueError):
        parse_verifier_key("log.example+00000000+")


@given(st.binary(max_size=12))
def test_base64_has_one_spelling(decoded: bytes):
    spelled = b64encode(decoded).decode()
    assert decode_base64(spelled) == decoded
    for other in (spelled + "\n", " " + spelled, spelled + "=", spelled.rstrip("=") + "====="):
        with pytest.raises(ValueError):
            decode_base64(other)
