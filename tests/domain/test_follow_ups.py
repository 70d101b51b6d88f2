"""Follow-ups and the commitments that they serve."""

import pytest

A = "https://a.example/"
B = "https://b.example/"
INFERRED = [{"publication_id": "p", "basis": "inferred"}]


@pytest.fixture
def shown(log):
    def on(day):
        (one,) = log.view(day).follow_ups
        return one.state, one.due, one.overdue

    return on


def schedule(log, due, source=A, id_="plan", **data):
    return log.post(
        "follow-up-scheduled", source=source, follow_up_id=id_, text={"en": "Draft it."}, due=due, **data
    )


def test_it_is_open_until_it_is_completed(log, shown):
    schedule(log, "2025-09-30")
    log.post("follow-up-completed", follow_up_id="plan", occurred="2025-10-10")
    assert shown("2025-09-30") == ("open", "2025-09-30", False)
    assert shown("2025-10-01") == ("open", "2025-09-30", True)
    assert shown("2025-10-10") == ("completed", "2025-09-30", False)


def test_completed_counts_over_dropped(log, shown):
    schedule(log, "2025-09-30")
    log.post("follow-up-dropped", follow_up_id="plan", occurred="2025-10-01", reason="Too late.")
    assert shown("2025-10-05")[0] == "dropped"
    log.post("follow-up-completed", source=B, follow_up_id="plan", occurred="2025-10-03")
    assert shown("2025-10-02")[0] == "dropped"
    assert shown("2025-10-05")[0] == "completed"


def test_the_latest_new_day_by_a_day_counts(log, shown):
    schedule(log, "2025-09-30")
    log.post("follow-up-progressed", follow_up_id="plan", occurred="2025-09-20", new_due="2025-10-31")
    log.post(
        "follow-up-progressed", source=B, follow_up_id="plan", occurred="2025-10-20", note={"en": "Slow."}
    )
    assert shown("2025-09-19") == ("open", "2025-09-30", False)
    assert shown("2025-10-21") == ("open", "2025-10-31", False)
    assert shown("2025-11-01") == ("open", "2025-10-31", True)


def test_the_stated_and_narrower_due_date_is_shown(log, shown):
    schedule(log, "2025-09-30", cites=INFERRED)
    schedule(log, "2025-10", source=B)
    schedule(log, "2025", source="https://c.example/")
    assert shown("2025-01-01")[1] == "2025-10"


def test_progress_on_what_nobody_scheduled_is_shown_without_a_day(log, shown):
    log.post("follow-up-progressed", follow_up_id="plan", occurred="2025-09-20")
    assert shown("2026-01-01") == ("open", None, False)
    assert log.view().follow_ups[0].text is None


def test_merged_follow_ups_are_one(log, shown):
    schedule(log, "2025-09-30")
    schedule(log, "2025-09-30", source=B, id_="scheme")
    log.post("follow-up-completed", source=B, follow_up_id="scheme", occurred="2025-09-01")
    log.merge("follow-up", "plan", "scheme")
    assert shown("2025-10-05")[0] == "completed"
    assert log.view().follow_ups[0].merged_ids == ("scheme",)


def test_a_follow_up_serves_the_commitment_that_was_kept(log):
    for source, id_ in ((A, "explore"), (B, "examine")):
        log.post(
            "commitment-made",
            source=source,
            commitment_id=id_,
            text={"en": id_},
            by=["pak", "slv"],
            strength="aim",
        )
    schedule(log, "2025-09-30", commitment_id="examine", owner="pak")
    log.merge("commitment", "explore", "examine")
    (one,) = log.view().follow_ups
    assert (one.commitment_id, one.owner) == ("explore", "pak")
    (commitment,) = log.view().commitments
    assert (commitment.commitment_id, commitment.merged_ids, commitment.text) == (
        "explore",
        ("examine",),
        {"en": "explore"},
    )
    assert (commitment.by, commitment.strength) == (("pak", "slv"), "aim")
    assert [claim.source for claim in commitment.claims] == [A, B]


def test_a_follow_up_whose_commitment_was_retracted_stays_and_says_so(log):
    commitment = log.post("commitment-made", commitment_id="c", text={"en": "x"}, by=["pak"], strength="aim")
    schedule(log, "2025-09-30", commitment_id="c")
    assert not log.view().follow_ups[0].dangling
    log.retract(commitment)
    assert (log.view().follow_ups[0].commitment_id, log.view().follow_ups[0].dangling) == ("c", True)


def test_a_stated_commitment_is_shown_over_an_inferred_one(log):
    log.post(
        "commitment-made", commitment_id="c", text={"en": "maybe"}, by=["pak"], strength="aim", cites=INFERRED
    )
    log.post(
        "commitment-made", source=B, commitment_id="c", text={"en": "sure"}, by=["pak"], strength="commitment"
    )
    assert log.view().commitments[0].text == {"en": "sure"}
