"""Why the status is what it is."""

from datetime import date

import pytest

from registry.domain.explain import explain


@pytest.fixture
def told(log):
    """The explanation for a day, by status."""

    def on(day):
        explanation = explain(log.state, date.fromisoformat(day))
        return explanation, {rule.code: rule for rule in explanation.rules}

    return on


def test_the_rule_that_matched_comes_last_and_none_below_it_was_tried(log, told):
    log.post("entered-into-force", date="2020")
    explanation, rules = told("2021-01-01")
    assert list(rules) == ["retracted", "superseded", "terminated", "expired", "suspended", "in-force"]
    assert [rule.holds for rule in explanation.rules] == [False] * 5 + [True]
    assert explanation.status.code == "in-force"


def test_every_rule_is_tried_for_what_is_only_registered(told):
    explanation, _ = told("2021-01-01")
    assert len(explanation.rules) == 13
    assert explanation.rules[-1].code == "registered"


def test_each_finding_names_the_events_behind_it(log, told):
    mode = log.post("classified", entry_mode="on-signature")
    signed = log.signed("2025-07-16")
    suspended = log.post("suspended", from_="2026-01-01")
    _, rules = told("2025-08-01")
    assert rules["in-force"].positions == (signed.position, mode.position)
    assert [event.id for event in rules["in-force"].events] == [signed.id, mode.id]
    assert rules["suspended"].positions == (suspended.position,)
    assert "still ahead" in rules["suspended"].why


def test_the_sentence_says_what_holds_since_when_and_why_nothing_above_it(log, told):
    log.post("classified", legal_character="non-binding", entry_mode="on-signature")
    log.signed("2025-07-16")
    explanation, _ = told("2025-07-16")
    assert explanation.sentence.startswith(
        "On 2025-07-16 it is in effect since 2025-07-16. It takes effect on "
    )
    assert "not suspended, as no suspension is claimed" in explanation.sentence


def test_what_is_retracted_needs_no_word_about_what_is_above(log, told):
    log.post("agreement-retracted", reason="Registered by mistake.")
    explanation, _ = told("2025-01-01")
    assert explanation.sentence == "On 2025-01-01 it is retracted. The agreement was retracted."


@pytest.mark.parametrize(
    ("mode", "why"),
    [
        (None, "no entry into force is claimed and how it enters into force is not known"),
        ("ratification", "no entry into force is claimed and its entry mode is ratification"),
        ("on-signature", "it takes effect on signature, and no signature of pak and slv counts by then"),
    ],
)
def test_what_is_not_in_force_says_what_is_missing(log, told, mode, why):
    if mode:
        log.post("classified", entry_mode=mode)
    assert told("2025-01-01")[1]["in-force"].why == why


def test_ends_that_have_not_come_and_ends_that_came_later_are_told_apart(log, told):
    log.post("term-set", end="2020-12-31", auto_renew=False)
    log.post("terminated", date="2022-01-01", ground="consent")
    _, rules = told("2019-01-01")
    assert rules["terminated"].why == "the termination or denunciation has not come by then"
    assert rules["superseded"].why == "no supersession is claimed"
    _, rules = told("2023-01-01")
    assert rules["terminated"].why == "it had ended before: its term ended on 2020-12-31"


def test_a_tacit_renewal_and_the_notice_that_stopped_it_are_told(log, told):
    log.post("term-set", end="2020-12-31", auto_renew=True, renew_for="P1Y")
    log.post("non-renewal-notified", party="pak", occurred="2022-06-01")
    _, rules = told("2025-01-01")
    assert rules["expired"].why == (
        "its term ended on 2022-12-31, after 2 tacit renewals, as notice against renewal was given in time"
    )
    assert rules["expired"].positions == (3, 2)


def test_one_renewal_is_told_in_the_singular(log, told):
    log.post("term-set", end="2020-12-31", auto_renew=True, renew_for="P1Y")
    log.post("non-renewal-notified", party="pak", occurred="2021-06-01")
    assert "after 1 tacit renewal," in told("2025-01-01")[1]["expired"].why


def test_a_period_that_is_over_names_its_end(log, told):
    log.post("entered-into-force", date="2020-01-01")
    log.post("suspended", from_="2021-01-01")
    log.post("resumed", occurred="2021-06-01")
    assert told("2022-01-01")[1]["suspended"].why == "suspension from 2021-01-01 ended on 2021-06-01"


def test_an_abandonment_after_which_it_went_on_says_so(log, told):
    log.post("negotiation-abandoned", occurred="2024-05-01")
    log.post("text-adopted", occurred="2024-09-01")
    assert (
        told("2025-01-01")[1]["abandoned"].why
        == "after the abandonment on 2024-05-01 it went on, on 2024-09-01"
    )


def test_a_status_that_another_reading_would_change_says_which_reading(log, told):
    log.post("entered-into-force", date="2020-01-01")
    end = log.post("terminated", date="2022-07", ground="consent")
    explanation, rules = told("2022-07-15")
    assert not explanation.status.certain
    assert not rules["terminated"].certain
    assert end.position in explanation.status.reason.positions
    assert "terminated is possible, as a date is imprecise" in explanation.status.reason.text


def test_a_stage_of_imprecise_day_says_that_it_is_one(log, told):
    log.post("entered-into-force", date="2020-07")
    assert "as far as its imprecise date tells" in told("2020-07-15")[0].status.reason.text
