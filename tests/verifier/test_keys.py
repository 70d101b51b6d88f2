import pytest

from registry.audit.keys import make_key
from registry.merkle.checkpoint import Checkpoint
from registry.merkle.note import COSIGNATURE, ED25519, parse_verifier_key
from registry.verifier.keys import StoredSignature, authenticate, parse_keys, read_keys, stored, verify
from registry.verifier.outcome import MALFORMED, TAMPERED, Ended
from verifier.world import World, last_note


@pytest.fixture
def note(standing: World) -> bytes:
    return last_note(standing.path, standing.origin)


def refused(note: bytes, *keys: str, witnesses: tuple[str, ...] = ()) -> tuple[int, str]:
    with pytest.raises(Ended) as ended:
        authenticate(
            note, [parse_verifier_key(one) for one in keys], [parse_verifier_key(w) for w in witnesses]
        )
    return ended.value.problem.code, ended.value.problem.detail


def test_the_key_of_the_log_and_a_witness_stand_for_a_checkpoint(standing: World, note: bytes):
    key, witness = parse_verifier_key(standing.vkey), parse_verifier_key(standing.witness_vkey)
    signed = authenticate(note, [key], [witness], [key])
    assert signed.signers == (key,)
    assert signed.claimed == (key,)
    assert [(one.witness, one.time) for one in signed.cosigned] == [("witness.example/w", 1_800_000_000)]


def test_a_key_that_came_with_the_evidence_authenticates_nothing(standing: World, note: bytes):
    signed = authenticate(note, [], [], [parse_verifier_key(standing.vkey)])
    assert signed.signers == ()
    assert [str(key) for key in signed.claimed] == [standing.vkey]


def test_a_checkpoint_signed_by_another_key_is_refused(standing: World, note: bytes, tmp_path):
    other = make_key(tmp_path / "other")
    code, detail = refused(note, str(other.verifier_key(standing.origin)))
    assert (code, detail) == (TAMPERED, "the key given has not signed it")


def test_a_checkpoint_of_another_log_is_refused(standing: World, note: bytes):
    code, detail = refused(note, str(standing.key.verifier_key("another.example/log")))
    assert code == TAMPERED
    assert "of the log registry.test/log" in detail


def test_a_signature_that_does_not_hold_is_refused(standing: World, note: bytes):
    larger = note.replace(b"\n75\n", b"\n76\n")
    assert refused(larger, standing.vkey) == (TAMPERED, f"the signature of {standing.origin} does not hold")
    code, detail = refused(larger, witnesses=(standing.witness_vkey,))
    assert (code, detail) == (TAMPERED, "the signature of witness.example/w does not hold")


@pytest.mark.parametrize(
    "change",
    [
        lambda note: note.replace(b"\n", b"\r\n"),
        lambda note: note.replace(b"\n75\n", b"\n075\n"),
        lambda note: note.replace(b"\n75\n", b"\n+75\n"),
        lambda note: note.replace(b"\n75\n", b"\n9223372036854775808\n"),
        lambda note: note.replace(b"\n75\n", "\n\uff17\uff15\n".encode()),
        lambda note: note + note.rpartition(b"\n\n")[2],
        lambda note: note.replace(b"=\n", b"\n", 1),
        lambda note: note[:-1],
        lambda note: note.replace("—".encode(), b"-"),
        lambda note: b"",
        lambda note: b"\xff" + note,
        lambda note: b"x" * 1_000_001,
    ],
    ids=[
        "CRLF",
        "leading zero",
        "sign",
        "beyond 2^63",
        "other digits",
        "signatures twice",
        "base64 without padding",
        "no line feed at the end",
        "hyphen",
        "empty",
        "no UTF-8",
        "too long",
    ],
)
def test_what_is_not_quite_a_checkpoint_is_refused(standing: World, note: bytes, change):
    assert change(note) != note
    assert refused(change(note), standing.vkey)[0] == MALFORMED


def test_keys_are_given_as_they_are_or_in_a_file(standing: World, tmp_path):
    assert [str(key) for key in read_keys(standing.vkey)] == [standing.vkey]
    file = tmp_path / "keys"
    file.write_text(f"{standing.vkey}\n{standing.witness_vkey}\n")
    assert [key.type for key in read_keys(str(file))] == [ED25519, COSIGNATURE]


@pytest.mark.parametrize("content", [b"", b"x\n", b"a+b+c\n\n", b"\xff", b"x" * 70_000])
def test_a_file_that_holds_no_keys_is_refused(tmp_path, content: bytes):
    file = tmp_path / "keys"
    file.write_bytes(content)
    with pytest.raises(ValueError):
        read_keys(str(file))


def test_an_empty_list_of_keys_is_one():
    assert parse_keys(b"") == []


def test_a_key_that_is_no_point_of_the_curve_verifies_nothing():
    assert not verify(b"x" * 31, b"", b"")


def test_a_stored_checkpoint_without_a_signature_of_its_log_is_no_note():
    checkpoint = Checkpoint("log.example", 1, bytes(32))
    assert stored(checkpoint, [StoredSignature("another.example", bytes(4), 0, b"x")]).note == b""


def test_at_a_size_signed_under_two_names_no_cosignature_is_believed():
    checkpoint = Checkpoint("log.example", 1, bytes(32))
    rows = [
        StoredSignature("log.example", bytes(4), 0, b"x"),
        StoredSignature("old.example", bytes(4), 0, b"y"),
        StoredSignature("w.example", bytes(4), 7, b"z"),
    ]
    assert stored(checkpoint, rows).note.count("—".encode()) == 1
    assert stored(checkpoint, [rows[0], rows[2]]).note.count("—".encode()) == 2
    with pytest.raises(ValueError, match="no such time"):
        stored(checkpoint, [rows[0], rows[2]._replace(time=1 << 64)])
