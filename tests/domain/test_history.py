"""How the answer changed with each event, and what differs between two answers."""

from datetime import date

import pytest

from registry.domain.compare import compare
from registry.domain.history import history

A = "https://a.example/"
B = "https://b.example/"
TODAY = date(2026, 1, 1)


@pytest.fixture
def changed(log):
    """What the last event changed in the answer of a day."""

    def by_last():
        return {
            change.field: (change.before, change.after) for change in history(log.events, TODAY)[-1].changes
        }

    return by_last


def test_nothing_differs_between_equal_views(log):
    assert compare(log.view(), log.view()) == ()


def test_the_day_the_version_and_the_record_time_are_no_differences(log):
    before = log.view("2025-01-01")
    log.post("visibility-changed", visibility="public", reason="As before.")
    assert compare(before, log.view("2025-06-01")) == ()


def test_status_and_what_explains_it_change_together(log):
    before = log.view()
    log.post("entered-into-force", date="2025-01-01")
    changes = {change.field: (change.before, change.after) for change in compare(before, log.view())}
    assert changes["status"] == ("registered", "in-force")
    assert changes["since"][1]["date"] == "2025-01-01"
    assert changes["awaiting"][1] == []
    assert "predicates[entry-into-force]" in changes


def test_parts_are_compared_by_their_id(log, changed):
    for id_ in ("v", "w"):
        log.post("engagement-held", engagement_id=id_, kind="visit", start="2025")
    log.post("engagement-held", source=B, engagement_id="w", kind="visit", start="2025-07")
    assert changed()["engagements[w].when"] == ("2025", "2025-07")
    assert not any("[v]" in field for field in changed())
    log.post("engagement-held", engagement_id="x", kind="call", start="2025")
    before, after = changed()["engagements[x]"]
    assert (before, after["kind"]) == (None, "call")


def test_a_retraction_takes_away_what_the_event_had_brought(log, changed):
    held = log.post("engagement-held", engagement_id="v", kind="visit", start="2025")
    log.retract(held)
    before, after = changed()["engagements[v]"]
    assert (before["state"], after) == ("held", None)


def test_flags_are_compared_one_by_one(log, changed):
    log.post("follow-up-scheduled", follow_up_id="f", text={"en": "x"}, due="2025-07")
    assert changed()["flags.overdue"] == (False, True)


def test_the_history_shows_error_and_correction_as_known_at_each_time(log):
    log.post("classified", legal_character="non-binding", entry_mode="on-signature")
    signed = log.signed("2025-07-16")
    log.correct(signed, signatures=[{"party": "pak"}, {"party": "slv"}], occurred="2026-07-16")
    entries = history(log.events, TODAY)
    assert [(one.position, one.status, one.status_label) for one in entries] == [
        (1, "registered", "registered"),
        (2, "registered", "registered"),
        (3, "in-force", "in effect"),
        (4, "registered", "registered"),
    ]
    assert [one.type.split(".")[1] for one in entries] == [
        "registered",
        "classified",
        "signed",
        "event-corrected",
    ]
    assert (entries[3].source, entries[3].id, entries[3].version) == (A, "e4", 4)
    assert entries[3].recorded_at == "1970-01-01T00:00:04.000000Z"


def test_the_first_event_is_all_new_and_a_later_one_tells_the_days_only_if_they_changed(log):
    log.post("linked", other_id="framework", relation="implements")
    log.post("entered-into-force", date="2025-01-01")
    first, second, third = history(log.events, TODAY)
    assert (first.changes, [span.status for span in first.timeline]) == ((), ["registered"])
    assert ([change.field for change in second.changes], second.timeline) == (["links"], None)
    assert [(str(span.from_), span.status) for span in third.timeline] == [
        ("None", "registered"),
        ("2025-01-01", "in-force"),
    ]
