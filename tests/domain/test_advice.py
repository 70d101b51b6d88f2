"""What is accepted with a warning."""

import pytest

A = "https://a.example/"
B = "https://b.example/"
PERSON = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"


def warned(log):
    return [(warning.code, warning.positions) for warning in log.warnings]


def test_what_is_complete_is_accepted_without_a_warning(log):
    log.signed("2025-07-16")
    log.post("entered-into-force", date="2025-07-16")
    assert log.warnings == ()


def test_entry_into_force_before_signature_is_accepted_whichever_is_told_first(log, log_of):
    log.signed("1920-05-03")
    log.post("entered-into-force", date="1920-05-01")
    assert warned(log) == [("entry-into-force-before-signature", (2,))]
    other = log_of()
    other.post("entered-into-force", date="1920-05-01")
    other.signed("1920-05-03")
    assert warned(other) == [("entry-into-force-before-signature", (2,))]


def test_imprecise_dates_that_may_be_in_order_bring_no_warning(log):
    log.signed("1920-05-03")
    log.post("entered-into-force", date="1920-05")
    assert log.codes() == []


def test_termination_of_what_was_never_in_force_brings_a_warning(log):
    log.post("terminated", date="1930", ground="consent")
    assert log.codes() == ["termination-without-entry-into-force"]
    log.post("entered-into-force", date="1920")
    log.post("terminated", source=B, date="1930", ground="consent")
    assert log.codes() == []


def test_termination_of_what_takes_effect_on_signature_needs_the_signature(log):
    log.post("classified", entry_mode="on-signature")
    log.post("terminated", date="1930", ground="consent")
    assert log.codes() == ["termination-without-entry-into-force"]
    log.signed("1920")
    log.post("terminated", source=B, date="1930", ground="consent")
    assert log.codes() == []


@pytest.mark.parametrize(
    ("name", "data", "code"),
    [
        ("renewed", {"occurred": "1930", "mode": "tacit"}, "renewal-without-signature"),
        (
            "amended",
            {"amendment_id": "a", "summary": {"en": "x"}, "effective": "1930"},
            "amendment-without-signature",
        ),
    ],
)
def test_what_changes_an_unsigned_agreement_brings_a_warning(log, name, data, code):
    log.post(name, **data)
    assert log.codes() == [code]
    log.signed("1920")
    log.post(name, source=B, **data)
    assert log.codes() == []


@pytest.mark.parametrize(
    ("end", "data"),
    [
        ("terminated", {"date": "1930-01-01", "ground": "consent"}),
        ("superseded", {"by_id": "another", "date": "1930-01-01"}),
        ("denunciation-notified", {"party": "pak", "occurred": "1929", "effective": "1930-01-01"}),
        ("term-set", {"end": "1929-12-31", "auto_renew": False}),
        ("renewed", {"new_end": "1929-12-31", "occurred": "1925", "mode": "express"}),
    ],
)
def test_what_happens_after_any_end_brings_a_warning(log, end, data):
    log.post(end, **data)
    log.post("suspended", from_="1929-12-31")
    assert log.codes() == []
    log.post("suspended", from_="1930-01-01")
    assert warned(log) == [("after-the-end", (2,))]


def test_an_end_that_is_told_late_brings_a_warning_for_what_is_recorded_after_it(log):
    log.post("entered-into-force", date="1920")
    log.post("suspended", from_="1931")
    log.post("terminated", date="1930", ground="consent")
    assert warned(log) == [("after-the-end", (3,))]


def test_a_denunciation_that_was_withdrawn_and_one_without_a_day_are_no_end(log):
    log.post("denunciation-notified", party="pak", occurred="1929", effective="1930")
    log.post("denunciation-withdrawn", party="pak", occurred="1929")
    log.post("denunciation-notified", party="slv", occurred="1929")
    log.post("suspended", from_="1931")
    assert log.codes() == []


def test_a_term_that_renews_itself_ends_only_after_a_notice(log):
    log.post("term-set", end="1929-12-31", auto_renew=True, renew_for="P1Y", notice="P6M")
    log.post("suspended", from_="1935")
    assert log.codes() == []
    notice = log.post("non-renewal-notified", party="pak", occurred="1930-01-01")
    log.post("suspended", from_="1930-12-31")
    assert log.codes() == []
    log.post("suspended", from_="1931-01-01")
    assert log.codes() == ["after-the-end"]
    log.retract(notice)
    log.post("suspended", from_="1935")
    assert log.codes() == []


def test_a_term_without_end_never_ends(log):
    log.post("term-set", auto_renew=False)
    log.post("renewed", occurred="1935", mode="tacit")
    log.post("suspended", from_="1990")
    assert log.codes() == []


