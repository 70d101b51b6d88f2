"""Which agreements are restricted: known in the transaction of the event that changes it, on every replica."""

import asyncio
from typing import Any

import pytest

from registry.access import EVERYTHING, Sight
from registry.errors import IdentityTaken, Rejected, VersionMismatch
from registry.store.restricted import find_all, restricted_among
from store.conftest import PARTIES, SOURCE, Open, event, planned, registered

OUTSIDER = Sight(parts=True)
OTHER = "0e6c4c0e-33a5-4b58-8c3b-3a1f0f6f6a77"


def founded(agreement: str, visibility: str, id: str = "", **attributes: Any) -> Any:
    data = {"title": {"en": "A letter"}, "parties": PARTIES, "visibility": visibility}
    return event("registered", agreement, id or f"{agreement}-registered", data, **attributes)


def changed(agreement: str, visibility: str, id: str) -> Any:
    return event("visibility-changed", agreement, id, {"visibility": visibility, "reason": "So it is."})


def retracted(agreement: str, id: str) -> Any:
    target = {"source": SOURCE, "id": id}
    return event("event-retracted", agreement, f"no-{id}", {"target": target, "reason": "It was wrong."})


def corrected(agreement: str, id: str, type_: str, **replacement: Any) -> Any:
    target = {"source": SOURCE, "id": id, "type": f"agreement.{type_}.v1"}
    data = {"target": target, "replacement": replacement, "reason": "It was wrong.", "kind": "entry-error"}
    return event("event-corrected", agreement, f"other-{id}", data)


def restricted(store: Any) -> list[str]:
    """The agreements that are restricted, as every process knows them and as the log tells."""
    with store.reading.connect() as connection:
        known = sorted(restricted_among(connection, ("one", "two")))
        assert find_all(connection) == known
    return known


async def test_the_last_that_is_recorded_and_still_stands_decides(opened: Open):
    async with opened() as store:
        await store.append(founded("one", "public"), founded("two", "restricted"))
        assert restricted(store) == ["two"]
        await store.append(changed("one", "restricted", "hide"), changed("two", "public", "show"))
        assert restricted(store) == ["one"]
        await store.append(retracted("one", "hide"), retracted("two", "show"))
        assert restricted(store) == ["two"]
        title = {"title": {"en": "A letter"}, "parties": PARTIES}
        await store.append(
            corrected("two", "two-registered", "registered", **title),
            corrected("one", "one-registered", "registered", **title, visibility="restricted"),
        )
        assert restricted(store) == ["one"]


async def test_what_has_nothing_to_do_with_it_changes_nothing(opened: Open):
    async with opened() as store:
        await store.append(founded("one", "restricted"), registered("two"), planned("two", "visit"))
        await store.append(
            retracted("two", "two-visit"), founded("one", "public", "again", source="https://other.example/")
        )
        assert restricted(store) == ["one"]
        await store.append(changed("one", "public", "show"))
        assert restricted(store) == []
        assert store.reader.restricted_among(()) == frozenset()


async def test_an_outsider_reads_as_far_as_the_last_event_that_exists(opened: Open):
    async with opened() as store:
        await store.append(registered("one"), founded("two", "restricted"), planned("two", "visit"))
        reader = store.reader
        assert [row.position for row in reader.page(0, 10, sight=OUTSIDER)] == [1]
        assert [row.position for row in reader.newest(4, 10, OUTSIDER)] == [1]
        assert reader.event(2, OUTSIDER) is None
        assert (reader.known_position_for(OUTSIDER, 3), reader.position_for(OUTSIDER, 3)) == (None, 1)
        assert reader.known_position_for(OUTSIDER, 3) == 1
        assert reader.position_for(EVERYTHING, 3) == 3
        await store.append(changed("one", "restricted", "hide"))
        assert reader.position_for(OUTSIDER, 4) == 0


async def test_what_an_outsider_can_see_has_another_name_whenever_it_is_other_and_no_other_name_else(
    opened: Open,
):
    async with opened() as store:
        names = {store.reader.made_of(OUTSIDER)}
        assert store.reader.made_of(EVERYTHING) not in names

        async def named_anew(*events: Any) -> bool:
            await store.append(*events)
            known = len(names)
            names.add(store.reader.made_of(OUTSIDER))
            return len(names) > known

        assert await named_anew(founded("one", "public"), planned("one", "v1"))
        assert not await named_anew(founded("two", "restricted"), planned("two", "v1"))
        assert await named_anew(founded("six", "public"), planned("six", "v1"))
        assert await named_anew(changed("one", "restricted", "hide"))
        assert not await named_anew(planned("one", "v2"))
        assert await named_anew(changed("one", "public", "show"), changed("six", "restricted", "hide-six"))
        assert await named_anew(changed("six", "public", "show-six"))


async def test_without_the_scope_an_event_has_its_parts_withheld(opened: Open):
    async with opened() as store:
        await store.append(registered("one"), planned("one", "visit"))
        row = store.reader.event(2, Sight())
        assert (list(row.parts), row.withheld) == ([0], (1,))
        assert row.recorded().places_withheld == (("participants", 0, "person", "name"),)
        assert store.reader.event(1, Sight()).withheld == ()


async def test_for_whoever_may_not_see_it_a_restricted_agreement_is_unknown(opened: Open):
    async with opened() as store:
        await store.append(founded("one", "restricted"))
        append = store.sequencer.append
        with pytest.raises(Rejected, match="nobody has registered an agreement 'one'") as unknown:
            await append([planned("one", "visit")], OTHER, restricted=False)
        assert (unknown.value.rule, unknown.value.positions) == ("unknown-agreement", ())
        with pytest.raises(VersionMismatch) as mismatch:
            await append([planned("one", "visit")], OTHER, restricted=False, expect=1)
        assert mismatch.value.current == 0
        with pytest.raises(Rejected) as taken:
            await append([founded("one", "public", "mine")], OTHER, restricted=False)
        assert taken.value.rule == "id-taken"
        with pytest.raises(IdentityTaken) as identity:
            await append([founded("two", "public", "one-registered")], OTHER, restricted=False)
        assert identity.value.position is None
        assert [one.version for one in await append([planned("one", "visit")], OTHER)] == [2]


async def test_in_one_group_a_request_does_not_see_what_another_has_restricted(opened: Open):
    async with opened(started=False) as store:
        append = store.sequencer.append
        first = asyncio.create_task(append([founded("one", "restricted")], OTHER))
        second = asyncio.create_task(append([planned("one", "visit")], "somebody", restricted=False))
        third = asyncio.create_task(
            append([founded("two", "public", "one-registered")], "x", restricted=False)
        )
        await asyncio.sleep(0)
        store.sequencer.start()
        assert [one.position for one in await first] == [1]
        with pytest.raises(Rejected, match="nobody has registered"):
            await second
        with pytest.raises(IdentityTaken):
            await third


async def test_whoever_founds_a_restricted_agreement_goes_on_within_the_batch(opened: Open):
    async with opened() as store:
        batch = [founded("one", "restricted"), planned("one", "visit")]
        first = await store.sequencer.append(batch, OTHER, restricted=False)
        again = await store.sequencer.append(batch, OTHER, restricted=False)
        assert [one.position for one in first] == [one.position for one in again] == [1, 2]
        with pytest.raises(Rejected):
            await store.sequencer.append([planned("one", "other")], OTHER, restricted=False)
