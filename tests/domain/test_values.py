import re
import time

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.codes import COUNTRIES, CURRENCIES
from registry.domain.duration import parse_duration
from registry.domain.edtf import parse
from registry.domain.values import (
    IN_WORDS,
    URL_PATTERN,
    Actor,
    AgreementId,
    Code,
    Country,
    Decimal,
    Duration,
    Edtf,
    EventId,
    EventSource,
    Identifier,
    Line,
    Party,
    Person,
    PersonId,
    Place,
    Q,
    Sha256,
    T,
    Tag,
    Text,
    Unit,
    Url,
    read_custom,
    write_custom,
)

PERSON = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"


def read(given, kind):
    return msgspec.convert(given, kind, dec_hook=read_custom)


def takes(given, kind):
    try:
        read(given, kind)
    except msgspec.ValidationError:
        return False
    return True


ACCEPTED = [
    (Identifier, ["a", "pak", "digital-identity", "report-b", "bitcoin", "3m", "a-", "a" * 80]),
    (AgreementId, ["abc", "pak-slv-2025-digital-assets", "2-a", "a" * 80]),
    (PersonId, [PERSON, "00000000-0000-4000-8000-000000000000"]),
    (EventId, ["b-3", "A B", "~", "x" * 128]),
    (EventSource, ["https://report-b.example/", "/reports/b", "urn:report:b"]),
    (Line, ["a", " a", "a ", "São Tomé", "ابن", "日本", "a\u200db", "x" * 1000]),
    (Text, ["a", "a\nb", "\n a\tb\n", "x" * 20_000]),
    (Tag, ["en", "pt-BR", "sr-Latn", "zh-Hant-TW", "es-419", "de-1996", "ast", "en-x-plain", "zxx"]),
    (Decimal, ["0", "1", "-1", "42000", "0.5", "-0.5", "6237.00", "0.0", "9" * 30]),
    (Sha256, ["0" * 64, "af" * 32]),
    (
        Url,
        [
            "https://a.example",
            "http://a.example:8080/x/y?z=1&w=%20#top",
            "https://[2001:db8::1]/",
            "https://a.example/@b",
        ],
    ),
    (Code, ["GDPR 17(1)(b)", "art-6", "A"]),
    (Country, ["PAK", "SLV", "SUHH", "CSHH"]),
    (
        Unit,
        [
            "USD",
            "BTC",
            "DEM",
            "kW.h",
            "m2",
            "%",
            "{person}",
            "10*6",
            "m/s2",
            "[in_i]",
            "m[H2O]",
            "/m",
            "RAD",
            "t{CO2}",
        ],
    ),
    (T, [{"en": "a"}, {"en": "a", "es": "b"}]),
    (Edtf, ["2025-07-16"]),
    (Duration, ["P1Y"]),
]

REFUSED = [
    (Identifier, ["", "-a", "A", "a_b", "a b", "a\n", "é", "a" * 81, 3, None]),
    (AgreementId, ["ab", "-ab", "Abc", "abc\n", "a" * 81]),
    (
        PersonId,
        [
            PERSON.upper(),
            PERSON.replace("-", ""),
            PERSON.replace("-4", "-1"),
            PERSON + "\n",
            "{" + PERSON + "}",
        ],
    ),
    (EventId, ["", "é", "a\n", "a\tb", "x" * 129]),
    (EventSource, ["", "a b", "é", "a\n", "x" * 513]),
    (
        Line,
        ["", " ", "   ", "a\n", "a\nb", "a\tb", "a\x00", "a\x7f", "a\x85", "a\u2028b", "a\u2029", "x" * 1001],
    ),
    (Text, ["", " ", "\n\t ", "a\x00", "a\rb", "a\x0bb", "a\x9f", "x" * 20_001]),
    (Tag, ["", "e", "EN", "en_US", "en-us", "EN-us", "en-", "english", "en\n", "x-plain", "\uff45\uff4e"]),
    (
        Decimal,
        ["", "-0", "-0.0", "00", "01", "1.", ".5", "1e3", "+1", "1,5", "NaN", "\uff11", "1_0", "1\n", 1, 1.5],
    ),
    (Sha256, ["0" * 63, "0" * 65, "AF" * 32, "0" * 64 + "\n"]),
    (
        Url,
        [
            "ftp://a.example",
            "https://",
            "https://u@a.example/",
            "https://u:p@a.example",
            "https://a.example/a b",
            "https://a.example/%zz",
            "https://é.example/",
            "javascript:alert(1)",
            "HTTPS://a.example",
            "https://a.example/\n",
            'https://a.example/"x',
            "https://a.example/" + "x" * 2048,
        ],
    ),
    (Code, ["", " a", "a<b", "a\n", "a" * 121]),
    (Country, ["", "pak", "PK", "SIAM", "XXX", "USSR", "PAK\n"]),
    (Unit, ["", "XYZ", "usd.", "a b", "é", "USD\n", "kW\n", "BTC/", "m" * 81]),
    (T, [{}, {"EN": "a"}, {"en": ""}, {"en": 3}, [], "a", {"en": "a", "": "b"}]),
    (Edtf, ["2025-02-30", "", 2025, None]),
    (Duration, ["PT1H", 3, None]),
]


