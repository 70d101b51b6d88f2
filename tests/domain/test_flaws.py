import pytest

from registry.domain.codec import typed
from registry.errors import Invalid

PLACE = {"name": "x"}
SIGNED = {"signatures": [{"party": "pak"}], "occurred": "2025"}
TARGET = {"source": "/a", "id": "1"}


def signature(**fields):
    return {"signatures": [{"party": "pak"}, {"party": "slv", **fields}], "occurred": "2025"}


CASES = [
    ("signed", [], "", "expected an object, got a list"),
    ("signed", "x", "", "expected an object, got a string"),
    ("signed", {}, "/signatures", "the field 'signatures' is required"),
    ("signed", {"signatures": []}, "/signatures", "expected a list of length >= 1"),
    (
        "signed",
        {**SIGNED, "occurred": "2025-02-30"},
        "/occurred",
        "'2025-02-30' names a day that does not exist",
    ),
    ("signed", {**SIGNED, "occurred": 2025}, "/occurred", "a date is a string"),
    ("signed", signature(party=3), "/signatures/1/party", "expected a string, got an integer"),
    ("signed", signature(party="S L V"), "/signatures/1/party", "expected an id: lower-case letters"),
    ("signed", signature(colour=3), "/signatures/1/colour", "there is no field 'colour' here"),
    ("signed", signature(**{"a`b/c": 3}), "/signatures/1/a`b~1c", "there is no field 'a`b/c' here"),
    (
        "signed",
        signature(**{"x` - at `$.occurred": 1}),
        "/signatures/1/x` - at `$.occurred",
        "there is no field",
    ),
    ("signed", signature(actor={}), "/signatures/1/actor", "an actor names a person"),
    ("signed", signature(actor=3), "/signatures/1/actor", "expected an object, got an integer"),
    ("signed", signature(actor={"person": {}}), "/signatures/1/actor/person/person_id", "is required"),
    (
        "signed",
        signature(ad_referendum="yes"),
        "/signatures/1/ad_referendum",
        "expected true or false, got a string",
    ),
    (
        "signed",
        signature(capacity="x" * 1001),
        "/signatures/1/capacity",
        "expected a string of length <= 1000",
    ),
    (
        "signed",
        {**SIGNED, "place": {**PLACE, "country": "ZZZ"}},
        "/place/country",
        "'ZZZ' is not one of the codes",
    ),
    (
        "signed",
        {**SIGNED, "place": {**PLACE, "lat": "1"}},
        "/place",
        "a latitude and a longitude come together",
    ),
    (
        "linked",
        {"other_id": "abc", "relation": "x"},
        "/relation",
        "'x' is not one of amends, follows, implements",
    ),
    ("title-given", {"title": {}}, "/title", "expected an object of length >= 1"),
    ("title-given", {"title": {"en": "x", "EN": "x"}}, "/title/EN", "expected a BCP 47 language tag"),
    ("title-given", {"title": {"en": "x", "es": ""}}, "/title/es", "expected a text that is not blank"),
    ("title-given", {"title": {"en": "x", "es": 3}}, "/title/es", "expected a string, got an integer"),
    ("title-given", {"title": {"en": "x", "e/s": 3}}, "/title/e~1s", "expected a BCP 47 language tag"),
    ("suspended", {}, "/from", "the field 'from' is required"),
    ("suspended", {"from": 3}, "/from", "a date is a string"),
    ("term-set", {"auto_renew": True, "notice": "6M"}, "/notice", "'6M' is not a duration"),
    ("term-set", {"auto_renew": True, "notice": 6}, "/notice", "a duration is a string"),
    (
        "personal-data-erased",
        {"target": TARGET, "parts": [1, -1], "legal_basis": "x"},
        "/parts/1",
        "an integer >= 0",
    ),
    (
        "personal-data-erased",
        {"target": TARGET, "parts": [1.5], "legal_basis": "x"},
        "/parts/0",
        "got a number",
    ),
    ("role-held", {"person": []}, "/person", "expected an object, got a list"),
    ("fact-recorded", {"quantity": {"unit": "XYZ", "value": "1"}}, "/quantity/unit", "an ISO 4217 currency"),
]


@pytest.mark.parametrize(("name", "body", "pointer", "detail"), CASES)
def test_a_flaw_says_where_it_is_and_what_was_expected(name, body, pointer, detail):
    with pytest.raises(Invalid) as refused:
        typed(f"agreement.{name}.v1", body)

    (flaw,) = refused.value.flaws
    assert flaw.pointer == pointer
    assert detail in flaw.detail


@pytest.mark.parametrize(("name", "body", "pointer", "detail"), CASES)
def test_no_flaw_speaks_of_python(name, body, pointer, detail):
    with pytest.raises(Invalid) as refused:
        typed(f"agreement.{name}.v1", body)

    said = refused.value.flaws[0].detail
    for word in ("regex", "str`", "`int`", "enum", "struct", "Expected", "None", "dict"):
        assert word not in said
