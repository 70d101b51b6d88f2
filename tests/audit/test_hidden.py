"""The table of restricted agreements: no event seals it, so verification holds it against the events."""

from pathlib import Path

import pytest
from sqlalchemy import Connection, Engine, delete, insert

from audit.evident import EvidentLog, evident_log
from registry.audit import hidden
from registry.audit.verify import verify
from registry.store.tables import restricted

PARTIES = [{"id": id_, "kind": "state", "name": {"en": id_}} for id_ in ("aaa", "bbb")]


def found(log: EvidentLog, agreement: str, visibility: str) -> None:
    data = {"title": {"en": "A letter"}, "parties": PARTIES, "visibility": visibility}
    log.post("registered", agreement, data, subject=agreement)


def show(log: EvidentLog, agreement: str) -> None:
    data = {"visibility": "public", "reason": "So it is."}
    log.post("visibility-changed", f"{agreement}-shown", data, subject=agreement)


@pytest.fixture
def log(writing: Engine, tmp_path: Path) -> EvidentLog:
    """A log with one agreement that is restricted, one that was, and one that never was."""
    log = evident_log(writing, tmp_path)
    for agreement, visibility in (("hidden", "restricted"), ("shown", "restricted"), ("open", "public")):
        found(log, agreement, visibility)
    show(log, "shown")
    return log


def test_what_the_service_wrote_holds(log: EvidentLog, reading: Engine):
    assert verify(reading).ok


def test_a_restricted_agreement_that_is_not_listed_is_found(log: EvidentLog, reading: Engine):
    with log.engine.begin() as connection:
        connection.execute(delete(restricted))
    report = verify(reading)
    assert not report.ok
    assert report.events == 4
    assert str(report.finding) == f"agreement hidden: {hidden.UNLISTED}"


def test_an_agreement_that_is_listed_without_reason_is_found(log: EvidentLog, reading: Engine):
    with log.engine.begin() as connection:
        connection.execute(insert(restricted), [{"agreement": "shown"}, {"agreement": "open"}])
    assert str(verify(reading).finding) == f"agreement open: {hidden.LISTED}"


def test_one_that_changes_while_it_is_looked_at_is_no_finding(
    log: EvidentLog, reading: Engine, monkeypatch: pytest.MonkeyPatch
):
    told: list[list[str]] = [[], ["hidden"]]  # once as somebody saw it who was just too late

    def find(connection: Connection) -> list[str]:
        return told.pop(0)

    monkeypatch.setattr(hidden, "find_all", find)
    assert verify(reading).ok
    assert told == []
