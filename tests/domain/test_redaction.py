"""Whose part is which, and which value has been erased: the numbers say so, not what happens to be absent."""

import pytest

from registry.domain.codec import ERASED_TEXT, event_and_places, join, split
from registry.domain.redaction import people_of

A = "https://a.example/"
ONE = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"
TWO = "11111111-2222-4333-8444-555555555555"
SIGNED = "agreement.signed.v1"


def person(id, name=None):
    return {"person_id": id} if name is None else {"person_id": id, "name": name}


def erase(log, target, *parts):
    basis = {"parts": list(parts), "legal_basis": "GDPR 17(1)(b)"}
    log.record(log.make("personal-data-erased", target={"source": target.source, "id": target.id}, **basis))


@pytest.fixture
def held(log):
    """One who took part is known by a random id alone, the other also by name."""
    participants = [{"person": person(ONE)}, {"person": person(TWO, "Bo")}]
    return log.post(
        "engagement-held", engagement_id="v", kind="visit", start="2025", participants=participants
    )


def participants(log):
    (visit,) = log.view().engagements
    return [(one.person.name, one.person.erased) for one in visit.participants]


def test_a_person_of_whom_no_name_was_given_is_not_shown_as_erased_with_another(log, held):
    assert participants(log) == [(None, False), ("Bo", False)]
    erase(log, held, 1)
    assert participants(log) == [(None, False), (None, True)]
    assert log.state.live[held.identity].places_erased == {("participants", 1, "person", "name")}


def test_a_replacement_tells_them_apart_too(log, held):
    correction = log.correct(held, **{**log.body(held), "start": "2025-07"})
    erase(log, correction, 1)
    assert participants(log) == [(None, False), (None, True)]


def test_a_signature_without_any_personal_value_is_not_shown_as_erased(log):
    signatures = [
        {"party": "pak", "actor": {"person": person(ONE)}},
        {"party": "slv", "actor": {"person": person(TWO)}, "capacity": "Minister"},
    ]
    signed = log.post("signed", signatures=signatures, occurred="2025")
    erase(log, signed, 1)
    pak, slv = log.view().signatures
    assert (pak.signatories[0].erased, pak.signatories[0].actor.person.erased) == (False, False)
    assert (slv.signatories[0].erased, slv.signatories[0].capacity) == (True, None)


def test_an_office_whose_title_happens_to_be_the_text_of_erased_ones_is_not_erased(log):
    log.post("role-held", party="pak", title=ERASED_TEXT, person=person(ONE))
    assert log.view().roles[0].erased is False


def parts_of(name, body):
    return split(name, body, {}, "")


def test_each_part_is_that_of_one_person_who_stays_known_by_id():
    signatures = [
        {"party": "pak", "actor": {"person": person(TWO)}},
        {"party": "slv", "actor": {"person": person(TWO, "Bo")}, "capacity": "Minister"},
        {"party": "slv", "actor": {"person": person(ONE, "Ada")}},
    ]
    part0, *_ = parts_of(SIGNED, {"signatures": signatures, "occurred": "2025"})
    assert people_of(SIGNED, part0) == {1: TWO, 2: ONE}


def test_the_persons_of_a_replacement_are_known_as_well():
    replacement = {"person": person(ONE), "title": {"en": "Envoy"}, "party": "pak"}
    body = {
        "target": {"source": A, "id": "x", "type": "agreement.role-held.v1"},
        "replacement": replacement,
        "reason": "It was wrong.",
        "kind": "entry-error",
    }
    name = "agreement.event-corrected.v1"
    part0, *_ = parts_of(name, body)
    assert people_of(name, part0) == {1: ONE}
    _, places = event_and_places(name, join(part0, {}))
    assert places == (("replacement", "title"),)


def test_an_event_of_nobody_has_no_persons():
    (part0,) = parts_of(SIGNED, {"signatures": [{"party": "pak"}], "occurred": "2025"})
    assert people_of(SIGNED, part0) == {}
