"""Worked cases: how instruments come into force, or do not."""

import pytest

A = "https://a.example/"
B = "https://b.example/"


@pytest.fixture
def treaty(empty):
    """A treaty that both parties signed and that needs ratification by both."""
    empty.registered(
        title="Treaty of Commerce", kind="treaty", legal_character="binding", entry_mode="ratification"
    )
    empty.signed("1903-02-14")
    return empty


@pytest.fixture
def letter(empty):
    """A non-binding letter of intent that takes effect on signature."""
    empty.registered(kind="loi", legal_character="non-binding", entry_mode="on-signature")
    return empty


def awaited(log, on):
    return [(one.what, one.party) for one in log.view(on).awaiting]


def test_a_treaty_that_needs_both_ratifications_waits_for_each_and_then_for_its_day(treaty):
    assert (treaty.code("1903-12-31"), awaited(treaty, "1903-12-31")) == (
        "signed",
        [("ratification", "pak"), ("ratification", "slv"), ("entry-into-force", None)],
    )
    treaty.post("ratified", party="pak", form="ratification", occurred="1904-01-10")
    assert awaited(treaty, "1904-01-10") == [("ratification", "slv"), ("entry-into-force", None)]
    treaty.post("ratified", party="slv", form="approval", occurred="1904-03-01")
    assert (treaty.code("1904-12-31"), awaited(treaty, "1904-12-31")) == (
        "signed",
        [("entry-into-force", None)],
    )
    treaty.post("entered-into-force", date="1904-03-31", method="thirty days after the second ratification")
    assert treaty.code("1904-03-30") == "signed"
    assert (treaty.code("1904-03-31"), awaited(treaty, "1904-03-31")) == ("in-force", [])
    assert treaty.view("1904-03-30").flags.entry_into_force_ahead


def test_a_late_ratification_gives_the_same_state_as_a_timely_one(treaty):
    treaty.post("entered-into-force", date="1904-03-31")
    assert treaty.warnings == ()
    treaty.post("ratified", party="slv", form="approval", occurred="1904-03-01")
    treaty.post("ratified", party="pak", form="ratification", occurred="1904-01-10")
    shown = treaty.view("1904-03-31")
    assert (shown.status, shown.since.date) == ("in-force", "1904-03-31")
    assert [one.party for one in shown.ratifications] == ["pak", "slv"]


def test_a_letter_of_intent_is_in_effect_on_signature(letter):
    letter.signed("2025-07-16")
    now = letter.status("2025-07-16")
    assert (now.code, now.label, now.since.date) == ("in-force", "in effect", "2025-07-16")
    assert letter.code("2025-07-15") == "registered"
    assert awaited(letter, "2025-07-16") == []


def test_a_letter_signed_by_one_party_awaits_the_other(letter):
    letter.signed("2025-07-16", "slv")
    assert letter.code("2025-07-16") == "partially-signed"
    assert awaited(letter, "2025-07-16") == [("signature", "pak")]


def test_a_letter_with_a_later_day_of_effect_waits_for_that_day(letter):
    letter.signed("2025-07-16")
    letter.post("entered-into-force", date="2026-01-01")
    now = letter.view("2025-12-31")
    assert (now.status, now.flags.entry_into_force_ahead, now.awaiting) == ("signed", True, ())
    assert letter.status("2026-01-01").label == "in effect"


def test_a_letter_signed_ad_referendum_takes_effect_when_it_is_confirmed(letter):
    letter.post(
        "signed",
        signatures=[{"party": "pak"}, {"party": "slv", "ad_referendum": True}],
        occurred="2025-07-16",
    )
    assert letter.code("2025-08-31") == "partially-signed"
    letter.post("signature-confirmed", party="slv", occurred="2025-09-01")
    assert letter.code("2025-08-31") == "partially-signed"
    assert (letter.code("2025-09-01"), letter.status("2025-09-01").since.date) == ("in-force", "2025-09-01")


def test_entry_into_force_may_be_retroactive(treaty):
    treaty.post("entered-into-force", date="1903-01-01", method="with effect from the beginning of the year")
    assert treaty.codes() == ["entry-into-force-before-signature"]
    assert treaty.code("1902-12-31") == "registered"
    assert (treaty.code("1903-01-01"), treaty.code("1903-02-14")) == ("in-force", "in-force")


def test_provisional_application_that_ended_leaves_the_treaty_signed(treaty):
    treaty.post("provisionally-applied", from_="1903-03-01")
    treaty.post("provisional-application-ended", occurred="1903-09-01")
    assert treaty.code("1903-03-01") == "provisional"
    assert awaited(treaty, "1903-03-01")[0] == ("ratification", "pak")
    assert treaty.code("1903-09-01") == "signed"


def test_a_negotiation_given_up_and_taken_up_again(empty):
    empty.registered()
    empty.post("negotiation-opened", occurred="2020-01")
    empty.post("negotiation-abandoned", occurred="2021-05-01")
    empty.post("negotiation-opened", source=B, occurred="2023-02-01")
    empty.signed("2024-10-01")
    assert [empty.code(f"{year}-12-31") for year in (2019, 2020, 2021, 2023, 2024)] == [
        "registered",
        "negotiation",
        "abandoned",
        "negotiation",
        "signed",
    ]


@pytest.mark.parametrize(
    ("parties", "title"),
    [
        (
            [
                {"id": "gbr", "kind": "state", "name": {"en": "United Kingdom"}, "country": "GBR"},
                {
                    "id": "sun",
                    "kind": "state",
                    "name": {"en": "Union of Soviet Socialist Republics"},
                    "country": "SUHH",
                },
            ],
            "Fisheries Agreement",
        ),
        (
            [
                {"id": "gbr", "kind": "state", "name": {"en": "Great Britain"}, "country": "GBR"},
                {"id": "siam", "kind": "state", "name": {"en": "Siam"}},
            ],
            "Treaty of Friendship",
        ),
    ],
)
def test_states_that_are_no_more_are_parties_like_others(empty, parties, title):
    empty.post("registered", title={"en": title}, parties=parties)
    empty.post("entered-into-force", date="1930-05-22")
    shown = empty.view("1931-01-01")
    assert shown.status == "in-force"
    assert [party.country for party in shown.parties] == [party.get("country") for party in parties]
