"""Every line of the table of statuses, from the top, and what imprecise dates leave open."""

import pytest

A = "https://a.example/"
B = "https://b.example/"


@pytest.fixture
def in_force(log):
    """Signed and in force from 2020."""
    log.signed("2019-06-01")
    log.post("entered-into-force", date="2020-01-01")
    return log


def since(log, on):
    now = log.status(on)
    return now.code, now.since and now.since.date


def test_what_is_only_registered_is_registered_on_every_day(log):
    for on in ("0001-01-01", "2025-07-16", "9999-12-31"):
        now = log.status(on)
        assert (now.code, now.label, now.since, now.certain) == ("registered", "registered", None, True)
        assert now.reason.positions == ()


def test_negotiation_begins_when_it_is_opened(log):
    opened = log.post("negotiation-opened", occurred="2024-03-01")
    assert log.code("2024-02-29") == "registered"
    assert since(log, "2024-03-01") == ("negotiation", "2024-03-01")
    assert log.status("2024-03-01").reason.positions == (opened.position,)


def test_the_first_opening_counts(log):
    log.post("negotiation-opened", occurred="2024-03-01")
    log.post("negotiation-opened", occurred="2024-02-01", source=B)
    assert since(log, "2024-04-01") == ("negotiation", "2024-02-01")


def test_a_text_is_adopted_over_negotiation(log):
    log.post("negotiation-opened", occurred="2024-03-01")
    log.post("text-adopted", occurred="2024-06-01")
    assert log.code("2024-05-31") == "negotiation"
    assert since(log, "2024-06-01") == ("adopted", "2024-06-01")


def test_one_signature_signs_partially_and_two_sign(log):
    log.post("text-adopted", occurred="2024-06-01")
    log.signed("2024-07-01", "slv")
    log.signed("2024-08-01", "pak")
    assert log.code("2024-06-30") == "adopted"
    assert since(log, "2024-07-31") == ("partially-signed", "2024-07-01")
    assert since(log, "2024-08-01") == ("signed", "2024-08-01")
    assert log.status("2024-07-31").label == "partially signed"
    assert log.status("2024-08-01").reason.positions == (4, 3)


def test_a_signature_ad_referendum_counts_from_the_later_of_signing_and_confirmation(log):
    signatures = [{"party": "pak"}, {"party": "slv", "ad_referendum": True}]
    log.post("signed", signatures=signatures, occurred="2024-07-01")
    assert log.code("2024-12-31") == "partially-signed"
    confirmation = log.post("signature-confirmed", party="slv", occurred="2024-09-01")
    assert log.code("2024-08-31") == "partially-signed"
    assert since(log, "2024-09-01") == ("signed", "2024-09-01")
    assert log.status("2024-09-01").reason.positions[0] == confirmation.position


def test_a_confirmation_before_the_signing_waits_for_the_signing(log):
    log.post("signature-confirmed", party="slv", occurred="2024-05-01")
    log.post("signed", signatures=[{"party": "slv", "ad_referendum": True}], occurred="2024-07-01")
    assert log.code("2024-06-01") == "registered"
    assert since(log, "2024-07-01") == ("partially-signed", "2024-07-01")


def test_a_confirmation_of_an_outright_signature_changes_nothing(log):
    log.signed("2024-07-01")
    log.post("signature-confirmed", party="slv", occurred="2024-09-01")
    assert since(log, "2024-07-01") == ("signed", "2024-07-01")


def test_of_differing_confirmations_the_narrower_is_taken(log):
    log.post("signed", signatures=[{"party": "slv", "ad_referendum": True}], occurred="2024-07-01")
    log.post("signature-confirmed", party="slv", occurred="2024")
    log.post("signature-confirmed", party="slv", occurred="2024-09-01", source=B)
    assert since(log, "2024-09-01") == ("partially-signed", "2024-09-01")


def test_negotiation_is_abandoned_while_nothing_later_is_known(log):
    log.post("negotiation-opened", occurred="2024-03-01")
    log.post("negotiation-abandoned", occurred="2024-05-01")
    assert log.code("2024-04-30") == "negotiation"
    assert since(log, "2024-05-01") == ("abandoned", "2024-05-01")
    log.post("negotiation-opened", occurred="2024-09-01", source=B)
    assert log.code("2024-08-31") == "abandoned"
    assert since(log, "2024-09-01") == ("negotiation", "2024-09-01")


