"""Bundles made of a real log, checked by a reader that knows the documentation alone."""

import io
import json
import threading
import zipfile
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import Engine

from audit.evident import AGREEMENT, DAY, SOURCE, EvidentLog, evident_log
from evidence_reader import check, unzipped
from registry.audit import bundle, evidence
from registry.audit.bundle import zipped
from registry.errors import NotFound, TooLarge, Unavailable


@pytest.fixture
def log(writing: Engine, tmp_path: Path) -> EvidentLog:
    """A log on each kind of database that tells one agreement, among others, and has signed it."""
    log = evident_log(writing, tmp_path)
    log.post(
        "registered", "x", {"title": {"en": "X"}, "parties": parties("aaa", "bbb")}, subject="another-one"
    )
    log.signed_by_persons()
    log.sign()
    return log


def parties(*ids: str) -> list[dict[str, object]]:
    return [{"id": id_, "kind": "state", "name": {"en": id_}} for id_ in ids]


def test_the_same_state_gives_the_same_bytes(log: EvidentLog):
    first, again = log.bundle(), log.bundle()
    assert zipped(first) == zipped(again)
    assert unzipped(zipped(first)) == dict(first)
    assert bundle.unzipped(zipped(first)) == dict(first)
    assert zipped(first) != zipped(log.bundle(date(2026, 8, 2)))


def test_it_is_what_the_documentation_says(log: EvidentLog):
    read = check(dict(log.bundle()), log.vkey)
    assert [event.position for event in read.events] == [2, 3, 4, 5, 6, 7]
    assert read.claimed is not None
    assert (read.claimed["status"], read.claimed["disputed"]) == ("in-force", ["kind"])
    assert not any(event.withheld or event.erased for event in read.events)


def test_what_was_appended_later_is_not_in_it(log: EvidentLog):
    before = log.bundle()
    log.post("title-given", "t", {"title": {"is": "Jarðhiti"}})
    assert log.bundle() == before
    log.sign()
    assert len(check(dict(log.bundle()), log.vkey).events) == 7


def test_it_extends_every_size_that_the_log_has_had(log: EvidentLog):
    kept = {7: log.sign()}
    for size in range(8, 12):
        log.post(
            "title-given",
            f"t{size}",
            {"title": {"en": f"A{size}"}},
            source=f"https://s{size}.example/",
        )
        kept[size] = log.sign()
    for size, note in kept.items():
        check(dict(log.bundle(from_size=size)), log.vkey, note)
    for size in range(1, 12):
        files = log.bundle(from_size=size)
        assert json.loads(files["manifest.json"])["from"] == size


def test_personal_values_are_withheld_from_who_may_not_read_them(log: EvidentLog):
    files = dict(log.bundle(parts=False))
    read = check(files, log.vkey)
    assert [event.withheld for event in read.events] == [set(), {1, 2}, set(), set(), {1, 2}, set()]
    whole = b"".join(files.values())
    assert b"Signatory" not in whole
    assert b"Minister" not in whole
    assert read.claimed is not None
    assert read.claimed["erased"] == []
    assert read.claimed["withheld"]
    for name in ("status", "since", "disputed", "flags", "reason"):
        assert read.claimed[name] == check(dict(log.bundle()), log.vkey).claimed[name]


def test_nothing_that_was_erased_is_in_a_bundle_made_afterwards(log: EvidentLog):
    log.erase(3, 1)
    log.sign()
    files = dict(log.bundle())
    read = check(files, log.vkey)
    assert [event.erased for event in read.events[:6]] == [set(), {1}, set(), set(), {1}, set()]
    assert b"A. Signatory" not in b"".join(files.values())
    assert b"B. Signatory" in files["report.html"]


def test_a_bundle_waits_for_a_checkpoint_over_an_erasure(log: EvidentLog, monkeypatch: pytest.MonkeyPatch):
    log.erase(3, 1)
    monkeypatch.setattr(evidence, "SIGNED_WITHIN", 0.0)
    with pytest.raises(Unavailable, match="no checkpoint covers the erasure at position 9"):
        log.bundle()
    monkeypatch.setattr(evidence, "SIGNED_WITHIN", 20.0)
    signing = threading.Timer(0.2, log.sign)
    signing.start()
    read = check(dict(log.bundle()), log.vkey)
    signing.join()
    assert read.events[1].erased == {1}


def test_without_a_checkpoint_there_is_no_evidence(writing: Engine, tmp_path: Path):
    log = evident_log(writing, tmp_path)
    log.signed_by_persons()
    with pytest.raises(Unavailable, match="no checkpoint yet"):
        log.bundle()


def test_an_agreement_that_the_checkpoint_has_not_reached_is_not_found(log: EvidentLog):
    log.post("registered", "y", {"title": {"en": "Y"}, "parties": parties("ccc", "ddd")}, subject="too-young")
    with pytest.raises(NotFound, match="below the checkpoint of 7 events"):
        evidence.stand(log.reader, "too-young")


def test_events_are_read_page_by_page_up_to_a_bound(log: EvidentLog, monkeypatch: pytest.MonkeyPatch):
    whole = log.bundle()
    paged = evidence.sealed_stream
    monkeypatch.setattr(
        evidence,
        "sealed_stream",
        lambda *which, after_version: paged(*which, after_version=after_version, limit=2),
    )
    assert log.bundle() == whole
    with pytest.raises(TooLarge, match="registry export"):
        evidence.stand(log.reader, AGREEMENT, most_bytes=2000)


def test_a_bundle_needs_events(log: EvidentLog):
    found = evidence.gather(
        log.reader, AGREEMENT, evidence.stand(log.reader, AGREEMENT), keys=[], from_size=None
    )
    with pytest.raises(ValueError, match="at least one event"):
        bundle.make_bundle(found._replace(events=[], proofs=[]), DAY, parts=True)


def test_a_zip_of_another_kind_is_refused(log: EvidentLog):
    good = zipped(log.bundle())
    with pytest.raises(ValueError, match="no ZIP"):
        bundle.unzipped(good[: len(good) // 2])
    for names, how in (
        ({"manifest.json": b"{}", "../x": b""}, zipfile.ZIP_STORED),
        ({"checkpoint": b""}, zipfile.ZIP_STORED),
        ({"manifest.json": b"{}" * 999}, zipfile.ZIP_DEFLATED),
    ):
        into = io.BytesIO()
        with zipfile.ZipFile(into, "w", how) as archive:
            for name, content in names.items():
                archive.writestr(name, content)
        with pytest.raises(ValueError, match=r"files of a bundle|compressed"):
            bundle.unzipped(into.getvalue())


def test_the_sources_of_a_dispute_are_in_it(log: EvidentLog):
    page = log.bundle()["report.html"].decode()
    assert SOURCE in page
    assert "https://other.example/" in page
