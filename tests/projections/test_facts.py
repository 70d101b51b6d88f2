import pytest

from domain.conftest import A, B
from projections.reading import AGREEMENT, Stream, build, build_from, items, shown_in, told
from registry.projections.facts import FACTS, LIST
from store.conftest import Opened


def rows(log: Stream) -> list[dict]:
    assert log.state is not None
    return list(FACTS.rows(log.state)[""])


def recorded(log: Stream, id_: str = "reserve", about: str = "slv", predicate: str = "reserve", **more):
    return log.post("fact-recorded", fact_id=id_, about=about, predicate=predicate, **more)


def bitcoin(value: str, comparator: str = "gt") -> dict[str, str]:
    return {"value": value, "unit": "BTC", "comparator": comparator}


@pytest.fixture
def log() -> Stream:
    return Stream("one")


@pytest.mark.parametrize(
    ("given", "kind", "value"),
    [
        ({"quantity": bitcoin("6237")}, "quantity", "6237"),
        ({"truth": True}, "truth", "true"),
        ({"truth": False}, "truth", "false"),
        ({"date": "2021~"}, "date", "2021~"),
        ({"text": {"es": "Propuesta", "en": "Proposed"}}, "text", "Proposed"),
        ({"text": {"fr": "Proposé", "es": "Propuesta"}}, "text", "Propuesta"),
    ],
)
def test_a_value_is_one_text_whatever_its_kind(log: Stream, given: dict, kind: str, value: str) -> None:
    recorded(log, **given)
    (row,) = rows(log)
    shown = shown_in([row], fact_id="reserve")
    assert (row["value_kind"], shown["value_kind"], shown["value"]) == (kind, kind, value)


def test_a_quantity_keeps_its_unit_and_what_it_is_counted_by(log: Stream) -> None:
    price = {"value": "42000", "unit": "USD", "per": "BTC", "comparator": "approx"}
    recorded(log, quantity=price, as_of="2025-07~")
    shown = shown_in(rows(log), unit="USD")
    assert (shown["unit"], shown["per"], shown["comparator"], shown["as_of"]) == (
        "USD",
        "BTC",
        "approx",
        "2025-07~",
    )


def test_claims_that_agree_count_as_one_value_of_two_sources(log: Stream) -> None:
    recorded(log, truth=True)
    recorded(log, truth=True, source=B, confidence="high")
    shown = shown_in(rows(log), disputed=False)
    assert (shown["sources"], [claim["source"] for claim in shown["claims"]]) == (2, [A, B])
    assert shown["claims"][1]["confidence"] == "high"


def test_claims_that_differ_are_disputed_and_all_are_shown(log: Stream) -> None:
    inferred = [{"publication_id": "report", "basis": "inferred"}]
    recorded(log, quantity=bitcoin("6000"), cites=inferred)
    second = recorded(log, quantity=bitcoin("6237"), source=B)
    (row,) = rows(log)
    assert row["disputed"] is True
    shown = shown_in([row], fact_id="reserve")
    assert [(claim["value"], claim["basis"], claim["position"]) for claim in shown["claims"]] == [
        ("6237", "stated", second.position),
        ("6000", "inferred", second.position - 1),
    ]
    log.retract(second)
    assert [row["disputed"] for row in rows(log)] == [False]


def test_outlooks_are_never_disputed(log: Stream) -> None:
    recorded(log, text={"en": "It will grow."}, outlook=True)
    recorded(log, text={"en": "It will shrink."}, outlook=True, source=B)
    assert [(row["outlook"], row["disputed"]) for row in rows(log)] == [(True, False)]


CASES: list[tuple[dict, list[str]]] = [
    ({}, ["price", "policy", "reserve", "tender"]),
    ({"agreement": "other"}, ["policy"]),
    ({"party": "pak"}, ["price", "policy", "reserve", "tender"]),
    ({"party": "fra"}, []),
    ({"about": "slv"}, ["reserve", "tender"]),
    ({"predicate": "price"}, ["price"]),
    ({"value_kind": "quantity"}, ["price", "reserve"]),
    ({"unit": "USD"}, ["price"]),
    ({"outlook": True}, ["policy"]),
    ({"outlook": False}, ["price", "reserve", "tender"]),
    ({"disputed": True}, ["tender"]),
    ({"disputed": False, "about": "slv"}, ["reserve"]),
]


@pytest.fixture
async def almanac(store: Opened) -> Opened:
    one, other = Stream("one"), Stream("other")
    recorded(one, quantity=bitcoin("6237"))
    recorded(one, "tender", predicate="legal tender", truth=True)
    recorded(one, "tender", predicate="legal tender", truth=False, source=B)
    price = {"value": "123000", "unit": "USD", "per": "BTC", "comparator": "gt"}
    recorded(one, "price", "bitcoin", "price", quantity=price)
    recorded(other, "policy", "pak", "policy", text={"en": "It will come."}, outlook=True)
    await build_from(store, FACTS, one, other)
    return store


async def test_filters_narrow_the_list(almanac: Opened) -> None:
    for filters, found in CASES:
        assert [item.fact_id for item in items(almanac, LIST, **filters)] == found, filters


async def test_the_list_can_be_sorted_by_what_is_said(almanac: Opened) -> None:
    predicates = ["reserve", "price", "policy", "legal tender"]
    assert [item.predicate for item in items(almanac, LIST, sort="-predicate")] == predicates


async def test_the_story_tells_of_the_reserve_and_of_its_price(store: Opened) -> None:
    await store.append(*told())
    await build(store, FACTS)
    found = {item.fact_id: item for item in items(store, LIST, agreement=AGREEMENT)}
    assert len(found) == 22
    reserve, tender = found["slv-bitcoin-reserve"], found["first-legal-tender"]
    assert (reserve.value, reserve.unit, reserve.comparator) == ("6237", "BTC", "gt")
    assert (reserve.as_of, reserve.claims[0].basis) == ("2025-07~", "inferred")
    assert (tender.value, tender.sources) == ("true", 2)
    assert [item.fact_id for item in found.values() if item.disputed] == []
    assert sum(item.outlook for item in found.values()) == 8
