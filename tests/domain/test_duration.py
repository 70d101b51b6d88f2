import copy
import pickle
import re
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.domain.duration import DURATION_PATTERN, parse_duration, shift

REFUSED = [
    "",
    "P",
    "1Y",
    "P1",
    "PT1H",
    "P1YT2H",
    "P1.5Y",
    "P1D1Y",
    "-P1Y",
    "P-1Y",
    "P1y",
    "P1Y ",
    "P1Y\n",
    "P\uff11Y",
]


@pytest.mark.parametrize(
    ("text", "months", "days"),
    [
        ("P1Y", 12, 0),
        ("P6M", 6, 0),
        ("P2W", 0, 14),
        ("P90D", 0, 90),
        ("P1Y6M", 18, 0),
        ("P1Y2M3W4D", 14, 25),
        ("P0D", 0, 0),
    ],
)
def test_a_duration_is_counted_in_months_and_days(text, months, days):
    read = parse_duration(text)

    assert (read.months, read.days, str(read)) == (months, days, text)
    assert bool(read) is bool(months or days)
    assert re.search(DURATION_PATTERN, text)


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_duration_in_whole_days_is_refused(text):
    with pytest.raises(ValueError, match="is not a duration"):
        parse_duration(text)


def test_durations_of_one_length_are_equal_however_they_are_written():
    assert parse_duration("P1Y") == parse_duration("P12M")
    assert parse_duration("P1W") == parse_duration("P7D")
    assert parse_duration("P1M") != parse_duration("P30D")
    assert parse_duration("P1Y") != "P1Y"
    assert len({parse_duration("P1Y"), parse_duration("P12M")}) == 1


def test_a_duration_never_changes_and_survives_a_copy():
    read = parse_duration("P1Y")

    with pytest.raises(AttributeError):
        read.days = 3
    with pytest.raises(AttributeError):
        del read.days
    assert copy.deepcopy(read) == pickle.loads(pickle.dumps(read)) == read
    assert repr(read) == "Duration('P1Y')"


@pytest.mark.parametrize(
    ("day", "text", "times", "moved"),
    [
        ("2025-01-31", "P1M", 1, "2025-02-28"),
        ("2024-01-31", "P1M", 1, "2024-02-29"),
        ("2025-01-31", "P1M", 2, "2025-03-31"),
        ("2024-02-29", "P1Y", 1, "2025-02-28"),
        ("2024-02-29", "P1Y", 4, "2028-02-29"),
        ("2025-12-31", "P6M", 1, "2026-06-30"),
        ("2025-07-16", "P2W", 3, "2025-08-27"),
        ("2025-07-16", "P1M1D", 1, "2025-08-17"),
        ("2025-07-16", "P6M", -1, "2025-01-16"),
        ("2025-07-31", "P1M", -1, "2025-06-30"),
        ("2025-01-15", "P1M", -1, "2024-12-15"),
        ("2025-07-16", "P1Y", 0, "2025-07-16"),
        ("9999-06-01", "P1Y", 1, "9999-12-31"),
        ("9999-12-01", "P90D", 1, "9999-12-31"),
        ("0001-06-01", "P1Y", -1, "0001-01-01"),
        ("0001-02-01", "P90D", -1, "0001-01-01"),
    ],
)
def test_a_day_moves_by_months_clamped_to_their_end_and_then_by_days(day, text, times, moved):
    assert shift(date.fromisoformat(day), parse_duration(text), times) == date.fromisoformat(moved)


@given(
    st.dates(date(1000, 1, 1), date(3000, 1, 1)), st.integers(0, 60), st.integers(0, 400), st.integers(0, 20)
)
@settings(max_examples=200, deadline=None)
def test_more_renewals_never_end_earlier(day, months, days, times):
    duration = parse_duration(f"P{months}M{days}D")

    assert shift(day, duration, times) <= shift(day, duration, times + 1)
