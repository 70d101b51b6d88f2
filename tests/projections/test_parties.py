"""Parties and pairs of them, put together from what each agreement says."""

import random
from collections import Counter
from datetime import date
from pathlib import Path
from typing import Any

import pytest

import uk_data
from conftest import campaign
from domain.conftest import B, Log
from projections.reading import AGREEMENT, Stream, build, items, on, told
from registry.access import EVERYTHING
from registry.errors import NotFound
from registry.projections.agreements import AGREEMENTS
from registry.projections.parties import LIST, PARTIES
from registry.projections.party_pages import PAIR_LIST, pair_view, party_view
from store.conftest import Opened

TODAY = date(2026, 1, 1)


def party(id: str, kind: str = "state", **more: Any) -> dict[str, Any]:
    return {"id": id, "kind": kind, "name": {"en": id.upper()}, **more}


def between(subject: str, one: dict[str, Any], other: dict[str, Any], **more: Any) -> Log:
    log = Log(subject)
    log.post("registered", id=f"{subject}-1", title={"en": subject}, parties=[one, other], **more)
    return log


def rows(log: Log) -> list[dict[str, Any]]:
    assert log.state is not None
    return list(PARTIES.rows(log.state).get("", ()))


def test_each_party_of_an_agreement_has_a_row() -> None:
    one, other = rows(between("abc", party("fra", country="FRA"), party("uno", "organisation")))
    assert (one["party"], one["partner"], one["kind"], one["country"]) == ("fra", "uno", "state", "FRA")
    assert (other["party"], other["partner"], other["kind"], other["country"]) == (
        "uno",
        "fra",
        "organisation",
        None,
    )
    assert (one["name"], one["name_order"], one["visibility"]) == ('{"en":"FRA"}', "fra", "public")


def test_names_in_further_languages_come_from_every_source() -> None:
    log = between("abc", party("fra"), party("deu"))
    german = {**party("deu"), "name": {"de": "Deutschland", "en": "Federal Republic of Germany"}}
    log.post("registered", source=B, title={"de": "x"}, parties=[german, party("fra")])
    assert [row["name"] for row in rows(log)] == ['{"en":"FRA"}', '{"de":"Deutschland","en":"DEU"}']


def test_a_party_without_an_english_name_is_sorted_by_its_first() -> None:
    log = between("abc", {**party("sau"), "name": {"fr": "Émirats", "ar": "x"}}, party("deu"))
    assert rows(log)[0]["name_order"] == "x"


def test_an_agreement_whose_founding_event_was_erased_has_no_parties() -> None:
    log = Stream("one")
    log.erase(log.events[0], 0)
    assert rows(log) == []


@pytest.fixture
async def three(store: Opened) -> Opened:
    """France has three agreements, one of which calls it otherwise; two of them are with Germany."""
    france = {**party("fra", country="FRA"), "name": {"en": "France"}}
    republic = {**party("fra", country="FRA"), "name": {"en": "A Republic"}}
    first = between("one", france, party("deu", country="DEU"), kind="treaty", entry_mode="on-signature")
    first.post("signed", id="s1", occurred="2025-07", signatures=[{"party": "fra"}, {"party": "deu"}])
    second = between("two", party("deu", country="DEU"), republic, kind="treaty")
    second.post("signed", id="s2", occurred="../2024-05-01", signatures=[{"party": "fra"}])
    third = between("three", france, party("uno", "organisation"))
    for log in (first, second, third):
        await store.append(*log.posted)
    await build(store, AGREEMENTS, PARTIES)
    return store


CASES: list[tuple[dict[str, Any], list[tuple[str, int]]]] = [
    ({}, [("deu", 2), ("fra", 3), ("uno", 1)]),
    ({"id": ("uno", "deu", "xyz")}, [("deu", 2), ("uno", 1)]),
    ({"kind": "organisation"}, [("uno", 1)]),
    ({"country": "FRA"}, [("fra", 3)]),
    ({"partner": "deu"}, [("fra", 2)]),
    ({"partner": "fra"}, [("deu", 2), ("uno", 1)]),
    ({"partner": "xyz"}, []),
]


async def test_every_filter_of_parties_keeps_what_it_says(three: Opened) -> None:
    for filters, found in CASES:
        assert [(item.id, item.agreements) for item in items(three, LIST, **filters)] == found, filters


async def test_a_party_is_described_as_most_of_its_agreements_do(three: Opened) -> None:
    _, france, _ = items(three, LIST)
    assert (france.name, france.kind, france.country) == ({"en": "France"}, "state", "FRA")
    (alike,) = items(three, LIST, partner="deu")  # one agreement says this, one that
    assert alike.name == {"en": "A Republic"}