@pytest.mark.parametrize("step", ["text-adopted", "signed"])
def test_adoption_and_signature_after_an_abandonment_undo_it(log, step):
    log.post("negotiation-abandoned", occurred="2024-05-01")
    if step == "signed":
        log.signed("2024-06-01", "pak")
    else:
        log.post("text-adopted", occurred="2024-06-01")
    assert log.code("2024-05-31") == "abandoned"
    assert log.code("2024-06-01") != "abandoned"


def test_an_abandonment_on_the_day_of_another_step_is_not_later(log):
    log.post("negotiation-opened", occurred="2024-05-01")
    log.post("negotiation-abandoned", occurred="2024-05-01")
    now = log.status("2024-05-01")
    assert (now.code, now.certain) == ("negotiation", True)


def test_an_abandonment_of_imprecise_day_may_be_later(log):
    log.post("negotiation-opened", occurred="2024-05-10")
    log.post("negotiation-abandoned", occurred="2024-05")
    now = log.status("2024-05-20")
    assert (now.code, now.certain) == ("abandoned", False)
    assert log.status("2024-04-30").certain


def test_an_abandonment_that_may_have_come_leaves_the_status_open(log):
    log.post("negotiation-abandoned", occurred="../2024-05-31")
    now = log.status("2024-05-30")
    assert (now.code, now.certain) == ("registered", False)


def test_a_reopening_that_may_have_come_leaves_an_abandonment_open(log):
    log.post("negotiation-abandoned", occurred="2024-05-01")
    log.post("negotiation-opened", occurred="../2024-09-01")
    assert (log.code("2024-06-01"), log.status("2024-06-01").certain) == ("abandoned", False)


def test_provisional_application_runs_until_it_is_ended(log):
    log.signed("2024-01-01")
    log.post("provisionally-applied", from_="2024-02-01")
    log.post("provisional-application-ended", occurred="2024-06-01")
    assert log.code("2024-01-31") == "signed"
    assert since(log, "2024-05-31") == ("provisional", "2024-02-01")
    assert log.code("2024-06-01") == "signed"
    log.post("provisionally-applied", from_="2024-09-01")
    assert since(log, "2024-12-31") == ("provisional", "2024-09-01")


def test_an_entry_into_force_puts_it_in_force_whatever_is_signed(log):
    log.post("entered-into-force", date="2020-01-01")
    assert log.code("2019-12-31") == "registered"
    assert since(log, "2020-01-01") == ("in-force", "2020-01-01")
    assert log.status("2020-01-01").label == "in force"


def test_what_enters_into_force_on_signature_does_so_with_the_second(log):
    log.post("classified", entry_mode="on-signature")
    log.signed("2024-07-01", "slv")
    log.signed("2024-08-01", "pak")
    assert log.code("2024-07-31") == "partially-signed"
    assert since(log, "2024-08-01") == ("in-force", "2024-08-01")
    assert log.status("2024-08-01").reason.positions == (4, 3, 2)


@pytest.mark.parametrize("mode", ["ratification", "notification", "fixed-date"])
def test_no_other_entry_mode_puts_it_in_force_by_itself(log, mode):
    log.post("classified", entry_mode=mode)
    log.signed("2024-07-01")
    for party in ("pak", "slv"):
        log.post("ratified", party=party, form="ratification", occurred="2024-08-01")
    assert log.code("2025-01-01") == "signed"


def test_provisional_application_ends_with_entry_into_force(log):
    log.post("provisionally-applied", from_="2024-02-01")
    log.post("entered-into-force", date="2024-06-01")
    assert log.code("2024-05-31") == "provisional"
    assert log.code("2024-06-01") == "in-force"


