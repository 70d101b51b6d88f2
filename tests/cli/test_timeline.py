"""The timeline and the portrait of an agreement to which everything happened."""

import re

import pytest

from cli.posts import registered
from registry.cli.timeline import first, force, in_language, lasting, party_name, signed_by

SUBJECT = "everything"
PERSON = {"person_id": "11111111-1111-4111-8111-111111111111", "name": "A. Signatory"}
HAPPENED = (
    (
        "registered",
        {
            "title": {"fr": "Tout", "es": "Todo"},
            "parties": [
                {"id": "aaa", "kind": "state", "name": {"en": "Aland"}},
                {"id": "bbb", "kind": "state", "name": {"en": "Bland"}},
            ],
        },
    ),
    ("negotiation-opened", {"occurred": "2020-01"}),
    ("text-adopted", {"occurred": "2020-05-05"}),
    (
        "signed",
        {
            "signatures": [
                {"party": "aaa", "actor": {"person": PERSON}, "capacity": "Minister", "ad_referendum": True},
                {"party": "bbb", "actor": {"institution_id": "ministry"}},
            ],
            "occurred": "2020-06-01",
            "place": {"name": "Bern"},
        },
    ),
    ("signature-confirmed", {"party": "aaa", "occurred": "2020-06-20"}),
    ("ratified", {"party": "bbb", "form": "acceptance", "occurred": "2020-07"}),
    ("entered-into-force", {"date": "2020-09-01"}),
    ("treaty-registered", {"registry": "UNTS", "number": "I-1", "date": "2020-10-01"}),
    (
        "term-set",
        {"start": "2020-09-01", "end": "2022-08-31", "auto_renew": True, "renew_for": "P1Y", "notice": "P6M"},
    ),
    ("amended", {"amendment_id": "one", "summary": {"en": "longer words"}, "effective": "2021-01-01"}),
    ("renewed", {"occurred": "2021-06-01", "mode": "express"}),
    ("suspended", {"from": "2021-03-01"}),
    ("resumed", {"occurred": "2021-04-01"}),
    ("non-renewal-notified", {"party": "bbb", "occurred": "2023-01-01"}),
    ("denunciation-notified", {"party": "bbb", "occurred": "2022-05-01", "effective": "2023-05-01"}),
    ("denunciation-withdrawn", {"party": "bbb", "occurred": "2022-06-01"}),
    ("terminated", {"date": "2023-09-01", "ground": "expiry"}),
    ("superseded", {"by_id": "another-one", "date": "2023-10-01"}),
    (
        "engagement-planned",
        {"engagement_id": "visit", "kind": "visit", "when": "2022-02-02", "certainty": "scheduled"},
    ),
    (
        "engagement-held",
        {"engagement_id": "call", "kind": "call", "label": {"en": "First call"}, "start": "2022-01-01"},
    ),
    ("follow-up-scheduled", {"follow_up_id": "report", "text": {"en": "Send a report"}, "due": "2022-03"}),
    ("cooperation-area-added", {"area_id": "rail", "label": {"en": "Railways"}, "state": "agreed"}),
    ("document-attached", {"doc_id": "text", "kind": "text", "sha256": "0" * 64}),
)
TIMELINE = """\
  2020-01     negotiation opened
  2020-05-05  text adopted
  2020-06-01  signed for Aland in Bern ad referendum: A. Signatory, Minister
  2020-06-01  signed for Bland in Bern: ministry
  2020-06-20  signature for Aland confirmed
  2020-07     acceptance by Bland
  2020-09-01  entered into force
  2020-09-01  term begins
  2020-10-01  registered with UNTS as I-1
  2021-01-01  amended: longer words
  2021-03-01  suspended
  2021-04-01  resumed
  2021-06-01  express renewal
  2022-01-01  call held: First call
  2022-02-02  visit scheduled: visit
  2022-03     follow-up overdue: Send a report
  2022-05-01  denunciation notified by Bland
  2022-06-01  denunciation by Bland withdrawn
  2023-01-01  non-renewal notified by Bland
  2023-08-31  term ends, after 1 tacit renewal
  2023-09-01  terminated (expiry)
  2023-10-01  superseded by another-one
"""


