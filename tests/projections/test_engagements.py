import pytest

from domain.conftest import A, B
from projections.reading import AGREEMENT, Stream, build, build_from, items, on, shown_in, told
from registry.projections.engagements import ENGAGEMENTS, LIST
from registry.projections.listing import FIRST_DAY, LAST_DAY
from store.conftest import Opened

PERSON = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"


def meeting(id_: str = "m1", **more):
    return {"engagement_id": id_, "kind": "meeting", **more}


def rows(log: Stream) -> list[dict]:
    assert log.state is not None
    return list(ENGAGEMENTS.rows(log.state)[""])


def spans(log: Stream) -> list[tuple]:
    return [(row["first"], row["last"], row["state"], row["when"]) for row in rows(log)]


@pytest.fixture
def log() -> Stream:
    return Stream("one")


def test_an_agreement_without_engagements_has_no_rows(log: Stream) -> None:
    assert rows(log) == []


def test_a_plan_has_one_row_for_all_days(log: Stream) -> None:
    log.post("engagement-planned", **meeting(when="2025-10", certainty="scheduled"))
    (row,) = rows(log)
    assert (row["first"], row["last"]) == (FIRST_DAY, LAST_DAY)
    assert (row["state"], row["when"], row["day"]) == ("planned", "2025-10", "2025-10-01")
    assert (row["earliest"], row["latest"]) == ("2025-10-01", "2025-10-31")
    assert (row["visibility"], row["one_party"], row["other_party"]) == ("public", "pak", "slv")
    shown = shown_in(rows(log), engagement_id="m1")
    assert shown["certainty"] == "scheduled"
    assert (shown["earliest"], shown["latest"]) == ("2025-10-01", "2025-10-31")


def test_each_day_has_the_row_of_what_had_become_of_it_by_then(log: Stream) -> None:
    log.post("engagement-planned", **meeting(when="2025-10-10", certainty="scheduled"))
    log.post("engagement-rescheduled", engagement_id="m1", occurred="2025-10-01", when="2025-11-05")
    log.post("engagement-held", source=B, **meeting(start="2025-11-06", end="2025-11-07"))
    assert spans(log) == [
        (FIRST_DAY, "2025-09-30", "planned", "2025-10-10"),
        ("2025-10-01", "2025-11-05", "planned", "2025-11-05"),
        ("2025-11-06", LAST_DAY, "held", "2025-11-06"),
    ]
    last = rows(log)[-1]
    assert (last["day"], last["latest"]) == ("2025-11-06", "2025-11-07")
    assert [shown_in([row], engagement_id="m1")["end"] for row in rows(log)] == [None, None, "2025-11-07"]


def test_a_plan_that_was_called_off_is_cancelled_from_that_day(log: Stream) -> None:
    log.post("engagement-planned", **meeting(when="2025-10-10", certainty="scheduled"))
    log.post("engagement-cancelled", engagement_id="m1", occurred="2025-10-02")
    assert [(first, state) for first, _, state, _ in spans(log)] == [
        (FIRST_DAY, "planned"),
        ("2025-10-02", "cancelled"),
    ]


def test_an_engagement_that_nothing_introduces_is_unknown(log: Stream) -> None:
    log.post("engagement-rescheduled", engagement_id="m1", occurred="../2025-10-02", when="2025-11")
    assert spans(log) == [
        (FIRST_DAY, "2025-10-01", "unknown", None),
        ("2025-10-02", LAST_DAY, "unknown", "2025-11"),
    ]
    before, _ = rows(log)
    assert (before["day"], before["earliest"], before["latest"]) == (LAST_DAY, FIRST_DAY, LAST_DAY)
    assert shown_in([before], engagement_id="m1")["kind"] is None


def test_open_ends_are_kept_open(log: Stream) -> None:
    log.post("engagement-held", **meeting(start="../2025-07-16", end="2025-07/.."))
    row = rows(log)[-1]
    assert (row["earliest"], row["latest"], row["day"]) == (FIRST_DAY, LAST_DAY, "2025-07-16")
    shown = shown_in([row], engagement_id="m1")
    assert (shown["earliest"], shown["latest"], shown["end"]) == (None, None, "2025-07/..")


def test_merged_engagements_are_one_and_name_what_went_into_them(log: Stream) -> None:
    log.post("engagement-held", **meeting(start="2025-07-16"))
    log.post("engagement-held", source=B, **meeting("m2", start="../2025-07-17"))
    assert [
        shown_in(rows(log), engagement_id=id_, state="held")["possible_duplicates"] for id_ in ("m1", "m2")
    ] == [
        ["m2"],
        ["m1"],
    ]
    log.merge("engagement", "m1", "m2")
    shown = shown_in(rows(log), state="held")
    assert (shown["merged_ids"], shown["sources"], shown["possible_duplicates"]) == (["m2"], 2, [])


