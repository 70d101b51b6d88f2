import json

import pytest

from domain.conftest import A, B
from projections.reading import AGREEMENT, REPORT_A, REPORT_B, Stream, build, build_from, items, told
from registry.domain.events.event import EVENT_TYPES, read
from registry.projections.columns import NESTED
from registry.projections.sources import CLAIMED, LIST, SOURCES
from store.conftest import Opened

C = "https://c.example/"


def rows(log: Stream) -> dict[str, dict]:
    assert log.state is not None
    return {row["source"]: row for row in SOURCES.rows(log.state)[""]}


def area(log: Stream, source: str, state: str, id_: str = "identity"):
    return log.post(
        "cooperation-area-added",
        source=source,
        area_id=id_,
        label={"en": id_},
        state=state,
        id=f"{id_}-{source}",
    )


@pytest.fixture
def log() -> Stream:
    return Stream("one")


def test_a_source_counts_its_events_that_stand_and_the_values_that_they_claim(log: Stream) -> None:
    log.signed("2025-07-16", place={"name": "San Salvador"})
    wrong = log.post("classified", kind="mou")
    log.correct(wrong, kind="loi")
    planned = log.post("engagement-planned", engagement_id="m1", kind="meeting", certainty="expected")
    log.retract(planned)
    (row,) = rows(log).values()
    assert row["events"] == 3
    claims = {name: number for name, number in row.items() if name.startswith("of_") and number}
    assert claims == {"of_title": 1, "of_signature": 4, "of_kind": 1}
    assert (row["disputed"], row["disputes"]) == (0, None)


def test_a_dispute_names_whose_claims_cannot_be_right_as_well(log: Stream) -> None:
    area(log, A, "agreed")
    area(log, B, "prospective")
    area(log, C, "agreed")
    found = {source: json.loads(row["disputes"]) for source, row in rows(log).items()}
    assert {source: dispute["others"] for source, dispute in found.items()} == {A: [B], B: [A, C], C: [B]}
    assert found[A]["predicate"] == "area.identity.state"


def test_dates_that_meet_are_no_dispute_though_others_beside_them_are(log: Stream) -> None:
    log.signed("2025-07-16")
    log.signed("2025-07", source=B)
    log.signed("2025-08", source=C)
    others = {
        source: [json.loads(line)["others"] for line in row["disputes"].split("\n")]
        for source, row in rows(log).items()
    }
    assert others == {A: [[C], [C]], B: [[C], [C]], C: [[A, B], [A, B]]}


def test_what_is_settled_or_an_outlook_is_no_dispute(log: Stream) -> None:
    chosen = area(log, A, "agreed")
    area(log, B, "prospective")
    log.resolve("area.identity.state", chosen)
    for source in (A, B):
        log.post(
            "fact-recorded",
            source=source,
            fact_id="f1",
            about="pak",
            predicate="future",
            text={"en": source},
            outlook=True,
        )
    assert [row["disputed"] for row in rows(log).values()] == [0, 0]


def test_an_outlook_beside_disputed_claims_takes_no_side(log: Stream) -> None:
    for source, more in ((A, {}), (B, {}), (C, {"outlook": True})):
        text = {"en": f"as {source} says"}
        log.post(
            "fact-recorded", source=source, fact_id="f1", about="pak", predicate="future", text=text, **more
        )
    assert {source: row["disputed"] for source, row in rows(log).items()} == {A: 1, B: 1, C: 0}


CASES: list[tuple[dict, list[tuple[str, int, int]]]] = [
    ({}, [(A, 2, 1), (B, 1, 1), (C, 1, 0)]),
    ({"source": A}, [(A, 2, 1)]),
    ({"agreement": "other"}, [(A, 1, 0), (C, 1, 0)]),
    ({"party": "slv"}, [(A, 2, 1), (B, 1, 1), (C, 1, 0)]),
    ({"party": "fra"}, []),
    ({"disputed": True}, [(A, 2, 1), (B, 1, 1)]),
    ({"disputed": False}, [(C, 1, 0)]),
    ({"disputed": False, "agreement": "other"}, [(A, 1, 0), (C, 1, 0)]),
]


def test_there_is_a_column_for_whatever_can_be_claimed() -> None:
    examples = (read(name, body) for name, one in EVENT_TYPES.items() for body in one.examples)
    assert {predicate.partition(".")[0] for data in examples for predicate, _ in data.claims()} == set(
        CLAIMED
    )


async def test_the_list_adds_up_what_a_source_says_of_all_agreements(store: Opened) -> None:
    one, other = Stream("one"), Stream("other")
    area(one, A, "agreed")
    area(one, B, "prospective")
    other.post("classified", source=C, kind="loi")
    await build_from(store, SOURCES, one, other)
    for filters, found in CASES:
        listed = [(item.source, item.agreements, item.disputed) for item in items(store, LIST, **filters)]
        assert listed == found, filters
    assert [item.source for item in items(store, LIST, sort="-source")] == [C, B, A]
    assert [item.events for item in items(store, LIST)] == [3, 1, 1]
    assert [(item.claims, item.claimed) for item in items(store, LIST)] == [
        (3, {"area": 1, "title": 2}),
        (1, {"area": 1}),
        (1, {"kind": 1}),
    ]


async def test_only_the_first_disputes_are_listed_but_all_are_counted(store: Opened) -> None:
    one, other = Stream("one"), Stream("other")
    for number in range(NESTED):
        for log in (one, other):
            area(log, A, "agreed", f"{log.subject}-{number:03}")
            area(log, B, "prospective", f"{log.subject}-{number:03}")
    await build_from(store, SOURCES, other, one)
    item, _ = items(store, LIST)
    assert (item.disputed, len(item.disputes)) == (2 * NESTED, NESTED)
    assert {dispute.agreement for dispute in item.disputes} == {"one"}
    assert [dispute.predicate for dispute in item.disputes] == sorted(one.predicate for one in item.disputes)


async def test_the_reports_of_the_story_dispute_one_claim(store: Opened) -> None:
    await store.append(*told())
    await build(store, SOURCES)
    a, b = items(store, LIST)
    assert (a.source, a.events, b.source, b.events) == (REPORT_A, 29, REPORT_B, 42)
    for item, other in ((a, REPORT_B), (b, REPORT_A)):
        (dispute,) = item.disputes
        assert (dispute.agreement, dispute.predicate) == (AGREEMENT, "area.digital-identity.state")
        assert dispute.others == (other,)
    about = {
        "area": 11,
        "entry_mode": 1,
        "fact": 12,
        "kind": 1,
        "legal_character": 1,
        "signature": 4,
        "title": 1,
    }
    assert (b.claims, b.claimed) == (sum(about.values()), about)
