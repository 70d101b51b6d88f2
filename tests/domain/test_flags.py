"""What is derived at the read: flags, and what is awaited."""

from datetime import date

import pytest

from registry.domain.flags import Flags, awaiting, flags

A = "https://a.example/"
B = "https://b.example/"


@pytest.fixture
def flagged(log):
    """The names of the flags that are up on a day."""

    def on(day):
        now = flags(log.state, date.fromisoformat(day), log.code(day))
        return [name for name in Flags.__struct_fields__ if getattr(now, name)]

    return on


@pytest.fixture
def awaited(log):
    def on(day):
        missing = awaiting(log.state, date.fromisoformat(day), log.code(day))
        return [f"{one.what} {one.party}" if one.party else one.what for one in missing]

    return on


def test_nothing_is_derived_of_what_is_only_registered(flagged):
    assert flagged("2025-01-01") == []


def test_a_term_that_is_over_is_expired_whatever_ended_the_agreement(log, flagged):
    log.post("term-set", end="2025-12-31", auto_renew=False)
    log.post("terminated", date="2024-01-01", ground="consent")
    assert log.code("2026-01-01") == "terminated"
    assert flagged("2025-12-31") == []
    assert flagged("2026-01-01") == ["expired"]


def test_a_follow_up_due_in_a_month_is_overdue_from_the_next_month(log, flagged):
    log.post("follow-up-scheduled", follow_up_id="f", text={"en": "x"}, due="2025-07")
    assert flagged("2025-07-31") == []
    assert flagged("2025-08-01") == ["overdue"]
    log.post("follow-up-completed", follow_up_id="f", occurred="2025-08-10")
    assert flagged("2025-08-09") == ["overdue"]
    assert flagged("2025-08-10") == []


def test_a_notice_window_is_open_until_the_deadline_and_again_after_the_renewal(log, flagged):
    log.post("entered-into-force", date="2025-01-01")
    log.post("term-set", end="2025-12-31", auto_renew=True, renew_for="P1Y", notice="P3M")
    assert flagged("2024-12-31") == ["entry_into_force_ahead"]
    assert flagged("2025-09-30") == ["notice_window_open"]
    assert flagged("2025-10-01") == []
    assert flagged("2026-01-01") == ["notice_window_open"]
    log.post("non-renewal-notified", party="pak", occurred="2026-02-01")
    assert flagged("2026-03-01") == []


def test_a_term_that_does_not_renew_itself_has_no_notice_window(log, flagged):
    log.post("entered-into-force", date="2025-01-01")
    assert flagged("2025-02-01") == []
    log.post("term-set", end="2026-12-31", auto_renew=False)
    assert flagged("2025-02-01") == []


def test_a_denunciation_is_pending_until_it_has_effect_or_is_withdrawn(log, flagged):
    log.post("entered-into-force", date="2025-01-01")
    log.post("denunciation-notified", party="pak", occurred="2025-03-01", effective="2025-09-01")
    assert flagged("2025-02-28") == []
    assert flagged("2025-03-01") == ["denunciation_pending"]
    assert flagged("2025-08-31") == ["denunciation_pending"]
    assert flagged("2025-09-01") == []
    log.post("denunciation-withdrawn", party="pak", occurred="2025-06-01")
    assert flagged("2025-05-31") == ["denunciation_pending"]
    assert flagged("2025-06-01") == []


def test_obligations_survive_a_termination_until_their_day(log, flagged):
    log.post("terminated", date="2025-01-01", ground="consent", survival_until="2026-12-31")
    assert flagged("2024-12-31") == []
    assert flagged("2025-01-01") == ["in_survival"]
    assert flagged("2026-12-31") == ["in_survival"]
    assert flagged("2027-01-01") == []


def test_a_termination_without_survival_leaves_nothing(log, flagged):
    log.post("terminated", date="2025-01-01", ground="consent")
    assert flagged("2025-06-01") == []


