import gc
from datetime import date
from weakref import ref

import pytest

from registry.access import EVERYTHING, Sight
from registry.api.answers import Answers, Shown
from registry.domain.agreement import Agreement
from store.test_states import state

DAY = date(2025, 7, 16)


def shown(of: Agreement, size: int = 40) -> Shown:
    return Shown(of.id, ref(of), b"." * size, "etag", people=False)


@pytest.fixture
def answers() -> Answers:
    return Answers(100)


def test_an_answer_is_for_one_state_one_day_and_one_sight(answers: Answers):
    one = state("one", 1)
    answers.keep(DAY, EVERYTHING, kept := shown(one))
    assert answers.get(one, DAY, EVERYTHING) is kept
    assert answers.get(one, DAY, Sight()) is None
    assert answers.get(one, date(2025, 7, 17), EVERYTHING) is None
    assert answers.get(state("one", 1), DAY, EVERYTHING) is None


def test_a_newer_state_s_answer_takes_the_place_of_the_one_before(answers: Answers):
    older, newer = state("one", 1), state("one", 2)
    answers.keep(DAY, EVERYTHING, shown(older, 90))
    answers.keep(DAY, EVERYTHING, kept := shown(newer, 90))
    assert answers.get(older, DAY, EVERYTHING) is None
    assert answers.get(newer, DAY, EVERYTHING) is kept


def test_the_longest_unused_answers_go_first(answers: Answers):
    one, two, three = (state(name, 1) for name in ("one", "two", "three"))
    for each in (one, two):
        answers.keep(DAY, EVERYTHING, shown(each))
    answers.get(one, DAY, EVERYTHING)
    answers.keep(DAY, EVERYTHING, shown(three))
    assert answers.get(two, DAY, EVERYTHING) is None
    assert answers.get(one, DAY, EVERYTHING) is not None


def test_an_answer_does_not_keep_its_state_in_memory(answers: Answers):
    one = state("one", 1)
    answers.keep(DAY, EVERYTHING, shown(one))
    gone = ref(one)
    del one
    gc.collect()
    assert gone() is None
    assert answers.get(state("one", 1), DAY, EVERYTHING) is None


def test_an_answer_larger_than_all_the_room_is_not_kept(answers: Answers):
    one = state("one", 1)
    answers.keep(DAY, EVERYTHING, shown(one, 101))
    assert answers.get(one, DAY, EVERYTHING) is None


def test_what_an_agreement_showed_is_let_go_of(answers: Answers):
    one, two = state("one", 1), state("two", 1)
    for each in (one, two):
        answers.keep(DAY, EVERYTHING, shown(each))
    answers.keep(DAY, Sight(), shown(one, 10))
    answers.forget("one")
    answers.keep(DAY, Sight(), kept := shown(two, 60))
    assert answers.get(one, DAY, EVERYTHING) is None
    assert answers.get(one, DAY, Sight()) is None
    assert answers.get(two, DAY, EVERYTHING) is not None
    assert answers.get(two, DAY, Sight()) is kept
