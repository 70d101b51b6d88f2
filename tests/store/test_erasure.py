"""Erasing in the store: what goes, what is recorded, what stays as it was."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from registry.audit.verify import verify
from registry.errors import Invalid, NotFound, Rejected, Unavailable
from registry.store.erasure import Eraser, look
from registry.store.people import erase_everywhere, parts_of_person
from store.conftest import PRINCIPAL, SOURCE, Open, Opened, event, planned, registered
from store.test_faults import failing_commit

ADA = "0b7a3c52-2f0e-4c58-8f6d-5a1f9f7f2b33"
BO = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"
BASIS = "GDPR 17(1)(b)"
NAMES = ("Ada Lovelock", "Bo Sampleton")


def held(agreement: str, id: str = "", *people: tuple[str, str], start: str = "2025") -> Any:
    participants = [{"person": {"person_id": who, "name": name}} for who, name in people]
    data = {"engagement_id": "v", "kind": "visit", "start": start, "participants": participants}
    return event("engagement-held", agreement, id or f"{agreement}-held", data)


BOTH = ((ADA, "Ada Lovelock"), (BO, "Bo Sampleton"))


def corrected(agreement: str, target: str, id: str, *people: tuple[str, str], start: str = "2025") -> Any:
    body = held(agreement, "x", *people, start=start).body
    data = {
        "target": {"source": SOURCE, "id": target, "type": "agreement.engagement-held.v1"},
        "replacement": body,
        "reason": "It was wrong.",
        "kind": "entry-error",
    }
    return event("event-corrected", agreement, id, data)


def retracted(agreement: str, target: str, id: str) -> Any:
    data = {"target": {"source": SOURCE, "id": target}, "reason": "It was wrong."}
    return event("event-retracted", agreement, id, data)


class Store:
    """A store with an eraser beside its sequencer."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.eraser = Eraser(opened.writing, opened.states)
        self.append = opened.append
        self.reader = opened.reader

    def erase(self, agreement: str, position: int, *parts: int) -> list[tuple[Any, ...]]:
        """Erase, and tell of each event which parts and where that is recorded."""
        done = self.eraser.erase(agreement, position, parts or None, BASIS, PRINCIPAL)
        return [(one.position, one.parts, one.receipt.position, one.receipt.replayed) for one in done]

    def open_parts(self, position: int) -> list[int]:
        row = self.reader.event(position)
        assert row is not None
        return sorted(row.parts)


@pytest.fixture
async def store(opened: Open) -> AsyncIterator[Store]:
    """One agreement, and at position 2 a visit of two persons."""
    async with opened() as one:
        await one.append(registered("one"))
        await one.append(held("one", "", *BOTH))
        yield Store(one)


async def test_an_erasure_takes_parts_with_their_salts_and_records_it(store: Store) -> None:
    assert store.erase("one", 2, 1) == [(2, (1,), 3, False)]
    assert store.open_parts(2) == [0, 2]
    stone = store.reader.event(3)
    assert stone is not None
    assert (stone.source, stone.event_id, stone.version) == ("/administration", "erasure-2-1", 3)
    joined = stone.joined()
    assert joined.principal == PRINCIPAL
    assert joined.body == {
        "target": {"source": SOURCE, "id": "one-held"},
        "parts": [1],
        "legal_basis": BASIS,
    }
    report = verify(store.opened.reading)
    assert (report.ok, report.erased) == (True, 1)


async def test_without_numbers_all_personal_parts_go(store: Store) -> None:
    assert store.erase("one", 2) == [(2, (1, 2), 3, False)]
    assert store.open_parts(2) == [0]


async def test_a_repeat_records_nothing_and_gives_the_first_receipts(store: Store) -> None:
    store.erase("one", 2, 2)
    assert store.erase("one", 2) == [(2, (1,), 4, False), (2, (2,), 3, True)]
    first = store.eraser.erase("one", 2, None, "another", PRINCIPAL)
    assert [(one.receipt.position, one.receipt.replayed, one.legal_basis) for one in first] == [
        (4, True, BASIS),
        (3, True, BASIS),
    ]
    assert store.reader.head().size == 4


