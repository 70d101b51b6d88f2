"""Where things stand in the drawings."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from domain.conftest import B, Log
from registry.domain.compare import compare
from registry.domain.view import view
from registry.projections.activity import Counted, Turn
from registry.ui.agreement import with_zone
from registry.ui.changes import differences
from registry.ui.svg.axes import LEFT, WIDTH, axes
from registry.ui.svg.columns import LEAST, columns
from registry.ui.svg.scale import Scale
from registry.ui.svg.stacked import OF_ONE, stacked

TODAY = date(2026, 11, 21)


def test_days_keep_their_order_and_near_ones_stay_apart():
    days = [date(1990, 1, 1), date(2025, 7, 15), date(2025, 7, 16), TODAY]
    scale = Scale(days, 0, 700)
    places = [scale.x(day) for day in days]
    assert places[0] == 0
    assert places[-1] == 700
    assert places == sorted(places)
    assert places[2] - places[1] > 40
    assert scale.x(date(1900, 1, 1)) == 0
    assert scale.x(date(2100, 1, 1)) == 700
    assert places[0] < scale.x(date(2000, 1, 1)) < places[1]


def test_a_single_day_stands_in_the_middle():
    scale = Scale([TODAY, date.max, date.min], 0, 100)
    assert scale.x(TODAY) == 50
    assert [tick.now for tick in scale.ticks(TODAY, 60)] == [True]


def test_days_that_would_touch_are_written_in_two_rows_or_not_at_all():
    days = [date(2025, 1, 1) + timedelta(days=number) for number in range(60)]
    ticks = Scale(days, 0, 300).ticks(days[30], 60)
    assert days[30] in {tick.day for tick in ticks}
    assert 6 <= len(ticks) < 20
    for row in (0, 1):
        places = [tick.x for tick in ticks if tick.row == row]
        assert all(b - a >= 60 for a, b in pairwise(places))


@pytest.fixture
def log() -> Log:
    log = Log()
    log.post(
        "registered",
        title={"en": "A letter"},
        parties=[{"id": id, "kind": "other", "name": {"en": id}} for id in ("pak", "slv")],
        entry_mode="on-signature",
        id="founds",
    )
    return log


def both(day: str) -> dict[str, object]:
    return {"signatures": [{"party": "pak"}, {"party": "slv"}], "occurred": day}


def test_a_day_is_a_point_a_range_a_bar_and_an_open_range_reaches_the_edge(log: Log):
    log.post("signed", **both("2025-07-16"))
    log.post("engagement-held", engagement_id="v", kind="visit", start="../2025-07-15", end="2025-07/..")
    drawn = axes(log.state, TODAY)
    (group,) = drawn.groups
    undated, signed, visit = group.rows
    assert undated.marks == ()
    assert signed.marks[0].x == signed.marks[0].until
    start, end = visit.marks
    assert (start.x, start.open_start) == (LEFT, True)
    assert (end.until, end.open_end) == (WIDTH, True)
    assert visit.label_end is False or visit.label_x > LEFT


def test_the_ground_tells_what_each_day_was_taken_for_as_known_then(log: Log):
    log.post("signed", **both("2025-07-16"))
    drawn = axes(log.state, TODAY)
    known = [(tint.status, tint.y) for tint in drawn.tints]
    assert [status for status, _ in known] == ["registered", "registered", "in-force"]
    assert known[0][1] < known[1][1] == known[2][1]
    assert [tint.status for tint, _, _ in drawn.bands] == ["registered", "in-force"]


def test_what_another_source_tells_stands_under_a_heading_of_its_own(log: Log):
    log.post("classified", kind="loi", source=B)
    assert [group.source for group in axes(log.state, TODAY).groups] == [log.state.founder[0], B]


def test_a_corrected_event_is_marked_and_its_correction_stands(log: Log):
    log.post("signed", id="s", **both("2025-07-16"))
    target = {"source": log.state.founder[0], "id": "s", "type": "agreement.signed.v1"}
    log.post("event-corrected", target=target, replacement=both("2025-07-15"), reason="x", kind="entry-error")
    told = [row.events[0] for row in axes(log.state, TODAY).groups[0].rows if row.marks]
    assert [one.stands for one in told] == [False, True]
    log.post("event-retracted", target={"source": log.state.founder[0], "id": "s"}, reason="x")
    told = [one for row in axes(log.state, TODAY).groups[0].rows for one in row.events]
    assert [one.stands for one in told] == [True, False, False, True]


def test_of_very_many_events_the_last_are_drawn(log: Log):
    for number in range(130):
        log.post("commitment-made", commitment_id=f"c{number}", text={"en": "t"}, by=["pak"], strength="aim")
    drawn = axes(log.state, TODAY)
    assert drawn.earlier == 11
    assert sum(len(row.events) for group in drawn.groups for row in group.rows) == 120


def test_columns_rise_with_the_square_root_and_nothing_has_none():
    drawn = columns([Counted(time="2026-11", events=100)], [Counted(time="2026-09", events=1)], "2026-11")
    first, between, last = drawn.columns
    assert (first.month, first.down, first.down_height) == ("2026-09", 1, 9.6)
    assert (between.up_height, between.down_height) == (0, 0)
    assert last.up_height == 96
    tiny = columns(
        [Counted(time="2026-11", events=1_000_000)], [Counted(time="2026-11", events=1)], "2026-11"
    )
    assert tiny.columns[0].down_height == LEAST


def test_columns_end_with_the_month_asked_for_and_begin_two_years_before_at_most():
    drawn = columns([Counted(time="1999-01", events=1), Counted(time="2030-01", events=9)], [], "2026-11")
    assert len(drawn.columns) == 24
    assert drawn.columns[-1].month == "2026-11"
    assert [each.month for each in drawn.columns if each.marked] == ["2024-12", "2025-01", "2026-01"]
    assert len(columns([], [], "2026-11").columns) == 1


def test_areas_are_stacked_in_steps_and_told_in_numbers():
    turns = (
        Turn("0001-01-01", "registered", 2),
        Turn("2025-07-16", "in-force", 2),
        Turn("2025-07-16", "registered", -2),
        Turn("2026-01-01", "in-force", -1),
        Turn("2026-01-01", "expired", 1),
        Turn("2030-01-01", "expired", 1),
    )
    drawn = stacked(turns, TODAY)
    assert [(area.status, area.now) for area in drawn.areas] == [("in-force", 1), ("expired", 1)]
    assert drawn.most == 2
    assert drawn.height == 2 * OF_ONE
    assert drawn.table[-1] == (TODAY, (1, 1))
    assert all(area.path.startswith("M") and area.path.endswith("Z") for area in drawn.areas)


def test_without_any_course_there_is_no_area():
    assert stacked((), TODAY).areas == ()


def test_a_long_past_is_cut_off():
    assert stacked((Turn("1648-10-24", "in-force", 1),), TODAY).first == date(1996, 1, 1)


def test_differences_are_told_by_field_with_the_names_of_parts(log: Log):
    before = view(log.state, TODAY)
    log.post("cooperation-area-added", area_id="a", label={"en": "Trade"}, state="agreed")
    log.post("term-set", start="2020", end="2021", auto_renew=False)
    log.post("follow-up-scheduled", follow_up_id="f", text={"en": "Report"}, due="2025")
    log.post("title-given", title={"ur": "خط"}, source=B)
    log.post("signed", **both("2020-01-01"))
    after = view(log.state, TODAY)
    told = {each.field: each for each in differences(compare(before, after), before, after)}
    assert told["areas"].added == ({"en": "Trade"},)
    assert told["signatures"].added == ({"en": "pak"}, {"en": "slv"})
    assert (told["status_label"].before, told["status_label"].after) == ("registered", "expired")
    assert "overdue" in told["flags"].added
    assert told["since"].after
    assert told["title"].after["ur"] == "خط"
    assert told["term"].counts is None
    assert told["awaiting"].counts[1] == 0
    back = {each.field: each for each in differences(compare(after, before), after, before)}
    assert back["areas"].removed == ({"en": "Trade"},)
    assert "overdue" in back["flags"].removed
    log.post("cooperation-area-added", area_id="a", label={"en": "Trade"}, state="prospective", source=B)
    later = view(log.state, TODAY)
    told = {each.field: each for each in differences(compare(after, later), after, later)}
    assert told["areas"].changed == ({"en": "Trade"},)


def test_a_time_from_a_browser_is_given_a_zone():
    assert with_zone("2025-07-16T10:00") == "2025-07-16T10:00:00Z"
    assert with_zone("2025-07-16T10:00:05") == "2025-07-16T10:00:05Z"
    assert with_zone("29") == "29"
    assert with_zone(None) is None
