from typing import Any

import pytest

from registry.domain.agreement import Agreement, fold
from registry.domain.envelope import Posted, Recorded
from registry.store.states import States
from store.conftest import planned, registered


def recorded(posted: Posted, version: int) -> Recorded:
    fields: dict[str, Any] = {
        name: getattr(posted, name) for name in ("source", "id", "type", "subject", "data")
    }
    return Recorded(position=version, version=version, recorded_at=version, **fields)


def state(name: str, events: int) -> Agreement:
    news = [
        recorded(registered(name), 1),
        *(recorded(planned(name, f"v{i}"), i) for i in range(2, events + 1)),
    ]
    folded = fold(None, news)
    assert folded is not None
    return folded


@pytest.fixture
def states() -> States:
    return States(10)


def test_the_newest_state_of_an_agreement_is_kept(states: States) -> None:
    older, newer = state("one", 2), state("one", 3)
    states.keep(newer)
    states.keep(older)
    assert states.get("one") is newer
    assert states.events == 3


def test_the_longest_unused_state_goes_first(states: States) -> None:
    for name in ("one", "two"):
        states.keep(state(name, 4))
    states.get("one")
    states.keep(state("three", 4))
    assert states.get("two") is None
    assert states.get("one") is not None
    assert states.events == 8


def test_a_state_larger_than_all_the_room_is_not_kept(states: States) -> None:
    states.keep(state("one", 11))
    assert states.get("one") is None
    assert states.events == 0


def test_a_forgotten_state_takes_no_room(states: States) -> None:
    states.keep(state("one", 4))
    states.forget("one")
    states.forget("never")
    assert states.get("one") is None
    assert states.events == 0