async def test_the_state_in_memory_is_redacted_and_equals_what_is_read_anew(
    store: Store, opened: Open
) -> None:
    assert store.reader.agreement("one")
    store.erase("one", 2, 1)
    folded = store.reader.agreement("one")
    async with opened(started=False) as fresh:
        again = fresh.reader.agreement("one")
    assert folded is not None
    assert folded.recorded == again.recorded
    assert NAMES[0] not in repr(folded.recorded)
    assert NAMES[1] in repr(folded.recorded)


async def test_a_state_held_elsewhere_takes_the_erasure_from_the_log(opened: Open) -> None:
    async with opened() as here, opened(started=False) as elsewhere:
        await here.append(registered("one"), held("one", "", *BOTH))
        assert NAMES[0] in repr(elsewhere.reader.agreement("one").recorded)
        Eraser(here.writing, here.states).erase("one", 2, (1,), BASIS, PRINCIPAL)
        assert NAMES[0] not in repr(elsewhere.reader.agreement("one").recorded)
        assert NAMES[1] in repr(elsewhere.reader.agreement("one").recorded)


async def test_posting_an_erased_event_again_gives_its_first_receipt(store: Store) -> None:
    (first,) = await store.append(held("one", "", *BOTH))
    store.erase("one", 2)
    (again,) = await store.append(held("one", "", *BOTH))
    assert (again, again.replayed, again.position) == (first, True, 2)
    assert store.open_parts(2) == [0]


async def test_the_same_persons_go_from_a_whole_chain_of_corrections(store: Store) -> None:
    await store.append(corrected("one", "one-held", "c1", *BOTH, start="2024"))
    await store.append(corrected("one", "c1", "c2", (BO, "Bo S."), (ADA, "A. Lovelock"), start="2023"))
    await store.append(retracted("one", "c2", "r"))
    assert [one.open for one in look(store.reader, "one", 3, (1,))] == [(1,), (1,), (2,)]
    assert store.erase("one", 3, 1) == [(2, (1,), 6, False), (3, (1,), 7, False), (4, (2,), 8, False)]
    assert [store.open_parts(position) for position in (2, 3, 4)] == [[0, 2], [0, 2], [0, 1]]
    assert [(one.open, one.gone) for one in look(store.reader, "one", 3, (1,))] == [((), (1,))] * 2 + [
        ((), (2,))
    ]
    assert verify(store.opened.reading).ok


async def test_part_0_goes_only_from_what_no_longer_counts_and_takes_the_others_along(store: Store) -> None:
    with pytest.raises(Rejected) as refused:
        store.erase("one", 2, 0)
    assert (refused.value.rule, refused.value.positions) == ("erasure-of-what-counts", (2,))
    await store.append(corrected("one", "one-held", "c1", (BO, "Bo S.")))
    assert store.erase("one", 2, 0) == [(2, (0, 1, 2), 4, False), (3, (1,), 5, False)]
    assert store.open_parts(2) == []
    assert store.erase("one", 2, 0) == [(2, (0, 1, 2), 4, True)]
    assert verify(store.opened.reading).ok


@pytest.mark.parametrize(
    ("agreement", "position", "parts"), [("two", 2, ()), ("one", 9, ()), ("one", 0, ()), ("two", 1, (1,))]
)
async def test_what_is_not_there_is_not_found(
    store: Store, agreement: str, position: int, parts: tuple[int, ...]
) -> None:
    with pytest.raises(NotFound):
        store.erase(agreement, position, *parts)
    with pytest.raises(NotFound):
        look(store.reader, agreement, position, parts or None)


