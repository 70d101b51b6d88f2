"""A database that was put back is held against what lies outside of it."""

from pathlib import Path

import httpx
import pytest

from audit.conftest import Log
from conftest import ORIGIN
from registry.audit.checkpoints import published
from registry.audit.configured import WitnessAddress
from registry.audit.keys import SigningKey, make_key
from registry.audit.publisher import Publisher
from registry.audit.restored import ask_around
from registry.audit.standing import Kept
from registry.audit.witness import Witness
from registry.merkle.checkpoint import Checkpoint, format_checkpoint
from registry.merkle.note import COSIGNATURE, Note, format_note
from registry.store.arrivals import Arrivals
from registry.store.reader import Reader

WITNESS = "witness.example/w1"


@pytest.fixture
def key(tmp_path: Path) -> SigningKey:
    return make_key(tmp_path / "key")


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    return Kept(tmp_path / "checkpoint")


@pytest.fixture
def signed(log: Log, key: SigningKey) -> Log:
    """A log of five events that has signed its head, as its backup has it."""
    log.append(5)
    publisher = Publisher(log.engine, Reader(log.engine), [key], kept=None, arrivals=Arrivals())
    publisher.step()
    publisher.close()
    return log


@pytest.fixture
def address(tmp_path: Path) -> WitnessAddress:
    witness_key = make_key(tmp_path / "witness")
    return WitnessAddress(
        witness_key.verifier_key(WITNESS, COSIGNATURE), "https://witness.example/add-checkpoint"
    )


def answering(status: int, content: str, kind: str = "text/plain") -> httpx.MockTransport:
    return httpx.MockTransport(
        lambda _: httpx.Response(status, content=content, headers={"Content-Type": kind})
    )


def note_of(log: Log, key: SigningKey, size: int, root: bytes) -> bytes:
    text = format_checkpoint(Checkpoint(ORIGIN, size, root))
    return format_note(Note(text, (key.sign_note(ORIGIN, text),)))


async def test_a_kept_checkpoint_that_it_extends_confirms_it(signed: Log, key: SigningKey, kept: Kept):
    kept.write(note_of(signed, key, 5, signed.root()))
    standing = await ask_around(signed.engine, kept, [])
    assert (standing.behind, standing.confirmed) == ("", True)


async def test_without_anything_outside_nothing_confirms_it(signed: Log, kept: Kept):
    for nothing in (kept, None):
        standing = await ask_around(signed.engine, nothing, [])
        assert (standing.behind, standing.confirmed, standing.silent) == ("", False, ())
    assert not kept.path.exists()


async def test_behind_the_kept_checkpoint_it_says_so_and_leaves_the_file_alone(
    signed: Log, key: SigningKey, kept: Kept
):
    kept.write(note := note_of(signed, key, 9, bytes(32)))
    standing = await ask_around(signed.engine, kept, [])
    assert "of 9 events, and there are 5" in standing.behind
    assert not standing.confirmed
    assert kept.path.read_bytes() == note


async def test_behind_what_a_witness_has_seen_it_says_so_and_remembers(
    signed: Log, kept: Kept, address: WitnessAddress
):
    further = answering(409, "8\n", "text/x.tlog.size")
    standing = await ask_around(signed.engine, kept, [address], transport=further)
    assert "a witness has seen 8 events" in standing.behind
    assert "8 events" in standing.silent[0]
    standing = await ask_around(signed.engine, kept, [])
    assert "a witness has seen 8 events" in standing.behind


async def test_a_witness_that_cosigns_confirms_it(
    signed: Log, key: SigningKey, address: WitnessAddress, tmp_path: Path
):
    from registry.audit.keys import read_key

    logs = {ORIGIN: (key.verifier_key(ORIGIN),)}
    witness = Witness(signed.engine, WITNESS, read_key(tmp_path / "witness"), logs)

    def cosign(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, text=witness.add_checkpoint(request.read()))

    with (
        signed.engine.begin() as connection
    ):  # what it knows of us as a witness is its own database elsewhere
        last = published(connection)
    assert last is not None
    standing = await ask_around(signed.engine, None, [address], transport=httpx.MockTransport(cosign))
    assert (standing.behind, standing.confirmed, standing.silent) == ("", True, ())


async def test_a_witness_that_does_not_answer_is_named(signed: Log, address: WitnessAddress):
    standing = await ask_around(signed.engine, None, [address], transport=answering(500, "no"))
    assert standing.silent == (f"{WITNESS}: it answered 500",)
    assert not standing.confirmed
