"""The last checkpoint seen of a log: at first contact, a year later, after a rollback, and in a fork."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from registry.audit.keys import make_key
from registry.merkle.checkpoint import Checkpoint, format_checkpoint
from registry.merkle.note import format_signature
from registry.merkle.tree import EMPTY_ROOT
from registry.verifier.kept import Kept, default_state
from registry.verifier.outcome import (
    FORKED,
    HOLDS,
    OLDER,
    TAMPERED,
    UNAUTHENTICATED,
    UNLINKED,
    UNREADABLE,
    Ended,
)
from verifier.world import OTHER, World, bundle, facts, last_note


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


@pytest.fixture
def kept(standing: World, state: Path) -> Kept:
    return Kept(state, standing.origin)


def evidence(world: World, path: Path, **options) -> dict[str, bytes]:
    return bundle(facts(path), last_note(path, world.origin), world.vkey, **options)


def test_the_first_checkpoint_is_kept_and_the_next_must_extend_it(
    check, standing: World, state: Path, kept: Kept
):
    first = check(evidence(standing, standing.backups[22]), state=state)
    assert first.code == HOLDS
    assert "first contact" in first.earlier
    assert any("first one seen" in text for text in first.not_proven)
    assert kept.read()[0].size == 22
    for target, size in ((standing.backups[53], 53), (evidence(standing, standing.path), 75)):
        report = check(target, state=state)
        assert (report.code, report.earlier.startswith("extends the checkpoint kept")) == (HOLDS, True)
        assert kept.read()[0].size == size
        assert not any("first one seen" in text for text in report.not_proven)


def test_a_bundle_of_one_agreement_must_bring_its_proof(check, standing: World, state: Path, kept: Kept):
    kept.write(last_note(standing.backups[22], standing.origin))
    report = check(evidence(standing, standing.path, agreement=OTHER), state=state)
    assert (report.code, "ask for evidence from that size on" in report.problems[0].detail) == (
        UNLINKED,
        True,
    )
    assert kept.read()[0].size == 22
    assert check(evidence(standing, standing.path, agreement=OTHER, since=22), state=state).code == HOLDS
    assert kept.read()[0].size == 75
    assert check(evidence(standing, standing.path, agreement=OTHER), state=state).code == HOLDS


def test_what_is_older_is_told_and_not_kept(check, standing: World, state: Path, kept: Kept):
    kept.write(last_note(standing.path, standing.origin))
    for target, word in (
        (standing.backups[53], "ROLLBACK: the checkpoint kept is of 75 events, and this shows 53"),
        (evidence(standing, standing.backups[53]), "NOT NEWER: the checkpoint kept is of 75"),
        (
            evidence(standing, standing.backups[53], agreement=OTHER),
            "NOT NEWER: the checkpoint kept is of 75",
        ),
    ):
        report = check(target, state=state)
        assert report.code == OLDER
        assert word in report.problems[0].detail
    assert kept.read()[0].size == 75


def another_history(world: World, size: int) -> bytes:
    """A checkpoint that the log has signed besides the one it shows."""
    text = format_checkpoint(Checkpoint(world.origin, size, bytes(32)))
    one = world.key.sign_note(world.origin, text)
    return f"{text}\n{format_signature(one)}".encode()


@pytest.mark.parametrize("size", [22, 75])
def test_a_fork_is_shown_with_both_checkpoints(check, standing: World, state: Path, kept: Kept, size: int):
    kept.write(another_history(standing, size))
    for target in (
        standing.path,
        evidence(standing, standing.path),
        evidence(standing, standing.path, agreement=OTHER, since=22),
    ):
        report = check(target, state=state)
        assert report.code == FORKED
        assert "two histories of one log" in report.problems[0].detail
        assert [note for _, note in report.notes] == [
            another_history(standing, size),
            last_note(standing.path, standing.origin),
        ]
    aside = sorted(path.name for path in kept.directory.glob("fork-*/*"))
    assert aside == ["kept"] * 3 + ["shown"] * 3
    assert kept.read()[1] == another_history(standing, size)


def test_without_a_state_a_fork_is_shown_all_the_same(check, standing: World, tmp_path: Path):
    (tmp_path / "mine").write_bytes(another_history(standing, 22))
    report = check(standing.path, since=tmp_path / "mine")
    assert (report.code, report.evidence, len(report.notes)) == (FORKED, "", 2)


def test_a_checkpoint_may_be_given_instead(check, standing: World, tmp_path: Path):
    mine = tmp_path / "mine"
    mine.write_bytes(last_note(standing.backups[22], standing.origin))
    report = check(standing.path, since=mine)
    assert (report.code, report.earlier) == (HOLDS, "extends the checkpoint given, of 22 events")
    assert check(evidence(standing, standing.path, agreement=OTHER), since=mine).code == UNLINKED
    assert check(standing.path, since=tmp_path / "missing").code == UNREADABLE
    mine.write_bytes(b"x")
    assert "cannot be read" in check(standing.path, since=mine).problems[0].detail
    mine.write_bytes(last_note(standing.path, standing.origin).replace(b"registry.test", b"another.test"))
    assert "is of another.test/log" in check(standing.path, since=mine).problems[0].detail


def test_what_no_key_stands_for_is_compared_and_not_kept(check, standing: World, state: Path, kept: Kept):
    assert check(standing.path, keys=(), state=state).code == UNAUTHENTICATED
    assert kept.read() is None
    kept.write(another_history(standing, 75))
    assert check(standing.path, keys=(), state=state).code == FORKED


def test_what_does_not_hold_is_not_kept(check, standing: World, state: Path, kept: Kept, tmp_path: Path):
    other = make_key(tmp_path / "other").verifier_key(standing.origin)
    assert check(standing.path, keys=(other,), state=state).code == TAMPERED
    assert kept.read() is None


def test_a_kept_checkpoint_that_cannot_be_read_is_told(check, standing: World, state: Path, kept: Kept):
    kept.write(b"x")
    assert check(standing.path, state=state).code == UNREADABLE
    (kept.directory / "checkpoint").unlink()
    (kept.directory / "checkpoint").mkdir()
    assert check(standing.path, state=state).code == UNREADABLE


def test_a_checkpoint_is_there_as_a_whole_or_not_at_all(kept: Kept, monkeypatch: pytest.MonkeyPatch):
    kept.write(b"one")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", fail)
        with pytest.raises(Ended, match="No space left"):
            kept.write(b"two")
        with pytest.raises(Ended, match="No space left"):
            kept.put_aside(b"one", b"two", datetime(2026, 11, 21, tzinfo=UTC))
    assert (kept.directory / "checkpoint").read_bytes() == b"one"
    kept.write(b"two")
    assert (kept.directory / "checkpoint").read_bytes() == b"two"


def test_checkpoints_are_kept_where_the_state_of_programs_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert default_state() == tmp_path / "agreement-registry" / "verify"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")
    monkeypatch.setenv("HOME", "/home/auditor")
    assert default_state() == Path("/home/auditor/.local/state/agreement-registry/verify")


def test_every_log_extends_the_empty_one(check, standing: World, state: Path, kept: Kept):
    kept.write(format_note_of(standing, 0))
    assert check(evidence(standing, standing.path, agreement=OTHER), state=state).code == HOLDS


def format_note_of(world: World, size: int) -> bytes:
    """What the log signed when it was so long."""
    text = format_checkpoint(Checkpoint(world.origin, size, EMPTY_ROOT))
    return f"{text}\n{format_signature(world.key.sign_note(world.origin, text))}".encode()