@pytest.mark.parametrize(
    ("position", "parts", "rule"),
    [(2, (3,), "part-unknown"), (2, (1, 7), "part-unknown"), (1, (), "nothing-personal")],
)
async def test_parts_that_the_event_does_not_have_are_refused(
    store: Store, position: int, parts: tuple[int, ...], rule: str
) -> None:
    with pytest.raises(Rejected) as refused:
        store.erase("one", position, *parts)
    assert refused.value.rule == rule
    assert store.reader.head().size == 2


async def test_a_tombstone_is_never_erased(store: Store) -> None:
    store.erase("one", 2)
    with pytest.raises(Rejected) as refused:
        store.erase("one", 3, 0)
    assert refused.value.rule == "target-never"


async def test_a_person_is_found_and_erased_in_all_agreements(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.store.people.STRETCH", 2)
    monkeypatch.setattr("registry.store.erasure.AT_ONCE", 2)
    await store.append(corrected("one", "one-held", "c1", *BOTH, start="2024"))
    await store.append(registered("two"), planned("two", "v1"), held("two", "", (ADA, "Ada L.")))
    text = event("title-given", "two", "t", {"title": {"fr": f"About {ADA}"}})
    await store.append(text)
    reached: list[tuple[int, int]] = []
    found, size = parts_of_person(store.reader, ADA, progress=lambda *at: reached.append(at))
    assert [(one.agreement, one.position, one.open, one.gone) for one in found] == [
        ("one", 2, (1,), ()),
        ("one", 3, (1,), ()),
        ("two", 6, (1,), ()),
    ]
    assert (size, reached) == (7, [(2, 7), (4, 7), (6, 7), (7, 7)])
    done = erase_everywhere(store.eraser, store.reader, ADA, BASIS, PRINCIPAL)
    assert [(one.agreement, one.position, one.receipt.position) for one in done] == [
        ("one", 2, 8),
        ("one", 3, 9),
        ("two", 6, 10),
    ]
    assert [one.open for one in parts_of_person(store.reader, ADA)[0]] == [(), (), ()]
    again = erase_everywhere(store.eraser, store.reader, ADA, BASIS, PRINCIPAL)
    assert [one.receipt.position for one in again] == [8, 9, 10]
    assert all(one.receipt.replayed for one in again)
    assert [one.open for one in parts_of_person(store.reader, BO)[0]] == [(2,), (2,), (1,)]
    assert verify(store.opened.reading).ok


async def test_a_person_of_whom_no_part_ever_was_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound):
        erase_everywhere(store.eraser, store.reader, "1" * 8 + ADA[8:], BASIS, PRINCIPAL)


async def test_nobody_posts_under_the_source_of_erasures() -> None:
    with pytest.raises(Invalid) as refused:
        event("title-given", "one", "erasure-2-1", {"title": {"en": "x"}}, source="/administration")
    assert [flaw.pointer for flaw in refused.value.flaws] == ["/source"]


async def test_an_erasure_that_fails_before_its_commit_has_erased_and_recorded_nothing(store: Store) -> None:
    store.reader.agreement("one")
    with failing_commit(store.opened.writing, after=False), pytest.raises(Unavailable):
        store.erase("one", 2)
    assert store.reader.head().size == 2
    assert store.open_parts(2) == [0, 1, 2]
    assert NAMES[0] in repr(store.reader.agreement("one").recorded)
    assert store.erase("one", 2) == [(2, (1, 2), 3, False)]


async def test_an_erasure_whose_answer_was_lost_is_found_when_it_is_repeated(store: Store) -> None:
    store.reader.agreement("one")
    with failing_commit(store.opened.writing, after=True), pytest.raises(Unavailable):
        store.erase("one", 2)
    assert store.open_parts(2) == [0]
    assert NAMES[0] not in repr(store.reader.agreement("one").recorded)
    assert store.erase("one", 2) == [(2, (1, 2), 3, True)]
    assert verify(store.opened.reading).ok


async def test_a_fault_between_recording_and_deleting_undoes_both(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr("registry.store.erasure._delete", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            store.erase("one", 2)
    assert store.reader.head().size == 2
    (receipt,) = await store.append(planned("one", "v2"))
    assert receipt.position == 3
