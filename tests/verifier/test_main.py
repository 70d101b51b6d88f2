"""The command: what it takes, what it prints, and how it ends."""

import json
import os
import sys
from pathlib import Path

import pytest

from registry.verifier import main as program
from registry.verifier.main import main
from registry.verifier.outcome import (
    FORKED,
    HOLDS,
    INTERRUPTED,
    MALFORMED,
    TAMPERED,
    UNAUTHENTICATED,
    UNREADABLE,
    USAGE,
)
from registry.verifier.report import printable
from verifier.test_database import change
from verifier.test_kept import another_history
from verifier.world import AGREEMENT, OTHER, World, bundle, facts, last_note, written


@pytest.fixture(autouse=True)
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("REGISTRY_API_KEY", raising=False)


@pytest.fixture
def files(standing: World, tmp_path: Path) -> Path:
    log, note = facts(standing.path), last_note(standing.path, standing.origin)
    return written(bundle(log, note, standing.vkey, agreement=OTHER, since=22), tmp_path / "bundle")


def test_the_report_is_dated_and_readable(files: Path, standing: World, capsys: pytest.CaptureFixture):
    assert main([str(files), "--key", standing.vkey, "--witness", standing.witness_vkey]) == HOLDS
    said = capsys.readouterr().out
    assert said.startswith(f"verified    {files} (evidence bundle of {OTHER}) on 20")
    assert "signed      by the key given: registry.test/log+" in said
    assert "cosigned    by witness.example/w on 2027-01-15 at 08:00:00 UTC" in said
    assert "part 1 ERASED by position 53" in said
    assert "not proven  that no later event of the agreement exists" in said
    assert said.endswith("HOLDS (exit code 0)\n")
    assert "\x1b" not in said


def test_the_next_time_it_must_extend_what_was_seen(
    files: Path, standing: World, capsys: pytest.CaptureFixture
):
    assert main([str(files), "--key", standing.vkey]) == HOLDS
    assert "first contact" in capsys.readouterr().out
    assert main([str(files), "--key", standing.vkey]) == HOLDS
    assert "extends the checkpoint kept, of 75 events" in capsys.readouterr().out
    assert main([str(files), "--key", standing.vkey, "--no-state"]) == HOLDS
    assert "first contact" in capsys.readouterr().out


def test_json_is_for_programs(files: Path, standing: World, capsys: pytest.CaptureFixture):
    assert main([str(files), "--json"]) == UNAUTHENTICATED
    said = json.loads(capsys.readouterr().out)
    assert (said["verdict"], said["code"], said["authenticated"]) == ("UNAUTHENTICATED", 4, False)
    assert said["parts"] == {"opened": 4, "erased": 1, "withheld": 0}
    assert said["lines"][1]["parts"] == ["OPENED", "ERASED by position 53"]
    assert said["claimed_keys"] == [standing.vkey]
    assert said["problems"][0]["place"] == "checkpoint"


def test_a_fork_prints_both_checkpoints(standing: World, tmp_path: Path, capsys: pytest.CaptureFixture):
    (tmp_path / "mine").write_bytes(another_history(standing, 22))
    arguments = ["--key", standing.vkey, "--since", str(tmp_path / "mine"), "--state", str(tmp_path / "s")]
    assert main([str(standing.path), *arguments]) == FORKED
    said = capsys.readouterr().out
    assert "the checkpoint given  registry.test/log\n" in said
    assert "shown now             registry.test/log\n" in said
    assert "both checkpoints are in " in said


def test_a_page_is_written_that_needs_nothing_else(files: Path, standing: World, tmp_path: Path):
    page = tmp_path / "report.html"
    assert main([str(files), "--key", standing.vkey, "--report", str(page)]) == HOLDS
    said = page.read_text()
    assert '<h1 class="yes">HOLDS (exit code 0)</h1>' in said
    assert "<script" not in said
    assert "http" not in said.replace("https://", "").split("<table>")[0]
    assert main([str(files), "--report", str(tmp_path / "missing" / "x.html")]) == USAGE


