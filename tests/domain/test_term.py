"""Terms: base end, tacit renewal, notice, and what imprecise dates leave open."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.duration import parse_duration, shift
from registry.domain.edtf import parse
from registry.domain.term import Notice, Term, expired, expiry, possible_ends, run, term

B = "https://b.example/"


@pytest.fixture
def current(log):
    """The current end, the renewals and whether a notice stops it, on a day."""

    def on(day):
        now = run(term(log.state), date.fromisoformat(day))
        return str(now.end), now.renewals, now.stopped_by is not None

    return on


def test_without_a_claim_there_is_no_term(log):
    assert term(log.state) is None
    log.post("renewed", occurred="2025", mode="tacit")
    assert term(log.state) is None


def test_a_term_without_end_never_expires(log):
    log.post("term-set", start="2025", auto_renew=False, notice="P6M")
    known = term(log.state)
    assert run(known, date.max) is None
    assert not expired(known, date.max).holds
    assert expiry(known) is None
    assert possible_ends(known) == set()


def test_a_term_that_is_open_at_the_end_never_certainly_expires(log):
    log.post("term-set", end="2025/..", auto_renew=False)
    known = term(log.state)
    assert (expired(known, date(2030, 1, 1)).holds, expired(known, date(2030, 1, 1)).certain) == (
        False,
        False,
    )
    assert expiry(known) is None


def test_a_term_ends_after_its_last_day(log, current):
    log.post("term-set", end="2025-12-31", auto_renew=False)
    known = term(log.state)
    assert current("2030-01-01") == ("2025-12-31", 0, False)
    assert not expired(known, date(2025, 12, 31)).holds
    assert expired(known, date(2026, 1, 1)).holds
    assert expiry(known) == date(2025, 12, 31)


def test_the_base_end_is_the_latest_of_the_term_and_every_renewal(log, current):
    log.post("term-set", end="2025-12-31", auto_renew=False)
    log.post("renewed", new_end="2024-12-31", occurred="2023", mode="express")
    assert current("2023-01-01") == ("2025-12-31", 0, False)
    log.post("renewed", new_end="2030-12-31", occurred="2027", mode="express")
    log.post("renewed", occurred="2040", mode="tacit")
    assert current("2023-01-01") == ("2030-12-31", 0, False)


def test_of_equal_ends_the_narrower_decides(log):
    log.post("term-set", end="2025", auto_renew=False)
    renewal = log.post("renewed", new_end="2025-12-31", occurred="2024", mode="express")
    assert term(log.state).base_by.first == renewal


def test_a_renewal_gives_an_end_where_no_term_is_known(log, current):
    log.post("renewed", new_end="2030-12-31", occurred="2027", mode="express")
    assert current("2035-01-01") == ("2030-12-31", 0, False)
    assert term(log.state).claim is None


def test_ends_roll_by_whole_steps_from_the_base_and_are_clamped_to_the_month(log, current):
    log.post("term-set", end="2024-02-29", auto_renew=True, renew_for="P1Y")
    assert current("2024-02-29") == ("2024-02-29", 0, False)
    assert current("2024-03-01") == ("2025-02-28", 1, False)
    assert current("2028-01-01") == ("2028-02-29", 4, False)


def test_a_month_end_rolls_from_the_base_and_not_from_the_clamped_end(log, current):
    log.post("term-set", end="2025-01-31", auto_renew=True, renew_for="P1M")
    assert current("2025-02-10") == ("2025-02-28", 1, False)
    assert current("2025-03-10") == ("2025-03-31", 2, False)


def test_an_imprecise_end_stays_as_imprecise(log, current):
    log.post("term-set", end="2025-06", auto_renew=True, renew_for="P1Y")
    assert current("2026-01-01") == ("2026-06-01/2026-06-30", 1, False)


def test_an_end_of_unknown_beginning_rolls_with_it(log, current):
    log.post("term-set", end="../2025-06-30", auto_renew=True, renew_for="P1Y")
    assert current("2026-01-01") == ("../2026-06-30", 1, False)


def test_a_notice_in_time_stops_the_renewal_and_one_a_day_late_stops_the_next(log, current):
    log.post("term-set", end="2025-12-31", auto_renew=True, renew_for="P1Y", notice="P3M")
    in_time = log.post("non-renewal-notified", party="pak", occurred="2026-09-30")
    assert current("2040-01-01") == ("2026-12-31", 1, True)
    log.retract(in_time)
    log.post("non-renewal-notified", party="pak", occurred="2026-10-01")
    assert current("2040-01-01") == ("2027-12-31", 2, True)
    assert expiry(term(log.state)) == date(2027, 12, 31)


def test_of_several_notices_the_one_that_stops_first_decides(log, current):
    log.post("term-set", end="2025-12-31", auto_renew=True, renew_for="P1Y")
    log.post("non-renewal-notified", party="pak", occurred="2030-01-01")
    first = log.post("non-renewal-notified", party="slv", occurred="2027-06-01")
    assert current("2040-01-01") == ("2027-12-31", 2, True)
    assert run(term(log.state), date(2040, 1, 1)).stopped_by.first == first


def test_the_deadline_is_the_last_day_for_a_notice(log):
    log.post("term-set", end="2025-12-31", auto_renew=True, renew_for="P1Y", notice="P3M")
    known = term(log.state)
    assert run(known, date(2025, 5, 1)).deadline == date(2025, 9, 30)
    assert run(known, date(2026, 5, 1)).deadline == date(2026, 9, 30)


def test_a_notice_of_imprecise_day_may_be_in_time(log):
    log.post("term-set", end="2025-12-31", auto_renew=True, renew_for="P1Y", notice="P3M")
    log.post("non-renewal-notified", party="pak", occurred="2025-09-15/2025-10-15")
    now = expired(term(log.state), date(2026, 1, 1))
    assert (now.holds, now.certain) == (True, False)
    assert expired(term(log.state), date(2027, 1, 1)).certain


def test_an_imprecise_end_may_have_passed(log):
    log.post("term-set", end="2025-12", auto_renew=False)
    known = term(log.state)
    assert expired(known, date(2025, 12, 1)).certain
    assert not expired(known, date(2025, 12, 2)).certain
    assert expired(known, date(2026, 1, 1)).holds


def test_the_term_that_is_shown_is_the_ranked_one(log, current):
    log.post("term-set", end="2026", auto_renew=False, cites=[{"publication_id": "p", "basis": "inferred"}])
    log.post("term-set", source=B, end="2030", auto_renew=False)
    assert current("2025-01-01") == ("2030", 0, False)


def test_what_rolls_past_the_calendar_stays_at_its_end():
    known = Term(
        claim=None,
        base=parse("9990-01-01"),
        base_by=None,
        auto_renew=True,
        renew_for=parse_duration("P20Y"),
    )
    assert run(known, date.max).end == parse("9999-12-31")
    assert not expired(known, date.max).holds


@settings(deadline=None)
@given(
    st.dates(date(1900, 1, 1), date(2000, 1, 1)),
    st.sampled_from(["P1D", "P1W", "P1M", "P7M", "P1Y", "P2Y15D"]),
    st.sampled_from(["P0D", "P10D", "P3M"]),
    st.integers(-400, 9000),
    st.integers(0, 9000),
)
def test_rolling_by_halving_gives_what_rolling_step_by_step_gives(base, step, notice, notified, days):
    known = Term(
        claim=None,
        base=parse(base.isoformat()),
        base_by=None,
        auto_renew=True,
        renew_for=parse_duration(step),
        notice=parse_duration(notice),
        notices=(Notice(parse((base + timedelta(days=notified)).isoformat()), None),),
    )
    on = base + timedelta(days=days)
    given_notice = base + timedelta(days=notified)
    count = 0
    while True:
        end = shift(base, known.renew_for, count)
        stopped = given_notice <= shift(end, known.notice, -1)
        if end >= on or stopped:
            break
        count += 1
    now = run(known, on)
    assert (now.renewals, now.end) == (count, parse(end.isoformat()))
    assert expired(known, on).holds == (end < on)
