from base64 import b64encode

import pytest

from registry.merkle.checkpoint import (
    Checkpoint,
    format_checkpoint,
    format_proof,
    format_submission,
    parse_checkpoint,
    parse_number,
    parse_proof,
    parse_submission,
)
from registry.merkle.note import Note, Signature, format_note

SOFA = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
ROOT = b64encode(bytes(32)).decode()
NOTE = Note(SOFA, (Signature("example.com/behind-the-sofa", b"abcd", b"x" * 64),))
RAW = format_note(NOTE)
HASHES = (b"1" * 32, b"2" * 32)


def test_a_checkpoint_is_origin_size_and_root():
    checkpoint = parse_checkpoint(SOFA)
    assert (checkpoint.origin, checkpoint.size) == ("example.com/behind-the-sofa", 20852163)
    assert checkpoint.root.hex().startswith("0ac5186a")
    assert format_checkpoint(checkpoint) == SOFA


def test_further_lines_are_kept():
    assert parse_checkpoint(SOFA + "more\nlines\n").extensions == ("more", "lines")
    checkpoint = Checkpoint("log.example", 0, bytes(32), ("one",))
    assert parse_checkpoint(format_checkpoint(checkpoint)) == checkpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        SOFA[:-1],
        f"\n5\n{ROOT}\n",
        "log.example\n5\n",
        f"log.example\n05\n{ROOT}\n",
        f"log.example\n+5\n{ROOT}\n",
        f"log.example\n5 \n{ROOT}\n",
        f"log.example\n1_0\n{ROOT}\n",
        f"log.example\n\uff11\n{ROOT}\n",
        f"log.example\n-1\n{ROOT}\n",
        f"log.example\n\n{ROOT}\n",
        f"log.example\n{1 << 63}\n{ROOT}\n",
        f"log.example\n5\n{ROOT[:-4]}\n",
        f"log.example\n5\n{b64encode(bytes(33)).decode()}\n",
        f"log.example\n5\n{ROOT}\n\n",
        f"log.example\r\n5\r\n{ROOT}\r\n",
        f"log.example\n5\n{ROOT}\n\x1b[0m\n",
        f"log.example\u20285\u2028{ROOT}\u2028",
    ],
    ids=range(18),
)
def test_what_is_not_quite_a_checkpoint_is_refused(text: str):
    with pytest.raises(ValueError):
        parse_checkpoint(text)


def test_a_checkpoint_that_could_not_be_read_again_is_not_written():
    for bad in (
        Checkpoint("a\nb", 5, bytes(32)),
        Checkpoint("", 5, bytes(32)),
        Checkpoint("a", -5, bytes(32)),
        Checkpoint("a", 5, bytes(31)),
        Checkpoint("a", 5, bytes(32), ("",)),
        Checkpoint("a", 5, bytes(32), ("b\nc",)),
    ):
        with pytest.raises(ValueError):
            format_checkpoint(bad)


def test_a_size_is_below_two_to_the_63():
    assert parse_number(str((1 << 63) - 1)) == (1 << 63) - 1
    assert parse_number("0") == 0
    with pytest.raises(ValueError):
        parse_number(str(1 << 63))


def test_a_submission_carries_the_old_size_the_proof_and_the_note():
    raw = format_submission(5, HASHES, RAW)
    assert raw.startswith(b"old 5\n" + b64encode(HASHES[0]) + b"\n")
    assert parse_submission(raw) == (5, HASHES, NOTE)
    assert parse_submission(b"old 0\n\n" + RAW) == (0, (), NOTE)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        RAW,
        b"old 5\n" + RAW,
        b"\nold 5\n\n" + RAW,
        b"old  5\n\n" + RAW,
        b"old 05\n\n" + RAW,
        b"Old 5\n\n" + RAW,
        b"old 5\r\n\r\n" + RAW,
        b"old 5\nAAAA\n\n" + RAW,
        b"old 5\n\xff\n\n" + RAW,
        b"old 5\n\n" + RAW[:-1],
        format_submission(5, HASHES * 32, RAW),
    ],
    ids=range(12),
)
def test_what_is_not_quite_a_submission_is_refused(raw: bytes):
    with pytest.raises(ValueError):
        parse_submission(raw)


def test_a_proof_is_complete_by_itself():
    raw = format_proof(3, HASHES, RAW)
    assert raw.startswith(b"c2sp.org/tlog-proof@v1\nindex 3\n")
    assert raw.endswith(b"\n\n" + RAW)
    assert parse_proof(raw) == (3, HASHES, NOTE, None)
    assert parse_proof(format_proof(0, (), RAW)) == (0, (), NOTE, None)


def test_a_proof_may_carry_something_more():
    for extra in (b"salt", b""):
        raw = format_proof(3, HASHES, RAW, extra=extra)
        assert raw.split(b"\n")[1] == b"extra " + b64encode(extra)
        assert parse_proof(raw).extra == extra


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"c2sp.org/tlog-proof@v2\nindex 3\n\n" + RAW,
        b"c2sp.org/tlog-proof@v1\n\n" + RAW,
        b"c2sp.org/tlog-proof@v1\nextra AAAA\n\n" + RAW,
        b"c2sp.org/tlog-proof@v1\nextra AAA\nindex 3\n\n" + RAW,
        b"c2sp.org/tlog-proof@v1\nindex 3\nextra AAAA\n\n" + RAW,
        b"c2sp.org/tlog-proof@v1\nindex 03\n\n" + RAW,
        format_proof(3, HASHES * 32, RAW),
    ],
    ids=range(8),
)
def test_what_is_not_quite_a_proof_is_refused(raw: bytes):
    with pytest.raises(ValueError):
        parse_proof(raw)
