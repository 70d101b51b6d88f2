from typing import Any

import pytest

from domain.conftest import A, B, Log
from registry.domain.calendar import MOST_LETTERS, Item, items
from registry.domain.part_changes import Change, part_changes


def of(log: Log) -> list[Item]:
    assert log.state is not None
    return list(items(log.state))


def only(log: Log) -> Item:
    (item,) = of(log)
    return item


def days(log: Log) -> list[tuple[str, str]]:
    return [(item.first.isoformat(), item.last.isoformat()) for item in of(log)]


def plan(log: Log, when: str | None = "2025-10-10", id_: str = "m1", source: str = A, **more: Any) -> Any:
    dated = {} if when is None else {"when": when}
    data = {"engagement_id": id_, "kind": "meeting", "certainty": "scheduled", **dated, **more}
    return log.post("engagement-planned", source=source, **data)


def hold(log: Log, start: str, end: str | None = None, **more: Any) -> Any:
    dated = {"start": start} if end is None else {"start": start, "end": end}
    return log.post("engagement-held", **{"engagement_id": "m1", "kind": "visit", **dated, **more})


def schedule(log: Log, due: str = "2025-09-30", **more: Any) -> Any:
    return log.post(
        "follow-up-scheduled", **{"follow_up_id": "f1", "text": {"en": "Send a plan."}, "due": due, **more}
    )


def test_an_agreement_without_plans_has_nothing(log: Log):
    assert of(log) == []


def test_a_plan_is_on_its_day(log: Log):
    plan(
        log,
        label={"es": "segunda reunión", "en": "second meeting"},
        place={"name": "Islamabad", "country": "PAK", "lat": "33.7", "lon": "73.1"},
        topics=["regulation", "mining"],
    )
    assert only(log) == Item(
        agreement="pak-slv-2025",
        kind="engagement",
        part="m1",
        first=only(log).first,
        last=only(log).first,
        summary="second meeting (pak, slv)",
        description="Topics: regulation, mining\nAgreement pak-slv-2025",
        status="confirmed",
        category="Meeting",
        location="Islamabad, PAK",
        latitude="33.7",
        longitude="73.1",
        sequence=2,
        changed=2_000_000,
    )
    assert days(log) == [("2025-10-10", "2025-10-10")]


@pytest.mark.parametrize(
    ("when", "shown"),
    [
        ("2025-10-1X", [("2025-10-10", "2025-10-19")]),
        ("2025-10", [("2025-10-01", "2025-10-31")]),
        ("2025-10-05/2025-11-04", [("2025-10-05", "2025-11-04")]),
        ("2025-10-05/2025-11-05", []),
        ("2025", []),
        ("2025-10-05/..", []),
        ("../2025-10-05", []),
        ("9999-12-31", []),
        (None, []),
    ],
)
def test_an_imprecise_date_is_shown_on_its_days_if_they_are_few(log: Log, when: str | None, shown: Any):
    plan(log, when)
    assert days(log) == shown


@pytest.mark.parametrize(
    ("when", "said"),
    [
        ("2025-10-10", ""),
        ("2025-10-10~", "On 2025-10-10~\n"),
        ("2025-10", "On some day from 2025-10-01 to 2025-10-31 (told as 2025-10)\n"),
    ],
)
def test_the_description_says_how_a_date_was_told(log: Log, when: str, said: str):
    plan(log, when)
    assert only(log).description == f"{said}Agreement pak-slv-2025"


@pytest.mark.parametrize(
    ("start", "end", "shown", "said"),
    [
        ("2025-07-16", "2025-07-18", ("2025-07-16", "2025-07-18"), ""),
        ("2025-07-16", "2025-09-18", ("2025-07-16", "2025-09-18"), ""),
        ("2025-07-16", "2025-07-18~", ("2025-07-16", "2025-07-18"), "Until 2025-07-18~"),
        ("2025-07-1X", "2025-07-15", ("2025-07-10", "2025-07-19"), "On some day from 2025-07-10"),
        (
            "2025-07-16",
            "2025-07/..",
            ("2025-07-16", "2025-07-16"),
            "Until some day from 2025-07-01 to an unknown day",
        ),
    ],
)
def test_what_was_held_is_shown_to_its_last_day(log: Log, start: str, end: str, shown: Any, said: str):
    hold(log, start, end)
    assert days(log) == [shown]
    assert said in only(log).description


def test_an_end_without_a_start_that_can_be_shown_is_left_out(log: Log):
    hold(log, "../2025-07-16", "2025-07-18")
    assert days(log) == []


def test_what_was_held_says_what_came_of_it(log: Log):
    hold(log, "2025-07-16", outcome={"en": "Signed."}, place={"name": "San Salvador"})
    assert only(log).description == "Outcome: Signed.\nAgreement pak-slv-2025"
    assert only(log).summary == "Visit m1 (pak, slv)"
    assert only(log).location == "San Salvador"
    assert only(log).status == "confirmed"


def test_what_was_held_keeps_the_name_of_its_plan(log: Log):
    plan(log, label={"en": "second meeting"})
    hold(log, "2025-10-10")
    assert only(log).summary == "second meeting (pak, slv)"


def test_what_is_only_expected_is_tentative(log: Log):
    plan(log, certainty="expected")
    assert only(log).status == "tentative"


def test_what_nothing_introduces_is_shown_on_the_day_it_was_moved_to(log: Log):
    log.post("engagement-rescheduled", engagement_id="m1", occurred="2025-09-20", when="2025-11-05")
    assert days(log) == [("2025-11-05", "2025-11-05")]
    assert (only(log).summary, only(log).status) == ("Engagement m1 (pak, slv)", "tentative")


