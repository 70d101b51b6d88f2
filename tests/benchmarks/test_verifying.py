"""The figures of the auditor's program and of a large tree are taken from what holds."""

from pathlib import Path

import pytest

pytest.importorskip("psycopg_pool", reason="the dependency group bench is not installed")

from benchmarks import tree, verifying


def test_a_log_and_its_bundle_are_verified_by_the_program():
    taken = list(verifying.measurements(1, events=600))
    assert [one.subject for one in taken] == [verifying.FILE, verifying.BUNDLE, verifying.PROOFS]
    assert all(one.rate > 0 for one in taken)


def test_proofs_and_appends_of_two_trees_are_measured(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(tree, "SIZES", (10, 700))
    monkeypatch.setattr(tree, "PROOFS", 20)
    monkeypatch.setattr(tree, "APPENDS", 2)
    taken = list(tree.measurements("SQLite", tree.urls_in(tmp_path), 1))
    assert [one.subject for one in taken] == ["10 leaves", "700 leaves"] * 2
    assert [one.task for one in taken] == [tree.proving("SQLite")] * 2 + [tree.appending("SQLite")] * 2
    assert all(one.p99_ms for one in taken[:2])