def test_an_agreement_is_dormant_after_two_years_of_nothing(log, flagged):
    log.post("entered-into-force", date="2020-01-01")
    assert flagged("2021-12-31") == []
    assert flagged("2022-01-01") == ["dormant"]
    log.post("terminated", date="2024-01-01", ground="fulfilled")
    assert flagged("2025-01-01") == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("engagement-held", {"engagement_id": "v", "kind": "visit", "start": "2022-06-01"}),
        (
            "engagement-planned",
            {"engagement_id": "v", "kind": "visit", "when": "2030", "certainty": "expected"},
        ),
        ("follow-up-scheduled", {"follow_up_id": "f", "text": {"en": "x"}, "due": "2030"}),
        ("amended", {"amendment_id": "a", "summary": {"en": "x"}, "effective": "2022-06-01"}),
    ],
)
def test_what_happens_or_is_ahead_keeps_an_agreement_awake(log, flagged, name, data):
    log.post("entered-into-force", date="2020-01-01")
    log.post(name, **data)
    assert flagged("2023-01-01") == []


def test_what_was_cancelled_what_is_done_and_what_only_will_happen_does_not_keep_it_awake(log, flagged):
    log.post("entered-into-force", date="2018-01-01")
    log.post("engagement-planned", engagement_id="v", kind="visit", when="2030", certainty="expected")
    log.post("engagement-cancelled", engagement_id="v", occurred="2019-01-01")
    log.post("engagement-planned", engagement_id="w", kind="visit", certainty="expected")
    log.post("follow-up-scheduled", follow_up_id="f", text={"en": "x"}, due="2030")
    log.post("follow-up-dropped", follow_up_id="f", occurred="2019-01-01", reason="x")
    log.post("amended", amendment_id="a", summary={"en": "x"}, effective="2029-06-01")
    log.post("fact-recorded", fact_id="f", about="pak", predicate="since", date="2022")
    assert flagged("2022-12-31") == ["dormant"]


def test_without_any_claim_signatures_and_the_entry_into_force_are_awaited(awaited):
    assert awaited("2025-01-01") == ["signature pak", "signature slv", "entry-into-force"]


def test_what_takes_effect_on_signature_awaits_signatures_only(log, awaited):
    log.post("classified", entry_mode="on-signature")
    log.signed("2025-07-16", "pak")
    assert awaited("2025-07-15") == ["signature pak", "signature slv"]
    assert awaited("2025-07-16") == ["signature slv"]


def test_a_signature_ad_referendum_awaits_its_confirmation(log, awaited):
    log.post("classified", entry_mode="on-signature")
    log.post(
        "signed",
        signatures=[{"party": "pak"}, {"party": "slv", "ad_referendum": True}],
        occurred="2025-07-16",
    )
    assert awaited("2025-07-16") == ["confirmation slv"]
    log.post("signature-confirmed", party="slv", occurred="2025-08-01")
    assert awaited("2025-07-16") == ["confirmation slv"]
    assert awaited("2025-08-01") == []


@pytest.mark.parametrize("mode", ["ratification", "notification"])
def test_ratifications_are_awaited_by_party_and_then_the_entry_into_force(log, awaited, mode):
    log.post("classified", entry_mode=mode)
    log.signed("2025-07-16")
    assert awaited("2025-07-16") == [f"{mode} pak", f"{mode} slv", "entry-into-force"]
    log.post("ratified", party="slv", form="approval", occurred="2025-09-01")
    assert awaited("2025-09-01") == [f"{mode} pak", "entry-into-force"]
    log.post("ratified", party="pak", form="approval", occurred="2025-10-01")
    assert awaited("2025-10-01") == ["entry-into-force"]
    log.post("entered-into-force", date="2025-11-01")
    assert awaited("2025-10-15") == []
    assert awaited("2025-11-01") == []


def test_nothing_is_awaited_of_what_has_ended_or_was_abandoned(log, awaited):
    log.post("negotiation-abandoned", occurred="2025-01-01")
    assert awaited("2025-01-01") == []
