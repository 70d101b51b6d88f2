"""Engagements: what became of each by a day, and which may be the same."""

import pytest

A = "https://a.example/"
B = "https://b.example/"
C = "https://c.example/"
INFERRED = [{"publication_id": "p", "basis": "inferred"}]


@pytest.fixture
def shown(log):
    """The one engagement as shown on a day."""

    def on(day):
        (one,) = log.view(day).engagements
        return one

    return on


def plan(log, source=A, id_="v", **data):
    return log.post(
        "engagement-planned",
        source=source,
        **{"engagement_id": id_, "kind": "visit", "certainty": "expected", **data},
    )


def hold(log, start, source=A, id_="v", **data):
    return log.post(
        "engagement-held", source=source, **{"engagement_id": id_, "kind": "visit", "start": start, **data}
    )


def test_a_planned_engagement_stays_planned_until_it_is_held(log, shown):
    plan(log, when="2025-10")
    assert (shown("2026-01-01").state, shown("2026-01-01").when) == ("planned", "2025-10")
    hold(log, "2025-10-12", end="2025-10-14")
    assert (shown("2025-10-11").state, shown("2025-10-11").when) == ("planned", "2025-10")
    assert (shown("2025-10-12").state, shown("2025-10-12").when) == ("held", "2025-10-12")
    assert shown("2025-10-12").end == "2025-10-14"


def test_the_name_that_a_plan_gave_stays_until_what_was_held_is_given_another(log, shown):
    plan(log, when="2025-10", label={"en": "State visit"}, place={"name": "Lahore", "country": "PAK"})
    hold(log, "2025-10-12")
    assert (shown("2025-10-12").label, shown("2025-10-12").place) == ({"en": "State visit"}, None)
    hold(log, "2025-10-12", source=B, label={"en": "Visit of the president"})
    assert shown("2025-10-12").label == {"en": "Visit of the president"}


def test_held_counts_over_cancelled_and_cancelled_over_planned(log, shown):
    plan(log, when="2025-10")
    log.post("engagement-cancelled", engagement_id="v", occurred="2025-09-01")
    assert shown("2025-08-31").state == "planned"
    assert shown("2025-09-01").state == "cancelled"
    hold(log, "2025-10-12", source=B)
    assert shown("2025-10-11").state == "cancelled"
    assert shown("2025-10-12").state == "held"


def test_the_latest_rescheduling_by_a_day_counts(log, shown):
    plan(log, when="2025-10")
    log.post("engagement-rescheduled", engagement_id="v", occurred="2025-09-01", when="2025-11")
    log.post("engagement-rescheduled", source=B, engagement_id="v", occurred="2025-09-15", when="2025-12")
    assert shown("2025-08-31").when == "2025-10"
    assert shown("2025-09-01").when == "2025-11"
    assert shown("2025-09-15").when == "2025-12"


def test_of_reschedulings_on_one_day_that_of_the_lowest_identity_counts(log, shown):
    plan(log, when="2025-10")
    log.post("engagement-rescheduled", source=B, engagement_id="v", occurred="2025-09-01", when="2025-12")
    log.post("engagement-rescheduled", source=A, engagement_id="v", occurred="2025-09-01", when="2025-11")
    assert shown("2025-09-01").when == "2025-11"


def test_what_nobody_introduced_is_of_unknown_state(log, shown):
    log.post("engagement-rescheduled", engagement_id="v", occurred="2025-09-01", when="2025-12")
    one = shown("2025-09-01")
    assert (one.state, one.kind, one.label, one.participants) == ("unknown", None, None, ())
    assert shown("2025-08-31").when is None


def test_an_undated_plan_has_no_day_and_is_listed_last(log):
    plan(log, id_="series", kind="unspecified", label={"en": "series of engagements"})
    hold(log, "2025-07-16", id_="z")
    first, last = log.view().engagements
    assert (first.engagement_id, last.engagement_id, last.when) == ("z", "series", None)
    assert (last.certainty, last.label) == ("expected", {"en": "series of engagements"})


def test_the_stated_and_narrower_report_is_shown_and_all_are_kept(log, shown):
    hold(log, "2025", source=A, topics=["everything"])
    hold(log, "2025-07-16", source=B, cites=INFERRED, topics=["guesses"])
    hold(
        log,
        "2025-07",
        source=C,
        topics=["bitcoin"],
        place={"name": "San Salvador", "country": "SLV"},
        host="slv",
    )
    one = shown("2026-01-01")
    assert (one.when, one.topics, one.place.name, one.host) == (
        "2025-07",
        ("bitcoin",),
        "San Salvador",
        "slv",
    )
    assert [(claim.source, claim.says["topics"]) for claim in one.claims] == [
        (A, ["everything"]),
        (C, ["bitcoin"]),
        (B, ["guesses"]),
    ]


def duplicates(log):
    return {one.engagement_id: one.possible_duplicates for one in log.view().engagements}


def test_two_of_one_kind_from_different_sources_on_common_days_may_be_the_same(log):
    hold(log, "2025-07-16", source=B, id_="m-b", kind="meeting")
    hold(log, "../2025-07-17", source=A, id_="m-a", kind="meeting")
    hold(log, "2025-07-16", source=A, id_="visit", kind="visit")
    assert duplicates(log) == {"m-b": ("m-a",), "m-a": ("m-b",), "visit": ()}


def test_a_plan_and_what_was_held_may_be_the_same(log):
    plan(log, source=B, id_="plan", when="2025-07")
    hold(log, "2025-07-16", source=A, id_="held")
    assert duplicates(log) == {"plan": ("held",), "held": ("plan",)}


def test_what_one_source_tells_apart_is_not_the_same(log):
    hold(log, "2025-07-16", source=A, id_="x")
    hold(log, "2025-07-16", source=A, id_="y")
    assert duplicates(log) == {"x": (), "y": ()}
    hold(log, "2025-07-16", source=B, id_="x")
    hold(log, "2025-07-16", source=B, id_="z")
    assert duplicates(log) == {"x": (), "y": ("z",), "z": ("y",)}


def test_the_days_of_an_engagement_reach_to_its_end(log):
    hold(log, "2025-07-14", end="2025-07-18", source=A, id_="x")
    hold(log, "2025-07-18", source=B, id_="y")
    hold(log, "2025-07-19", source=C, id_="z")
    assert duplicates(log) == {"x": ("y",), "y": ("x",), "z": ()}


def test_merged_engagements_are_one_and_no_possible_duplicates_until_the_merge_is_retracted(log):
    hold(log, "2025-07-16", source=B, id_="m-b", kind="meeting")
    hold(log, "../2025-07-17", source=A, id_="m-a", kind="meeting")
    merge = log.merge("engagement", "m-b", "m-a")
    (one,) = log.view().engagements
    assert (one.engagement_id, one.merged_ids, len(one.claims)) == ("m-b", ("m-a",), 2)
    assert (one.when, one.possible_duplicates) == ("2025-07-16", ())
    log.retract(merge)
    assert len(log.view().engagements) == 2