def test_a_plan_that_was_moved_is_on_its_new_day_and_one_that_was_called_off_says_so(log: Log):
    plan(log)
    log.post("engagement-rescheduled", engagement_id="m1", occurred="2025-09-20", when="2025-11-05")
    assert days(log) == [("2025-11-05", "2025-11-05")]
    log.post("engagement-cancelled", engagement_id="m1", occurred="2999-01-01")
    assert days(log) == [("2025-11-05", "2025-11-05")]
    assert only(log).status == "cancelled"


def test_a_follow_up_is_on_the_day_it_is_due(log: Log):
    schedule(log, owner="pak")
    item = only(log)
    assert days(log) == [("2025-09-30", "2025-09-30")]
    assert (item.kind, item.part, item.category, item.status) == ("follow-up", "f1", "Follow-up", "open")
    assert item.summary == "Send a plan. (pak, slv)"
    assert item.description == "Send a plan.\nTo be done by pak\nAgreement pak-slv-2025"


def test_a_follow_up_goes_with_its_new_day_and_says_what_became_of_it(log: Log):
    schedule(log)
    log.post("follow-up-progressed", follow_up_id="f1", occurred="2025-09-01", new_due="2025-12")
    assert days(log) == [("2025-12-01", "2025-12-31")]
    assert only(log).status == "progressed"
    assert only(log).description.startswith("Send a plan.\nDue some day from 2025-12-01 to 2025-12-31")
    log.post("follow-up-dropped", follow_up_id="f1", occurred="2025-09-02", reason="No money.")
    assert only(log).status == "dropped"
    log.post("follow-up-completed", follow_up_id="f1", occurred="2025-09-03")
    assert only(log).status == "completed"


def test_a_follow_up_that_nothing_schedules_or_dates_is_shown_by_what_is_known(log: Log):
    log.post("follow-up-progressed", follow_up_id="f1", occurred="2025-09-01")
    assert of(log) == []
    log.post("follow-up-progressed", source=B, follow_up_id="f1", occurred="2025-09-02", new_due="2025-12-01")
    assert only(log).summary == "Follow-up f1 (pak, slv)"


def test_a_long_text_is_cut_in_the_summary_alone(log: Log):
    text = "many words\n" * 100
    schedule(log, text={"de": text})
    assert len(only(log).summary) == MOST_LETTERS + len(" (pak, slv)")
    assert only(log).summary.startswith("many words many words")
    assert only(log).summary.endswith("… (pak, slv)")
    assert only(log).description.startswith(text)


def test_an_agreement_that_was_retracted_has_nothing_left(log: Log):
    plan(log)
    log.post("agreement-retracted", reason="There is none.")
    assert of(log) == []


def test_nobody_is_named(log: Log):
    person = {"person_id": "0b7a3c52-2f0e-4c58-8f6d-5a1f9f7f2b22", "name": "B. Delegate"}
    hold(log, "2025-07-16", participants=[{"person": person}])
    assert "Delegate" not in repr(only(log))


def test_items_are_in_the_order_of_their_days(log: Log):
    plan(log, "2025-10", id_="m1")
    plan(log, "2025-10-01", id_="m2")
    schedule(log, "2025-09-30")
    assert [item.part for item in of(log)] == ["f1", "m2", "m1"]


def sequence(log: Log) -> int:
    return only(log).sequence


def test_the_sequence_grows_with_every_event_about_an_item_and_no_other(log: Log):
    first = plan(log)
    assert sequence(log) == 2
    log.signed("2025-07-16")
    assert sequence(log) == 2
    moved = log.post("engagement-rescheduled", engagement_id="m1", occurred="2025-09-20", when="2025-11-05")
    assert sequence(log) == 4
    correction = log.correct(first, engagement_id="m1", kind="meeting", certainty="expected", when="2025-10")
    assert sequence(log) == 5
    log.correct(correction, engagement_id="m1", kind="call", certainty="expected", when="2025-10")
    assert sequence(log) == 6
    log.retract(moved)
    assert (sequence(log), only(log).changed) == (7, 7_000_000)


def test_the_sequence_grows_when_items_are_merged_and_parted(log: Log):
    plan(log, id_="m1")
    plan(log, id_="m2", source=B)
    merge = log.merge("engagement", "m1", "m2")
    assert sequence(log) == 4
    log.retract(merge)
    assert [item.sequence for item in of(log)] == [5, 5]


def erase(log: Log, target: Any) -> None:
    made = log.make(
        "personal-data-erased", target={"source": target.source, "id": target.id}, parts=[0], legal_basis="x"
    )
    log.record(made)


def test_the_sequence_never_goes_back_also_when_an_event_is_erased(log: Log):
    plan(log)
    moved = log.post("engagement-rescheduled", engagement_id="m1", occurred="2025-09-20", when="2025-11-05")
    log.retract(moved)
    assert sequence(log) == 4
    erase(log, moved)
    assert sequence(log) == 5
    plan(log, id_="m2")
    assert [item.sequence for item in of(log)] == [5, 6]


def test_what_is_about_no_part_changes_none(log: Log):
    assert log.state is not None
    founding = log.events[0]
    log.correct(founding, title={"en": "Another"}, parties=log.body(founding)["parties"])
    log.merge("area", "a", "b")
    assert set(part_changes(log.state)) == {("area", "a")}
    schedule(log)
    assert part_changes(log.state)["follow-up", "f1"] == Change(4, 4_000_000)


def test_a_correction_of_what_is_not_there_changes_its_own_part(log: Log):
    assert log.state is not None
    gone = plan(log)
    log.correct(gone, engagement_id="m1", kind="meeting", certainty="expected", when="2025-10")
    state = log.state.copy()
    del state.recorded[gone.identity]
    assert part_changes(state)["engagement", "m1"] == Change(3, 3_000_000)
