"""The tail has what this process has appended last, as it would be read, and never a part of it that lacks something."""

import pytest

from registry.store import tail as module
from registry.store.head import Head
from registry.store.seal import Draft, Sealed, seal
from registry.store.tail import Tail
from store.conftest import Open, planned, registered


def sealed(after: int, events: int, data: bytes = b"{}") -> Sealed:
    """An append of some events behind a position."""
    drafts = [Draft("/", f"{after}-{n}", "one", after + n, "a", (data,)) for n in range(1, events + 1)]
    frontier = tuple(b"\x00" * 32 for _ in range(after.bit_count()))
    return seal(Head("an.example/log", after, frontier, 1), drafts, 2)


@pytest.fixture
def tail() -> Tail:
    """One that is wanted and has positions 4 to 6 and 7 to 8."""
    tail = Tail()
    tail.want(wanted=True)
    tail.add(sealed(3, 3))
    tail.add(sealed(6, 2))
    return tail


def positions(tail: Tail, after: int, until: int = 0, limit: int = 100) -> list[int]:
    return [row.position for row in tail.behind(after, until, limit)]


async def test_what_was_appended_is_given_as_it_is_read(opened: Open) -> None:
    async with opened() as store:
        store.tail.want(wanted=True)
        await store.append(registered("one"), planned("one", "v1"))
        await store.append(planned("one", "v2"))
        assert store.tail.behind(0, 3, 100) == store.reader.page(0, 100)
        assert store.tail.behind(1, 3, 1) == store.reader.page(1, 1)


async def test_what_is_not_committed_is_not_in_it(opened: Open) -> None:
    async with opened() as store:
        store.tail.want(wanted=True)
        (refused,) = store.writer.commit([store.sequencer.prepare([planned("nobody-knows-it", "v1")], "x")])
        assert isinstance(refused, Exception)
        assert store.tail.behind(0, 0, 100) == []


def test_it_gives_what_is_behind_a_position_up_to_a_limit(tail: Tail) -> None:
    assert positions(tail, 3) == [4, 5, 6, 7, 8]
    assert positions(tail, 4, limit=3) == [5, 6, 7]
    assert positions(tail, 5, limit=1) == [6]
    assert positions(tail, 7) == [8]
    assert positions(tail, 8) == []


def test_it_forgets_what_is_before_what_was_asked_for(tail: Tail) -> None:
    assert positions(tail, 6) == [7, 8]
    assert positions(tail, 3) == [], "4 to 6 are gone, so it cannot lead on from 3"
    assert positions(tail, 6) == [7, 8]


def test_it_gives_nothing_when_others_have_appended_before_or_behind(tail: Tail) -> None:
    assert positions(tail, 2) == []
    assert positions(tail, 3, until=9) == []
    assert positions(tail, 3, until=8) == [4, 5, 6, 7, 8]


def test_what_does_not_follow_takes_the_place_of_what_was_there(tail: Tail) -> None:
    tail.add(sealed(10, 1))
    assert positions(tail, 3) == []
    assert positions(tail, 10) == [11]


def test_nothing_is_kept_that_nobody_wants(tail: Tail) -> None:
    tail.want(wanted=False)
    tail.add(sealed(8, 1))
    tail.want(wanted=True)
    assert positions(tail, 3) == positions(tail, 8) == []


def test_what_is_forgotten_is_gone(tail: Tail) -> None:
    tail.forget()
    assert positions(tail, 3) == []
    tail.add(sealed(8, 1))
    assert positions(tail, 8) == [9]


def test_it_is_bounded_by_its_bytes(tail: Tail, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_BYTES", 2000)
    tail.add(sealed(8, 1, b"x" * 1000))
    assert positions(tail, 3) == [], "the oldest had to go"
    assert positions(tail, 6) == [7, 8, 9]
    tail.add(sealed(9, 1, b"x" * 3000))
    assert positions(tail, 9) == []
    tail.add(sealed(10, 1))
    assert positions(tail, 10) == [11]