def test_everybody_whom_any_source_names_takes_part_once(log: Stream) -> None:
    person = {"person_id": PERSON, "name": "A. Person"}
    log.post(
        "engagement-held",
        **meeting(
            start="2025-07-16", participants=[{"person": {"person_id": PERSON}}, {"institution_id": "office"}]
        ),
    )
    log.post(
        "engagement-held",
        source=B,
        **meeting(start="2025-07-16", participants=[{"person": person}, {"institution_id": "bureau"}]),
    )
    for id_ in ("office", "bureau"):
        log.post("institution-linked", institution_id=id_, name={"en": id_}, party="slv", role="mentioned")
    log.merge("institution", "office", "bureau")
    shown = shown_in(rows(log), state="held")
    assert [(who["person"] or {}).get("name") for who in shown["participants"]] == ["A. Person", None]
    assert log.state is not None
    assert ENGAGEMENTS.rows(log.state)["participant"] == [
        {"engagement_id": "m1", "person_id": PERSON, "institution_id": None},
        {"engagement_id": "m1", "person_id": None, "institution_id": "office"},
    ]


def test_an_erased_name_is_in_no_row(log: Stream) -> None:
    person = {"person": {"person_id": PERSON, "name": "A. Person"}}
    held = log.post("engagement-held", **meeting(start="2025-07-16", participants=[person]))
    assert "A. Person" in rows(log)[-1]["shown"]
    log.erase(held, 1)
    assert "A. Person" not in str(rows(log))
    (who,) = shown_in(rows(log), state="held")["participants"]
    assert who["person"] == {"person_id": PERSON, "name": None, "erased": True, "withheld": False}


async def test_the_list_is_for_the_day_asked_for(store: Opened, log: Stream) -> None:
    log.post("engagement-planned", **meeting(when="2025-10-10", certainty="scheduled"))
    log.post("engagement-held", source=B, **meeting(start="2025-10-12"))
    await build_from(store, ENGAGEMENTS, log)
    assert [item.state for item in items(store, LIST, valid_as_of=on("2025-10-11"))] == ["planned"]
    assert [item.state for item in items(store, LIST, valid_as_of=on("2025-10-12"))] == ["held"]
    assert items(store, LIST, valid_as_of=on("2025-10-11"), state=("held",)) == []


CASES: list[tuple[dict, list[str]]] = [
    ({}, ["m1", "visit", "next", "series"]),
    ({"agreement": "one"}, ["visit", "series"]),
    ({"party": "slv"}, ["m1", "visit", "next", "series"]),
    ({"party": "fra"}, []),
    ({"kind": ("visit",)}, ["visit"]),
    ({"state": ("planned", "cancelled")}, ["next", "series"]),
    ({"day_from": on("2025-07-16")}, ["visit", "next"]),
    ({"day_from": on("2025-07-17")}, ["next"]),
    ({"day_to": on("2025-07-09")}, ["m1"]),
    ({"day_from": on("2025-07-01"), "day_to": on("2025-07-31")}, ["m1", "visit"]),
    ({"place": "san  SALVADOR"}, ["visit"]),
    ({"place": "San"}, []),
    ({"country": "SLV"}, ["visit"]),
    ({"person": PERSON}, ["visit"]),
    ({"institution": "office"}, ["m1"]),
    ({"institution": "office", "kind": ("visit", "call")}, []),
]


@pytest.fixture
async def calendar(store: Opened) -> Opened:
    """Two agreements: visits and meetings with and without days, places and people."""
    one, other = Stream("one"), Stream("other")
    person = {"person": {"person_id": PERSON, "name": "A. Person"}, "on_behalf_of": "pak"}
    one.post(
        "engagement-held",
        engagement_id="visit",
        kind="visit",
        start="2025-07-10",
        end="2025-07-16",
        place={"name": "San Salvador", "country": "SLV"},
        participants=[person],
    )
    one.post("engagement-planned", **meeting("series", certainty="expected"))
    other.post(
        "engagement-held", **meeting(start="../2025-07-01", participants=[{"institution_id": "office"}])
    )
    other.post("engagement-planned", **meeting("next", when="2025-09", certainty="scheduled"))
    await build_from(store, ENGAGEMENTS, one, other)
    return store


async def test_filters_narrow_the_list(calendar: Opened) -> None:
    for filters, found in CASES:
        assert [item.engagement_id for item in items(calendar, LIST, **filters)] == found, filters


async def test_the_list_is_sorted_by_day_either_way_the_undated_last_or_first(calendar: Opened) -> None:
    backwards = [item.engagement_id for item in items(calendar, LIST, sort="-day")]
    assert backwards == ["series", "next", "visit", "m1"]


async def test_the_story_has_four_of_which_two_may_be_one(store: Opened) -> None:
    await store.append(*told())
    await build(store, ENGAGEMENTS)
    found = {item.engagement_id: item for item in items(store, LIST, agreement=AGREEMENT)}
    assert list(found) == [
        "delegation-visit",
        "meeting-in-san-salvador",
        "meeting-of-delegations",
        "further-engagements",
    ]
    assert found["meeting-in-san-salvador"].possible_duplicates == ("meeting-of-delegations",)
    assert found["meeting-of-delegations"].possible_duplicates == ("meeting-in-san-salvador",)
    assert found["delegation-visit"].latest == "2025-07-16"
    assert found["delegation-visit"].earliest is None
    assert found["further-engagements"].when is None
    assert {who.person.name for who in found["meeting-in-san-salvador"].participants if who.person} == {
        "Bilal Bin Saqib",
        "Nayib Bukele",
    }


def test_sources_are_counted_once_each(log: Stream) -> None:
    log.post("engagement-planned", source=A, **meeting(certainty="expected"))
    log.post("engagement-held", source=A, **meeting(start="2025-07-16"))
    assert shown_in(rows(log), state="held")["sources"] == 1