@pytest.fixture
def lived_url(registry, file_of, sqlite_url) -> str:
    """A database with an agreement to which everything happened."""
    events = [
        {
            "specversion": "1.0",
            "id": str(number),
            "source": "/tests",
            "type": f"agreement.{name}.v1",
            "subject": SUBJECT,
            "data": data,
        }
        for number, (name, data) in enumerate(HAPPENED)
    ]
    ran = registry("append", file_of(events), "--database", sqlite_url)
    assert (ran.code, ran.err) == (0, "")
    return sqlite_url


def test_everything_stands_in_the_order_of_its_days(registry, lived_url):
    shown = registry("show", SUBJECT, "--valid-as-of", "2024-01-01", "--database", lived_url).out
    assert shown.startswith("Todo\n")
    timeline = shown.partition("\nTimeline\n")[2].partition("\n\n")[0] + "\n"
    assert all(" (recorded 20" in line for line in timeline.splitlines())
    assert re.sub(r" \(recorded [0-9-]{10}\)", "", timeline).startswith(TIMELINE.rstrip("\n"))


def test_what_is_ahead_is_said_so(registry, lived_url):
    shown = registry("show", SUBJECT, "--valid-as-of", "2020-08-01", "--database", lived_url).out
    assert "2020-09-01  enters into force (recorded " in shown
    assert "Note: entry into force ahead\n" in shown


def test_what_there_is_one_of_is_not_many(registry, lived_url):
    assert "On record   1 document\n" in registry("show", SUBJECT, "--database", lived_url).out


def test_an_agreement_of_which_little_is_known_is_shown_all_the_same(registry, file_of, sqlite_url):
    registry("append", file_of([registered("bare")]), "--database", sqlite_url)
    shown = registry("show", "bare", "--database", sqlite_url).out
    assert shown.startswith("bare\nbare, version 1, on ")
    assert "\nParties     A (aaa) and B (bbb)\nInstrument  unspecified, " in shown
    assert "Timeline" not in shown
    assert "On record" not in shown


def test_what_lasts_has_no_end_yet():
    view = {
        "parties": [],
        "amendments": [],
        "suspensions": [{"from": "2025", "resumed": None}],
        "denunciations": [{"occurred": "2026", "party": "aaa", "withdrawn": None}],
        "termination": None,
        "supersessions": [],
    }
    assert [row[:2] for row in lasting(view)] == [
        ("2025", "suspended"),
        ("2026", "denunciation notified by aaa"),
    ]


def test_a_term_without_an_end_has_none_in_the_timeline():
    term = {
        "start": None,
        "end": None,
        "current_end": None,
        "tacit_renewals": 0,
        "renewals": [],
        "notices": [],
    }
    assert list(force({"entry_into_force": None, "treaty_registrations": [], "term": term})) == []
    term |= {"end": "2026", "tacit_renewals": 2}
    assert list(force({"entry_into_force": None, "treaty_registrations": [], "term": term})) == [
        ("2026", "term ends, after 2 tacit renewals", term)
    ]


@pytest.mark.parametrize(
    ("when", "day"),
    [
        ("2025-07-16", "2025-07-16"),
        ("2025-07", "2025-07-01"),
        ("../2025-07-16", "2025-07-16"),
        ("2025/..", "2025-01-01"),
        (None, "9999-12-31"),
    ],
)
def test_a_date_stands_where_it_begins(when, day):
    assert first(when).isoformat() == day


@pytest.mark.parametrize(
    ("texts", "text"), [({"fr": "b", "en": "a"}, "a"), ({"fr": "b", "es": "c"}, "c"), ({}, "")]
)
def test_english_is_preferred(texts, text):
    assert in_language(texts) == text


def test_a_party_that_is_none_keeps_its_id():
    assert party_name({"parties": []}, "xyz") == "xyz"


@pytest.mark.parametrize(
    ("signatory", "who"),
    [
        ({"actor": None, "capacity": None}, ""),
        (
            {"actor": {"person": {"person_id": "1", "name": None, "erased": True}}, "capacity": None},
            "[erased]",
        ),
        ({"actor": {"person": {"person_id": "1", "name": "N"}}, "capacity": "Minister"}, "N, Minister"),
        ({"actor": {"institution_id": "ministry", "person": None}, "capacity": None}, "ministry"),
        ({"actor": {"on_behalf_of": "aaa"}, "capacity": None}, ""),
    ],
)
def test_who_signed_is_said_as_far_as_it_is_known(signatory, who):
    assert signed_by(signatory) == who
