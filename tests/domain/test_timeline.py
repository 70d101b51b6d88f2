"""The statuses of all days."""

from datetime import date

from registry.domain.timeline import timeline


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
