"""The whole log as files: every event, every open part, every signature."""

import json
import threading
from pathlib import Path

import pytest
from sqlalchemy import Engine

from audit.evident import EvidentLog, evident_log
from evidence_reader import check
from registry.audit import checkpoints, whole_log
from registry.audit.whole_log import write_whole_log
from registry.errors import Unavailable


@pytest.fixture
def log(writing: Engine, tmp_path: Path) -> EvidentLog:
    log = evident_log(writing, tmp_path)
    log.signed_by_persons()
    log.sign()
    return log


def exported(log: EvidentLog, directory: Path) -> dict[str, bytes]:
    write_whole_log(log.reader, directory, keys=[log.key.verifier_key(log.reader.head().origin)])
    return {path.name: path.read_bytes() for path in directory.iterdir()}


def test_every_event_with_every_open_part_is_in_it(log: EvidentLog, tmp_path: Path):
    files = exported(log, tmp_path / "all")
    read = check(files, log.vkey)
    assert (len(read.events), read.claimed) == (6, None)
    assert read.manifest["agreement"] is read.manifest["valid_as_of"] is read.manifest["from"] is None
    assert files["keys.txt"].decode() == f"{log.vkey}\n"
    assert exported(log, tmp_path / "again") == files


def test_every_stored_checkpoint_and_what_witnesses_have_seen_are_in_it(
    log: EvidentLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    for i in range(5):
        log.post("title-given", f"t{i}", {"title": {"en": f"A{i}"}}, source=f"https://s{i}.example/")
        log.sign()
    origin = log.reader.head().origin
    with log.engine.begin() as connection:
        checkpoints.note_seen_by_witness(connection, origin, 9)
    whole = exported(log, tmp_path / "all")
    monkeypatch.setattr(whole_log, "PAGE", 2)
    assert exported(log, tmp_path / "paged") == whole
    lines = [json.loads(line) for line in whole["checkpoints.ndjson"].splitlines()]
    assert [line["size"] for line in lines] == [6, 7, 8, 9, 10, 11]
    assert all([one["time"] for one in line["signatures"]] == [0] for line in lines)
    (seen,) = [json.loads(line) for line in whole["witnessed.ndjson"].splitlines()]
    assert (seen["origin"], seen["size"], seen["root"], seen["note"]) == (origin, 9, "", "")


def test_an_erased_part_is_not_in_it(log: EvidentLog, tmp_path: Path):
    log.erase(2, 1, 2)
    log.sign()
    files = exported(log, tmp_path / "all")
    assert check(files, log.vkey).events[1].erased == {1, 2}


def test_an_erasure_meanwhile_is_waited_for(log: EvidentLog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    log.erase(2, 1)
    monkeypatch.setattr(whole_log, "SIGNED_WITHIN", 0.0)
    with pytest.raises(Unavailable, match="erasure at position 8"):
        exported(log, tmp_path / "all")
    assert list(tmp_path.glob("*all*")) == []
    monkeypatch.setattr(whole_log, "SIGNED_WITHIN", 20.0)
    signing = threading.Timer(0.2, log.sign)
    signing.start()
    files = exported(log, tmp_path / "all")
    signing.join()
    assert len(check(files, log.vkey).events) == 8


def test_a_log_without_events_can_be_written(writing: Engine, tmp_path: Path):
    log = evident_log(writing, tmp_path)
    with pytest.raises(Unavailable, match="no checkpoint"):
        exported(log, tmp_path / "all")
    log.sign()
    assert check(exported(log, tmp_path / "all"), log.vkey).events == []


def test_nothing_is_written_over(log: EvidentLog, tmp_path: Path):
    with pytest.raises(FileExistsError):
        exported(log, tmp_path)