async def test_parties_can_be_sorted(three: Opened) -> None:
    sorts = {"name": "deu fra uno", "-name": "uno fra deu", "agreements": "uno deu fra", "-id": "uno fra deu"}
    for sort, found in sorts.items():
        assert [item.id for item in items(three, LIST, sort=sort)] == found.split(), sort


async def test_pairs_are_counted_once_whoever_is_named_first(three: Opened) -> None:
    every = [(pair.one, pair.other, pair.agreements) for pair in items(three, PAIR_LIST)]
    assert every == [("deu", "fra", 2), ("fra", "uno", 1)]
    assert [pair.other for pair in items(three, PAIR_LIST, party="uno")] == ["uno"]
    assert [pair.one for pair in items(three, PAIR_LIST, sort="-agreements")] == ["deu", "fra"]
    assert items(three, PAIR_LIST, party="xyz") == []


async def test_a_party_shows_where_its_agreements_stand(three: Opened) -> None:
    with three.reading.connect() as connection:
        france, position = party_view(connection, "fra", TODAY, sight=EVERYTHING)
        before, _ = party_view(connection, "fra", on("2025-06-30"), sight=EVERYTHING)
    assert (position, france.agreements, france.on) == (5, 3, TODAY)
    assert france.statuses == {"in-force": 1, "partially-signed": 1, "registered": 1}
    assert france.kinds == {"treaty": 2, "unspecified": 1}
    assert [(partner.id, partner.agreements) for partner in france.partners] == [("deu", 2), ("uno", 1)]
    assert (france.first_signed, france.last_signed) == (None, "2025-07-31")
    assert before.statuses == {"partially-signed": 1, "registered": 2}


async def test_a_pair_shows_what_is_between_the_two_alone(three: Opened) -> None:
    with three.reading.connect() as connection:
        pair, _ = pair_view(connection, "fra", "uno", TODAY, sight=EVERYTHING)
        assert [(one.id, one.agreements) for one in pair.parties] == [("fra", 1), ("uno", 1)]
        assert (pair.statuses, pair.first_signed, pair.last_signed) == ({"registered": 1}, None, None)
        one, _ = pair_view(connection, "fra", "deu", TODAY, sight=EVERYTHING)
        other, _ = pair_view(connection, "deu", "fra", TODAY, sight=EVERYTHING)
    assert one.parties == other.parties[::-1]
    assert (one.statuses, one.kinds, one.agreements) == (other.statuses, other.kinds, 2)


async def test_a_party_that_only_one_read_model_knows_yet_has_no_standing(store: Opened) -> None:
    await build(store, AGREEMENTS)
    await store.append(*between("one", party("fra"), party("deu")).posted)
    await build(store, PARTIES)
    with store.reading.connect() as connection:
        france, position = party_view(connection, "fra", TODAY, sight=EVERYTHING)
    assert (france.agreements, france.statuses, france.first_signed, france.last_signed) == (
        0,
        {},
        None,
        None,
    )
    assert position == 0


async def test_a_party_or_a_pair_without_agreements_is_not_found(three: Opened) -> None:
    with three.reading.connect() as connection:
        with pytest.raises(NotFound, match="has a party 'xyz'"):
            party_view(connection, "xyz", TODAY, sight=EVERYTHING)
        for a, b in (("deu", "uno"), ("fra", "fra"), ("xyz", "fra")):
            with pytest.raises(NotFound, match="between"):
                pair_view(connection, a, b, TODAY, sight=EVERYTHING)


async def test_the_parties_of_the_story_are_described_by_both_reports(store: Opened) -> None:
    await store.append(*told())
    await build(store, AGREEMENTS, PARTIES)
    with store.reading.connect() as connection:
        pair, _ = pair_view(connection, "slv", "pak", TODAY, sight=EVERYTHING)
    assert [(one.id, one.country) for one in pair.parties] == [("slv", "SLV"), ("pak", "PAK")]
    assert (pair.statuses, pair.kinds) == ({"in-force": 1}, {"loi": 1})
    assert AGREEMENT.startswith("pak-slv")


async def test_the_parties_of_the_united_kingdoms_treaties_are_counted(store: Opened, shared: Path) -> None:
    sample = random.Random(5).sample(uk_data.read_rows(shared), campaign(3000))
    events = list(uk_data.posted(sample))
    for start in range(0, len(events), 500):
        await store.append(*events[start : start + 500])
    await build(store, AGREEMENTS, PARTIES)
    expected = Counter(
        one["id"] for event in events if "registered.v1" in event.type for one in event.body["parties"]
    )
    assert {item.id: item.agreements for item in items(store, LIST)} == expected
    with store.reading.connect() as connection:
        kingdom, _ = party_view(connection, "gbr", TODAY, sight=EVERYTHING)
    counted = sum(kingdom.statuses.values()), sum(kingdom.kinds.values())
    assert {kingdom.agreements, *counted} == {expected["gbr"]}
