"""Parts that were merged are one, through chains, until the merge is retracted."""

from registry.domain.agreement import fold
from registry.domain.merges import dropped_ids, kept_id, merged

A = "https://a.example/"
B = "https://b.example/"


def test_a_part_that_was_not_merged_is_kept_as_itself(log):
    assert kept_id(log.state, "area", "a") == "a"
    assert dropped_ids(log.state, "area", "a") == ()


def test_merges_chain(log):
    log.merge("area", "b", "a")
    log.merge("area", "c", "b")
    assert [kept_id(log.state, "area", part) for part in "abc"] == ["c", "c", "c"]
    assert dropped_ids(log.state, "area", "c") == ("a", "b")
    assert kept_id(log.state, "engagement", "a") == "a"


def test_a_part_dropped_into_two_joins_them_under_the_lower_id(log):
    log.merge("area", "c", "a")
    log.merge("area", "b", "a")
    assert dict(merged(log.state)) == {("area", "a"): "b", ("area", "c"): "b"}


def test_a_retracted_merge_separates_again(log):
    log.merge("area", "b", "a")
    second = log.merge("area", "c", "b")
    log.retract(second)
    assert kept_id(log.state, "area", "a") == "b"


def test_the_claims_of_merged_areas_stand_under_the_kept_one(log):
    log.post("cooperation-area-added", area_id="a", label={"en": "a"}, state="agreed", source=A)
    log.post("cooperation-area-added", area_id="b", label={"en": "b"}, state="prospective", source=B)
    assert log.view().disputed == ()
    log.merge("area", "b", "a")
    assert log.view().disputed == ("area.b.state",)
    (area,) = log.view().areas
    assert (area.area_id, area.merged_ids, len(area.claims)) == ("b", ("a",), 2)


def test_a_merge_of_what_was_retracted_stays_and_says_so(log):
    added = log.post("cooperation-area-added", area_id="a", label={"en": "a"}, state="agreed")
    log.post("cooperation-area-added", area_id="b", label={"en": "b"}, state="agreed")
    merge = log.merge("area", "b", "a")
    (shown,) = log.view().merges
    assert (shown.what, shown.kept_id, shown.dropped_id, shown.dangling) == ("area", "b", "a", False)
    assert shown.by.position == merge.position
    log.retract(added)
    assert log.view().merges[0].dangling


def test_merges_that_loop_for_a_moment_in_a_reordered_log_do_no_harm(log):
    one = log.merge("area", "b", "a")
    log.retract(one)
    other = log.merge("area", "a", "b")
    state = fold(None, [log.events[0], one, other])
    assert kept_id(state, "area", "b") == kept_id(state, "area", "a") == "a"
