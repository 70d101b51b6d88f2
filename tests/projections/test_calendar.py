from typing import Any

import msgspec
import pytest

from projections.reading import Stream, build, on
from registry.access import EVERYTHING
from registry.domain.calendar import Item, items
from registry.domain.envelope import Recorded
from registry.errors import NotFound, Unavailable
from registry.projections.agreements import AGREEMENTS
from registry.projections.calendar import CALENDAR, Found, find_items
from store.conftest import Opened

OTHERS = [
    {"id": "aut", "kind": "state", "name": {"de": "Österreich"}},
    {"id": "pak", "kind": "state", "name": {"en": "Pakistan"}},
]


class Other(Stream):
    """An agreement of other parties."""

    def registered(self, **_: Any) -> Recorded:
        return self.post("registered", title={"de": "Ein Brief"}, parties=OTHERS)


def planned(log: Stream, id_: str, when: str | None) -> None:
    dated = {} if when is None else {"when": when}
    log.post("engagement-planned", engagement_id=id_, kind="visit", certainty="expected", **dated)


@pytest.fixture
def logs() -> list[Stream]:
    """Two agreements with four days in calendars, and one with none."""
    one, other, empty = Stream("one"), Other("other"), Stream("third")
    planned(one, "m1", "2025-10")
    planned(one, "m2", "2025-12-01")
    planned(one, "m3", None)
    planned(other, "m1", "2025-10-05")
    other.post("follow-up-scheduled", follow_up_id="f1", text={"en": "Send it."}, due="2025-11-30")
    return [one, other, empty]


@pytest.fixture
async def built(store: Opened, logs: list[Stream]) -> Opened:
    for log in logs:
        await store.append(*log.posted)
    await build(store, CALENDAR, AGREEMENTS)
    return store


def find(store: Opened, **asked: Any) -> Found:
    given = {"party": None, "start": None, "end": None, "most": 100, **asked}
    with store.reading.connect() as connection:
        return find_items(connection, **given, sight=EVERYTHING)


def parts(found: Found) -> list[tuple[str, str]]:
    decoded = (msgspec.json.decode(text, type=Item) for text in found.items)
    return [(item.agreement, item.part) for item in decoded]


def test_each_row_is_an_item_with_the_days_it_is_found_by(logs: list[Stream]) -> None:
    state = logs[0].state
    assert state is not None
    rows = CALENDAR.rows(state)[""]
    assert [(row["kind"], row["part"], row["first"], row["last"]) for row in rows] == [
        ("engagement", "m1", "2025-10-01", "2025-10-31"),
        ("engagement", "m2", "2025-12-01", "2025-12-01"),
    ]
    assert [msgspec.json.decode(row["shown"], type=Item) for row in rows] == list(items(state))
    assert {(row["one_party"], row["other_party"], row["visibility"]) for row in rows} == {
        ("pak", "slv", "public")
    }


async def test_all_items_are_found_by_day(built: Opened) -> None:
    found = find(built)
    assert parts(found) == [("one", "m1"), ("other", "m1"), ("other", "f1"), ("one", "m2")]
    assert found.position == 8


async def test_items_are_found_by_party(built: Opened) -> None:
    assert parts(find(built, party="aut")) == [("other", "m1"), ("other", "f1")]
    assert parts(find(built, party="slv")) == [("one", "m1"), ("one", "m2")]
    assert len(parts(find(built, party="pak"))) == 4
    with pytest.raises(NotFound, match="the party 'xyz'"):
        find(built, party="xyz")


async def test_items_are_found_by_the_days_they_may_be_on(built: Opened) -> None:
    assert parts(find(built, start=on("2025-10-31"), end=on("2025-11-30"))) == [
        ("one", "m1"),
        ("other", "f1"),
    ]
    assert parts(find(built, start=on("2025-12-01"))) == [("one", "m2")]
    assert parts(find(built, end=on("2025-10-04"))) == [("one", "m1")]


async def test_of_too_many_items_the_last_are_found(built: Opened) -> None:
    assert parts(find(built, most=2)) == [("other", "f1"), ("one", "m2")]


async def test_until_it_is_built_nothing_is_found(store: Opened) -> None:
    with pytest.raises(Unavailable):
        find(store)