def test_a_suspension_runs_until_it_is_resumed(in_force):
    in_force.post("suspended", from_="2021-01-01")
    in_force.post("resumed", occurred="2021-06-01")
    in_force.post("suspended", from_="2022-01-01")
    assert in_force.code("2020-12-31") == "in-force"
    assert since(in_force, "2021-05-31") == ("suspended", "2021-01-01")
    assert since(in_force, "2021-06-01") == ("in-force", "2020-01-01")
    assert since(in_force, "2023-01-01") == ("suspended", "2022-01-01")


def test_two_reports_of_one_suspension_are_ended_by_one_resumption(in_force):
    in_force.post("suspended", from_="2021-01-01")
    in_force.post("suspended", from_="2021-01-03", source=B)
    in_force.post("resumed", occurred="2021-06-01")
    assert since(in_force, "2021-02-01") == ("suspended", "2021-01-01")
    assert in_force.code("2021-06-01") == "in-force"


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("superseded", {"by_id": "another-one", "date": "2022-01-01"}, "superseded"),
        ("terminated", {"date": "2022-01-01", "ground": "expiry"}, "terminated"),
        ("term-set", {"end": "2021-12-31", "auto_renew": False}, "expired"),
        (
            "denunciation-notified",
            {"party": "pak", "occurred": "2021-06-01", "effective": "2022-01-01"},
            "terminated",
        ),
    ],
)
def test_each_way_to_end_names_the_status_from_the_first_day_out(in_force, name, data, code):
    end = in_force.post(name, **data)
    assert in_force.code("2021-12-31") == "in-force"
    assert since(in_force, "2022-01-01") == (code, "2022-01-01")
    assert in_force.status("2022-01-01").reason.positions[0] == end.position


def test_the_earliest_of_several_ends_names_the_status(in_force):
    in_force.post("superseded", by_id="another-one", date="2024-01-01")
    in_force.post("terminated", date="2023-01-01", ground="consent")
    assert since(in_force, "2025-01-01") == ("terminated", "2023-01-01")
    in_force.post("term-set", end="2021-12-31", auto_renew=False)
    assert since(in_force, "2025-01-01") == ("expired", "2022-01-01")
    in_force.post("superseded", by_id="yet-another", date="2021-06-01")
    assert since(in_force, "2025-01-01") == ("superseded", "2021-06-01")


def test_of_ends_on_one_day_the_upper_line_names_the_status(in_force):
    in_force.post("term-set", end="2021-12-31", auto_renew=False)
    in_force.post("terminated", date="2022-01-01", ground="expiry")
    assert in_force.code("2022-01-01") == "terminated"
    in_force.post("superseded", by_id="another-one", date="2022-01-01")
    assert in_force.code("2022-01-01") == "superseded"
    assert in_force.status("2022-01-01").certain


def test_a_denunciation_withdrawn_before_it_has_effect_ends_nothing(in_force):
    in_force.post("denunciation-notified", party="pak", occurred="2021-06-01", effective="2022-01-01")
    in_force.post("denunciation-withdrawn", party="pak", occurred="2021-09-01")
    assert in_force.code("2023-01-01") == "in-force"


@pytest.mark.parametrize(
    ("party", "occurred"), [("slv", "2021-09-01"), ("pak", "2021-01-01"), ("pak", "2022-01-01")]
)
def test_a_withdrawal_by_the_other_or_too_early_or_too_late_saves_nothing(in_force, party, occurred):
    in_force.post("denunciation-notified", party="pak", occurred="2021-06-01", effective="2022-01-01")
    in_force.post("denunciation-withdrawn", party=party, occurred=occurred)
    assert in_force.code("2023-01-01") == "terminated"


def test_a_denunciation_without_a_day_ends_nothing(in_force):
    in_force.post("denunciation-notified", party="pak", occurred="2021-06-01")
    assert in_force.code("2030-01-01") == "in-force"


def test_what_ended_is_not_suspended_any_more(in_force):
    in_force.post("suspended", from_="2021-01-01")
    in_force.post("terminated", date="2022-01-01", ground="breach")
    assert in_force.code("2022-01-01") == "terminated"


