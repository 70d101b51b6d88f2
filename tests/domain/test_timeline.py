"""The statuses of all days."""

import random
from contextlib import suppress
from datetime import date, timedelta
from itertools import pairwise

import pytest

from conftest import campaign
from domain.conftest import Log
from registry.domain.status import status
from registry.domain.timeline import timeline
from registry.errors import Invalid, Rejected


def spans(log):
    return [
        (one.from_ and str(one.from_), one.until and str(one.until), one.status)
        for one in timeline(log.state)
    ]


def test_what_is_only_registered_is_so_for_ever(log):
    assert spans(log) == [(None, None, "registered")]


def test_spans_follow_each_other_without_a_gap(log):
    log.post("classified", legal_character="non-binding")
    log.signed("2024-07-01", "pak")
    log.signed("2024-08-01", "slv")
    log.post("entered-into-force", date="2025-01-01")
    log.post("terminated", date="2026-01-01", ground="consent")
    assert spans(log) == [
        (None, "2024-06-30", "registered"),
        ("2024-07-01", "2024-07-31", "partially-signed"),
        ("2024-08-01", "2024-12-31", "signed"),
        ("2025-01-01", "2025-12-31", "in-force"),
        ("2026-01-01", None, "terminated"),
    ]
    assert timeline(log.state)[3].status_label == "in effect"


def test_an_imprecise_date_makes_a_span_that_is_not_certain(log):
    log.post("entered-into-force", date="2025-07")
    assert [(one.from_ and str(one.from_), one.status, one.certain) for one in timeline(log.state)] == [
        (None, "registered", True),
        ("2025-07-01", "in-force", False),
        ("2025-07-31", "in-force", True),
    ]


def test_periods_and_open_dates_turn_on_the_days_they_name(log):
    log.post("provisionally-applied", from_="2025-02-01")
    log.post("provisional-application-ended", occurred="2025-04-01/..")
    assert [(one.from_ and str(one.from_), one.status, one.certain) for one in timeline(log.state)] == [
        (None, "registered", True),
        ("2025-02-01", "provisional", True),
        ("2025-04-01", "provisional", False),
    ]


def test_a_term_that_renews_itself_makes_no_new_spans_until_it_is_stopped(log):
    log.post("entered-into-force", date="2020-01-01")
    log.post("term-set", end="2020-12-31", auto_renew=True, renew_for="P1Y")
    assert len(spans(log)) == 2
    log.post("non-renewal-notified", party="pak", occurred="2023-05-05")
    assert spans(log)[-1] == ("2024-01-01", None, "expired")


def test_what_began_before_all_days_begins_with_them(log):
    log.post("entered-into-force", date="0001-01-01")
    assert spans(log) == [(None, None, "in-force")]


def test_the_calendar_s_last_day_ends_nothing(log):
    log.post("term-set", end="9999-12-31", auto_renew=False)
    assert timeline(log.state)[-1].from_ in (None, date.max)


FIRST, DAYS = date(2024, 10, 1), 1000
"""The days on which a timeline is held against the status of each: all dates below lie well within."""

DATES = (
    "2024-11-30",
    "2025-01-10",
    "2025-02",
    "2025-03-1X",
    "../2025-03-05",
    "2025-04-01/..",
    "2025-05-05~",
    "2025",
)
CLAIMS = (
    *[("signed", {"signatures": signatures, "occurred": DATES}) for signatures in (
        [[{"party": "pak"}, {"party": "slv"}]],
        [[{"party": "pak", "ad_referendum": True}], [{"party": "slv"}]],
    )],
    ("signature-confirmed", {"party": ("pak", "slv"), "occurred": DATES}),
    ("classified", {"entry_mode": ("on-signature", "ratification"), "legal_character": ("binding", "non-binding")}),
    ("entered-into-force", {"date": DATES}),
    ("provisionally-applied", {"from": DATES}),
    ("provisional-application-ended", {"occurred": DATES}),
    ("negotiation-opened", {"occurred": DATES}),
    ("text-adopted", {"occurred": DATES}),
    ("negotiation-abandoned", {"occurred": DATES}),
    ("suspended", {"from": DATES}),
    ("resumed", {"occurred": DATES}),
    ("terminated", {"date": DATES, "ground": ("consent",)}),
    ("superseded", {"by_id": ("another",), "date": DATES}),
    ("denunciation-notified", {"party": ("pak",), "occurred": DATES, "effective": DATES}),
    ("denunciation-withdrawn", {"party": ("pak",), "occurred": DATES}),
    ("term-set", {"end": DATES[:5], "auto_renew": (False,)}),
    ("term-set", {"end": DATES[:5], "auto_renew": (True,), "renew_for": ("P3M", "P100D"), "notice": ("P1M", "P10D")}),
    ("renewed", {"occurred": ("2025-01-10",), "new_end": DATES[:5], "mode": ("express",)}),
    ("non-renewal-notified", {"party": ("pak", "slv"), "occurred": DATES}),
)  # fmt: skip


@pytest.mark.parametrize("seed", range(campaign(300)))
def test_a_timeline_says_of_every_day_what_its_status_is(seed):
    chance = random.Random(seed)
    log = Log()
    log.registered()
    for name, fields in chance.choices(CLAIMS, k=chance.randint(1, 9)):
        with suppress(Rejected, Invalid):  # what the registry refuses is no event
            source = chance.choice(("https://a.example/", "https://b.example/"))
            log.post(
                name, source=source, **{field: chance.choice(values) for field, values in fields.items()}
            )
    days = (date.min, *(FIRST + timedelta(days=n) for n in range(DAYS)))
    now = {day: status(log.state, day) for day in days}
    spans = timeline(log.state)
    assert (spans[0].from_, spans[-1].until) == (None, None)
    for span in spans:
        within = [one for day, one in now.items() if covers(span, day)]
        assert {(one.code, one.label, one.certain, one.since) for one in within} <= {
            (span.status, span.status_label, span.certain, span.since)
        }
    for one, other in pairwise(spans):
        assert one.until + timedelta(days=1) == other.from_
        assert (one.status, one.certain, one.since) != (other.status, other.certain, other.since)


def covers(span, day):
    return (span.from_ or date.min) <= day <= (span.until or date.max)
