"""When something with an imprecise date has begun or ended."""

from datetime import date

import pytest

from registry.domain.dates import (
    NO,
    YES,
    Truth,
    begun,
    day_after,
    ended,
    every,
    first_day,
    last_day,
    opposite,
    past,
    some,
)
from registry.domain.edtf import parse
from registry.domain.imprecise import precision

PERHAPS = Truth.of(holds=True, certain=False)
PERHAPS_NOT = Truth.of(holds=False, certain=False)


@pytest.mark.parametrize(
    ("when", "on", "truth"),
    [
        ("2025-07-16", "2025-07-15", NO),
        ("2025-07-16", "2025-07-16", YES),
        ("2025-07", "2025-06-30", NO),
        ("2025-07", "2025-07-01", PERHAPS),
        ("2025-07", "2025-07-30", PERHAPS),
        ("2025-07", "2025-07-31", YES),
        ("../2025-07-16", "2025-07-15", PERHAPS_NOT),
        ("../2025-07-16", "2025-07-16", YES),
        ("2025-07-16/..", "2025-07-15", NO),
        ("2025-07-16/..", "2099-01-01", PERHAPS),
    ],
)
def test_a_stage_begins_on_the_earliest_day_and_is_certain_from_the_latest(when, on, truth):
    assert begun(parse(when), date.fromisoformat(on)) == truth


@pytest.mark.parametrize(
    ("when", "on", "truth"),
    [
        ("2025-07-16", "2025-07-15", NO),
        ("2025-07-16", "2025-07-16", YES),
        ("2025-07", "2025-06-30", NO),
        ("2025-07", "2025-07-01", PERHAPS_NOT),
        ("2025-07", "2025-07-31", YES),
        ("../2025-07-16", "2025-07-15", PERHAPS_NOT),
        ("2025-07-16/..", "2025-07-15", NO),
        ("2025-07-16/..", "2099-01-01", PERHAPS_NOT),
    ],
)
def test_an_end_passes_on_the_latest_first_day_out(when, on, truth):
    assert ended(parse(when), date.fromisoformat(on)) == truth


@pytest.mark.parametrize(
    ("when", "on", "truth"),
    [
        ("2025-07-16", "2025-07-16", NO),
        ("2025-07-16", "2025-07-17", YES),
        ("2025-07", "2025-07-01", NO),
        ("2025-07", "2025-07-02", PERHAPS_NOT),
        ("2025-07", "2025-07-31", PERHAPS_NOT),
        ("2025-07", "2025-08-01", YES),
        ("../2025-07-16", "2025-07-16", PERHAPS_NOT),
        ("2025-07-16/..", "2099-01-01", PERHAPS_NOT),
    ],
)
def test_a_last_day_is_past_after_the_latest_day(when, on, truth):
    assert past(parse(when), date.fromisoformat(on)) == truth


def test_the_undated_holds_on_every_day():
    assert begun(None, date.min) == YES


def test_first_and_last_day_of_open_dates():
    assert first_day(parse("../2025")) == date(2025, 12, 31)
    assert last_day(parse("2025/..")) == date.max


def test_the_calendar_has_no_day_after_its_last():
    assert day_after(date(2024, 2, 28)) == date(2024, 2, 29)
    assert day_after(date.max) == date.max


@pytest.mark.parametrize(
    ("truths", "all_of_them", "one_of_them"),
    [
        ([], YES, NO),
        ([YES, YES], YES, YES),
        ([YES, PERHAPS], PERHAPS, YES),
        ([PERHAPS], PERHAPS, PERHAPS),
        ([YES, NO], NO, YES),
        ([NO, PERHAPS_NOT], NO, PERHAPS_NOT),
        ([YES, PERHAPS_NOT], PERHAPS_NOT, YES),
        ([PERHAPS, NO], NO, PERHAPS),
    ],
)
def test_answers_are_put_together_with_what_is_certain_of_them(truths, all_of_them, one_of_them):
    assert every(truths) == all_of_them
    assert some(truths) == one_of_them


def test_the_opposite_is_as_certain():
    assert opposite(PERHAPS) == PERHAPS_NOT
    assert opposite(NO) == YES


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("2025-07-16", "day"),
        ("2025-07-16~", "day"),
        ("2025-07", "month"),
        ("2025-02", "month"),
        ("2025", "year"),
        ("2025-XX", "year"),
        ("20XX", "range"),
        ("2025-07-1X", "range"),
        ("2025-07-01/2025-08-31", "range"),
        ("2025-07-01/2025-07-30", "range"),
        ("../2025", "range"),
        ("2025/..", "range"),
    ],
)
def test_precision_in_a_word(text, word):
    assert precision(parse(text)) == word


def test_an_answer_holds_or_not_and_is_certain_or_not():
    for holds in (True, False):
        for certain in (True, False):
            answer = Truth.of(holds=holds, certain=certain)
            assert (answer.holds, answer.certain) == (holds, certain)
    assert sorted([YES, PERHAPS, NO, PERHAPS_NOT]) == [NO, PERHAPS_NOT, PERHAPS, YES]