@pytest.mark.parametrize(
    ("name", "data", "intro", "intro_data"),
    [
        (
            "engagement-cancelled",
            {"engagement_id": "v", "occurred": "2025"},
            "engagement-planned",
            {"engagement_id": "v", "kind": "visit", "certainty": "expected"},
        ),
        (
            "engagement-rescheduled",
            {"engagement_id": "v", "occurred": "2025", "when": "2026"},
            "engagement-held",
            {"engagement_id": "v", "kind": "visit", "start": "2025"},
        ),
        (
            "follow-up-progressed",
            {"follow_up_id": "f", "occurred": "2025"},
            "follow-up-scheduled",
            {"follow_up_id": "f", "text": {"en": "x"}, "due": "2025"},
        ),
        (
            "follow-up-completed",
            {"follow_up_id": "f", "occurred": "2025"},
            "follow-up-scheduled",
            {"follow_up_id": "f", "text": {"en": "x"}, "due": "2025"},
        ),
        (
            "follow-up-dropped",
            {"follow_up_id": "f", "occurred": "2025", "reason": "x"},
            "follow-up-scheduled",
            {"follow_up_id": "f", "text": {"en": "x"}, "due": "2025"},
        ),
        (
            "follow-up-scheduled",
            {"follow_up_id": "g", "text": {"en": "x"}, "due": "2025", "commitment_id": "c"},
            "commitment-made",
            {"commitment_id": "c", "text": {"en": "x"}, "by": ["pak"], "strength": "aim"},
        ),
        (
            "cooperation-area-removed",
            {"area_id": "a", "occurred": "2025", "reason": "x"},
            "cooperation-area-added",
            {"area_id": "a", "label": {"en": "x"}, "state": "agreed"},
        ),
    ],
)
def test_a_part_that_nobody_has_introduced_brings_a_warning(log, name, data, intro, intro_data):
    log.post(name, **data)
    assert log.codes() == ["part-not-seen"]
    log.post(intro, **intro_data)
    log.post(name, source=B, **data)
    assert log.codes() == []


def test_a_merge_of_parts_names_each_that_nobody_has_introduced(log):
    log.post("engagement-held", engagement_id="v", kind="visit", start="2025")
    log.merge("engagement", "v", "w")
    assert log.codes() == ["part-not-seen"]
    log.post("institution-linked", institution_id="i", name={"en": "i"}, party="pak", role="lead")
    log.merge("institution", "i", "j")
    assert [warning.detail for warning in log.warnings] == ["no event has introduced the institution 'j' yet"]


def test_a_treaty_registry_and_a_non_binding_instrument_bring_a_warning_whichever_comes_first(log, log_of):
    taken_in = {"registry": "UNTS", "number": "I-1", "date": "2026"}
    log.post("classified", legal_character="non-binding")
    log.post("treaty-registered", **taken_in)
    assert warned(log) == [("registration-of-non-binding", (2,))]
    other = log_of()
    other.post("treaty-registered", **taken_in)
    assert other.codes() == []
    other.post("classified", legal_character="non-binding")
    assert warned(other) == [("registration-of-non-binding", (2,))]
    other.post("classified", source=B, legal_character="binding")
    assert other.codes() == []


def test_a_binding_letter_of_intent_brings_a_warning_however_it_is_told(log, empty):
    empty.registered(kind="loi", legal_character="binding")
    assert warned(empty) == [("binding-loi", ())]
    log.post("classified", kind="loi")
    assert log.codes() == []
    log.post("classified", source=B, legal_character="binding")
    assert warned(log) == [("binding-loi", (2,))]
    log.post("title-given", title={"es": "Carta"})
    assert log.codes() == []


def test_a_kind_that_meets_a_known_character_brings_the_warning_too(log):
    log.post("classified", legal_character="binding")
    log.post("classified", source=B, kind="loi")
    assert warned(log) == [("binding-loi", (2,))]
    log.post("classified", source="https://c.example/", entry_mode="ratification")
    assert log.codes() == []


def test_a_publication_later_than_the_day_it_was_read_brings_a_warning(log):
    log.post("publication-recorded", publication_id="p", published="2025-07-17", retrieved="2025-07-16")
    assert log.codes() == ["publication-later-than-record"]
    log.post("publication-recorded", publication_id="q", published="2025-07", retrieved="2025-07-16")
    assert log.codes() == []


def test_a_publication_later_than_the_time_of_its_event_brings_a_warning(log):
    time = {"time": "2025-07-16T12:00:00Z"}
    log.post("publication-recorded", publication_id="p", published="2025-07-17", attrs=time)
    assert log.codes() == ["publication-later-than-record"]
    log.post("publication-recorded", publication_id="q", published="2025-07-16", attrs=time)
    log.post("publication-recorded", publication_id="r", published="2099")
    log.post("publication-recorded", publication_id="s", attrs=time)
    log.post(
        "publication-recorded", publication_id="t", published="2025", attrs={"time": "0000-01-01T00:00:00Z"}
    )
    assert log.codes() == []


def test_a_name_in_a_text_that_stays_brings_a_warning_with_its_place(log):
    speaker = {"person": {"person_id": PERSON, "name": "Ada Sample"}}
    log.post(
        "statement-recorded",
        statement_id="s",
        speaker=speaker,
        attribution="named",
        gist={"en": "Ada Sample welcomes it."},
        quoted=False,
        cites=[{"publication_id": "p", "locator": "interview with Ada Sample", "basis": "stated"}],
    )
    assert log.codes() == ["name-in-text"]
    assert "/cites/0/locator" in log.warnings[0].detail


def test_a_correction_is_warned_about_like_what_it_puts_in_place(log):
    log.signed("1920-05-03")
    force = log.post("entered-into-force", date="1920-05-04")
    log.correct(force, date="1920-05-01")
    assert warned(log) == [("entry-into-force-before-signature", (2,))]


def test_what_is_undated_or_belongs_to_a_person_is_never_after_the_end(log):
    log.post("terminated", date="1930", ground="consent")
    log.post("role-held", person={"person_id": PERSON}, title={"en": "Envoy"}, party="pak", from_="1940")
    assert log.codes() == []
    log.post("fact-recorded", fact_id="f", about="pak", predicate="since", date="1940")
    assert log.codes() == []