@pytest.mark.parametrize(("kind", "given"), [(kind, one) for kind, many in ACCEPTED for one in many])
def test_a_value_of_its_shape_is_kept_as_it_was_posted(kind, given):
    value = read(given, kind)

    assert (value if kind not in (Edtf, Duration) else write_custom(value)) == given


@pytest.mark.parametrize(("kind", "given"), [(kind, one) for kind, many in REFUSED for one in many])
def test_a_value_of_another_shape_is_refused(kind, given):
    assert not takes(given, kind)


def test_every_pattern_is_said_in_words():
    patterns = {
        metadata.pattern
        for kind, _ in ACCEPTED
        for metadata in getattr(kind, "__metadata__", ())
        if metadata.pattern is not None
    }

    assert patterns <= set(IN_WORDS)
    assert all(re.compile(pattern) and words for pattern, words in IN_WORDS.items())


def test_the_codes_are_all_of_theirs():
    assert len([code for code in COUNTRIES if len(code) == 3]) == 249
    assert len([code for code in COUNTRIES if len(code) == 4]) == 31
    assert {"PKR", "USD", "EUR", "XCG", "ZWG", "DEM"} <= CURRENCIES
    assert "BTC" not in CURRENCIES
    assert all(re.fullmatch("[A-Z]{3}", code) for code in CURRENCIES)


def test_a_party_has_a_kind_and_a_name_in_some_language():
    party = read({"id": "pak", "kind": "state", "name": {"en": "Pakistan"}, "country": "PAK"}, Party)

    assert (party.id, party.name["en"], party.country) == ("pak", "Pakistan", "PAK")
    assert not takes({"id": "pak", "kind": "country", "name": {"en": "Pakistan"}}, Party)
    assert not takes({"id": "pak", "kind": "state"}, Party)


@pytest.mark.parametrize(
    "place",
    [
        {"name": "San Salvador"},
        {"name": "San Salvador", "country": "SLV"},
        {"name": "San Salvador", "lat": "13.699", "lon": "-89.191"},
        {"name": "Pole", "lat": "-90", "lon": "180"},
    ],
)
def test_a_place_has_a_name_and_perhaps_a_country_and_coordinates(place):
    assert read(place, Place).name == place["name"]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ({"name": "x", "lat": "1"}, "come together"),
        ({"name": "x", "lon": "1"}, "come together"),
        ({"name": "x", "lat": "90.1", "lon": "0"}, "between -90 and 90"),
        ({"name": "x", "lat": "0", "lon": "-180.5"}, "between -180 and 180"),
        ({"name": "x", "lat": 1, "lon": 2}, "Expected `str"),
        ({"country": "SLV"}, "missing required field `name`"),
        ({"name": "x", "town": "y"}, "unknown field `town`"),
    ],
)
def test_a_place_off_the_earth_is_refused(place, reason):
    with pytest.raises(msgspec.ValidationError, match=reason):
        read(place, Place)


def test_a_quantity_is_exact_and_says_how_it_compares():
    price = read({"value": "123000", "unit": "USD", "per": "BTC", "comparator": "gt"}, Q)

    assert (price.value, price.unit, price.per, price.comparator) == ("123000", "USD", "BTC", "gt")
    assert not takes({"value": 123000, "unit": "USD", "comparator": "gt"}, Q)
    assert not takes({"value": "1", "unit": "USD"}, Q)


def test_an_actor_is_at_least_one_of_a_person_an_institution_and_a_party():
    assert read({"on_behalf_of": "pak"}, Actor).person is None
    assert read({"person": {"person_id": PERSON}}, Actor).person == Person(person_id=PERSON)
    with pytest.raises(msgspec.ValidationError, match="names a person, an institution"):
        read({}, Actor)


def test_values_are_compared_by_what_they_say_and_never_change():
    place = Place(name="San Salvador", country="SLV")

    assert place == Place(name="San Salvador", country="SLV")
    assert hash(place) == hash(Place(name="San Salvador", country="SLV"))
    with pytest.raises(AttributeError):
        place.name = "Islamabad"


def test_the_hooks_know_dates_and_durations_and_nothing_else():
    assert (
        msgspec.json.encode([parse("2025~"), parse_duration("P1Y")], enc_hook=write_custom)
        == b'["2025~","P1Y"]'
    )
    with pytest.raises(NotImplementedError):
        write_custom(object())
    with pytest.raises(NotImplementedError):
        read_custom(complex, "1")


@pytest.mark.parametrize("kind", [Unit, Url, Line, Text, Tag, Decimal])
def test_a_long_text_that_does_not_match_is_refused_at_once(kind):
    started = time.perf_counter()

    for letter in ("a", "1", "-", "a-", "[a]", "%2", "/", " ", "é"):
        takes("https://" * (kind is Url) + letter * 20_000 + "\x00", kind)

    assert time.perf_counter() - started < 2


@given(st.text(max_size=40))
@settings(max_examples=300, deadline=None)
def test_a_line_has_no_line_break_in_anybodys_eyes(text):
    if takes(text, Line):
        assert len(text.splitlines()) == 1
        assert text.strip(" ")


@given(
    st.from_regex(URL_PATTERN.removesuffix(r"(?!\n)"), fullmatch=True, alphabet=st.characters(codec="ascii"))
)
@settings(max_examples=100, deadline=None)
def test_no_url_carries_a_user(url):
    assert "@" not in url.split("/")[2].split("?")[0].split("#")[0]