def test_what_an_event_says_cannot_become_part_of_the_page(standing: World, tmp_path: Path):
    target = tmp_path / "<b>.db"
    page = tmp_path / "report.html"
    assert main([str(standing.copy(target)), "--report", str(page), "--no-state"]) == UNAUTHENTICATED
    assert "<b>" not in page.read_text()


@pytest.mark.parametrize(
    "arguments",
    [
        ["x", "--key", "no-key"],
        ["x", "--key", "a+b+c"],
        ["x", "--witness", "LOG"],
        ["x", "--key", "WITNESS"],
        ["x", "--state", "s", "--no-state"],
        ["postgresql://localhost/registry"],
        ["http://registry.example/"],
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: list[str], standing: World, capsys: pytest.CaptureFixture
):
    keys = {"LOG": standing.vkey, "WITNESS": standing.witness_vkey}
    assert main([keys.get(one, one) for one in arguments]) == USAGE
    assert capsys.readouterr().err.startswith("registry-verify: ")


def test_postgresql_is_for_the_other_command(capsys: pytest.CaptureFixture):
    main(["postgresql://localhost/registry"])
    assert "is verified by `registry verify`" in capsys.readouterr().err


def test_a_target_of_no_kind_is_told(tmp_path: Path):
    (tmp_path / "x").write_bytes(b"hello")
    assert main([str(tmp_path / "x")]) == MALFORMED
    assert main([str(tmp_path / "missing")]) == UNREADABLE
    (tmp_path / "empty").mkdir()
    assert main([str(tmp_path / "empty")]) == MALFORMED


def test_what_does_not_hold_ends_with_1(standing: World, tmp_path: Path, capsys: pytest.CaptureFixture):
    log, note = facts(standing.path), last_note(standing.path, standing.origin)
    files = bundle(log[:-1] + log[:1], note, standing.vkey)
    assert main([str(written(files, tmp_path / "forged")), "--key", standing.vkey]) == TAMPERED
    said = capsys.readouterr().out
    assert "DOES NOT HOLD  position 75: the event of position 1 stands in its place" in said


def test_an_interrupt_is_counted_as_shells_do(files: Path, monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(program, "verify", interrupt)
    assert main([str(files)]) == INTERRUPTED


def test_a_person_at_a_terminal_sees_colour_and_progress(
    standing: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture
):
    log, note = facts(standing.path), last_note(standing.path, standing.origin)
    files = written(bundle(log, note, standing.vkey, agreement=AGREEMENT), tmp_path / "bundle")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert main([str(files), "--key", standing.vkey]) == HOLDS
    said = capsys.readouterr()
    assert said.out.endswith("\x1b[32mHOLDS (exit code 0)\x1b[0m\n")
    assert "verifying [" in said.err
    assert main([str(files)]) == UNAUTHENTICATED
    assert "\x1b[31m" in capsys.readouterr().out
    monkeypatch.setitem(os.environ, "NO_COLOR", "1")
    main([str(files)])
    assert "\x1b[3" not in capsys.readouterr().out


def test_what_the_evidence_says_cannot_command_a_terminal(
    standing: World, tmp_path: Path, capsys: pytest.CaptureFixture
):
    copy = standing.copy(tmp_path / "copy.db")
    change(copy, "UPDATE log_checkpoint SET size = CAST(x'1b5b324aff' AS TEXT) WHERE size = 22")
    assert main([str(copy), "--key", standing.vkey]) == TAMPERED
    said = capsys.readouterr().out
    assert "checkpoint <U+001B>[2J<U+DCFF>: it is no size and root" in said
    assert main([str(copy), "--key", standing.vkey, "--json"]) == TAMPERED
    assert "\x1b" not in capsys.readouterr().out
    assert printable("a\u202eb" + "x" * 2000) == "a<U+202E>b" + "x" * 997 + "…"
