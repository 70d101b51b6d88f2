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


def test_what_is_committed_here_is_followed_at_once(states: States) -> None:
    states.hear(2)
    states.keep(kept := state("one", 2), 2)
    assert states.current("one") is None  # half-way through telling them
    states.follow(0, 2)
    assert states.current("one") == (kept, 2)


def test_nothing_is_current_while_the_log_is_known_to_be_longer(states: States) -> None:
    states.keep(kept := state("one", 2), 2)
    states.hear(5)
    assert states.current("one") is None
    states.follow(4, 5)  # what came between is not known
    assert states.current("one") is None
    states.follow(0, 5)
    assert states.current("one") == (kept, 5)


def test_a_state_read_from_a_shorter_log_is_not_taken_for_all_there_is(states: States) -> None:
    states.hear(3)
    states.follow(0, 3)
    states.keep(state("one", 2), 2)
    assert states.current("one") is None
    assert states.get("one") is not None
    states.keep(state("one", 2), 3)  # read again, and found to be all
    assert states.current("one") == (states.get("one"), 3)


def test_a_newer_state_than_one_that_follows_follows_as_well(states: States) -> None:
    states.hear(3)
    states.follow(0, 3)
    states.keep(state("one", 2), 3)
    states.keep(newer := state("one", 3))
    assert states.current("one") == (newer, 3)


def test_what_is_dropped_is_not_remembered_to_be_behind(states: States) -> None:
    states.hear(3)
    states.follow(0, 3)
    states.keep(state("one", 9), 2)
    states.keep(state("two", 9), 3)
    states.keep(kept := state("one", 1), 3)
    assert states.current("one") == (kept, 3)


def test_older_is_what_is_kept_and_has_not_come_to_a_version(states: States) -> None:
    states.hear(3)
    for name, version in (("as-far", 2), ("older", 1)):
        states.keep(state(name, version), 3)
    states.keep(state("behind", 2), 2)
    versions = {"as-far": 2, "older": 2, "behind": 2, "never-kept": 2}
    assert states.older(versions) == ["older", "behind"]