def test_a_retracted_agreement_is_retracted_on_every_day(in_force):
    retraction = in_force.post("agreement-retracted", reason="Registered by mistake.")
    for on in ("1900-01-01", "2025-01-01"):
        now = in_force.status(on)
        assert (now.code, now.since, now.certain) == ("retracted", None, True)
        assert now.reason.positions == (retraction.position,)
    in_force.retract(retraction)
    assert in_force.code("2025-01-01") == "in-force"


def test_ratifications_engagements_and_statements_never_change_the_status(log):
    log.post("engagement-held", engagement_id="v", kind="visit", start="2020")
    log.post("follow-up-scheduled", follow_up_id="f", text={"en": "x"}, due="2020")
    log.post("statement-recorded", statement_id="s", attribution="officials", gist={"en": "x"}, quoted=False)
    log.post("fact-recorded", fact_id="f", about="pak", predicate="is", truth=True)
    log.post("linked", other_id="another-one", relation="replaces")
    for party in ("pak", "slv"):
        log.post("ratified", party=party, form="ratification", occurred="2020")
    assert log.code("2025-01-01") == "registered"


def test_a_stage_of_imprecise_day_is_certain_from_its_latest_day(log):
    log.post("entered-into-force", date="2020-07")
    assert [
        (log.status(on).code, log.status(on).certain)
        for on in ("2020-06-30", "2020-07-01", "2020-07-30", "2020-07-31")
    ] == [("registered", True), ("in-force", False), ("in-force", False), ("in-force", True)]
    assert log.status("2020-07-31").since.precision == "month"


def test_a_stage_with_no_earliest_day_begins_on_the_latest_and_is_open_before(log):
    log.post("entered-into-force", date="../2020-07-31")
    assert [(log.status(on).code, log.status(on).certain) for on in ("1900-01-01", "2020-07-31")] == [
        ("registered", False),
        ("in-force", True),
    ]


def test_an_end_of_imprecise_day_passes_after_its_latest(in_force):
    end = in_force.post("terminated", date="2022-07", ground="consent")
    assert [
        (in_force.status(on).code, in_force.status(on).certain)
        for on in ("2022-06-30", "2022-07-01", "2022-07-30", "2022-07-31")
    ] == [("in-force", True), ("in-force", False), ("in-force", False), ("terminated", True)]
    now = in_force.status("2022-07-15")
    assert end.position in now.reason.positions
    assert "terminated is possible" in now.reason.text


def test_of_two_ends_of_which_either_may_be_the_first_the_name_is_open(in_force):
    in_force.post("terminated", date="2022-07", ground="consent")
    in_force.post("superseded", by_id="another-one", date="2022-07-15")
    now = in_force.status("2023-01-01")
    assert (now.code, now.certain) == ("superseded", False)


def test_an_end_that_has_surely_come_first_is_certain(in_force):
    in_force.post("terminated", date="2022-07", ground="consent")
    in_force.post("superseded", by_id="another-one", date="2022-06-15")
    assert in_force.status("2023-01-01").certain


@pytest.mark.parametrize(
    ("character", "label"), [("non-binding", "in effect"), ("binding", "in force"), (None, "in force")]
)
def test_a_non_binding_instrument_is_in_effect(log, character, label):
    log.post("entered-into-force", date="2020-01-01")
    if character:
        log.post("classified", legal_character=character)
    now = log.status("2021-01-01")
    assert (now.code, now.label) == ("in-force", label)


def test_the_label_follows_the_legal_character_that_is_shown(log):
    log.post("entered-into-force", date="2020-01-01")
    log.post("classified", legal_character="binding", cites=[{"publication_id": "p", "basis": "inferred"}])
    log.post("classified", legal_character="non-binding", source=B)
    assert log.status("2021-01-01").label == "in effect"


def test_a_disputed_date_follows_the_claim_that_is_shown(log):
    log.post("entered-into-force", date="2020", source=A)
    precise = log.post("entered-into-force", date="2021-03-01", source=B)
    assert log.code("2020-12-31") == "registered"
    assert log.status("2021-03-01").reason.positions == (precise.position,)


def test_a_term_without_end_ends_nothing(in_force):
    in_force.post("term-set", start="2020", auto_renew=False)
    assert in_force.code("2999-01-01") == "in-force"
