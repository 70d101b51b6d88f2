"""The answers that the two reports must give together, whichever comes first."""

import json
from datetime import date
from typing import Any

import msgspec
import pytest

import reports
from registry.domain.agreement import Agreement, fold
from registry.domain.decide import decide
from registry.domain.envelope import Posted, Recorded
from registry.domain.events import DuplicateMerged
from registry.domain.values import write_custom
from registry.domain.view import view
from reports import SUBJECT, A, B


def recorded(events: list[Posted]) -> Agreement:
    """Decide and fold the events in this order; a warning or a refusal would be a mistake in the story."""
    state: Agreement | None = None
    for position, event in enumerate(events, 1):
        assert decide(state, event) == (), event.id
        known = Recorded(
            position=position,
            version=position,
            recorded_at=position,
            source=event.source,
            id=event.id,
            type=event.type,
            subject=event.subject,
            data=event.data,
        )
        state = fold(state, [known])
    assert state is not None
    return state


def shown(state: Agreement, on: date) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(msgspec.json.encode(view(state, on), enc_hook=write_custom))
    return answer


AFTERWARDS = date(2025, 7, 20)
THE_DAY_BEFORE = date(2025, 7, 15)


@pytest.fixture(scope="module")
def a_first() -> Agreement:
    return recorded(reports.report_a() + reports.report_b())


@pytest.fixture(scope="module")
def b_first() -> Agreement:
    return recorded(reports.report_b() + reports.report_a())


def test_it_is_in_effect_since_the_signature(a_first):
    answer = shown(a_first, AFTERWARDS)
    assert (answer["status"], answer["status_label"], answer["certain"]) == ("in-force", "in effect", True)
    assert answer["since"]["date"] == "2025-07-16"
    assert (answer["kind"], answer["legal_character"], answer["entry_mode"]) == (
        "loi",
        "non-binding",
        "on-signature",
    )


def test_what_explains_it_is_the_signature_and_the_classification(a_first):
    behind = {(event["source"], event["id"]) for event in shown(a_first, AFTERWARDS)["reason"]["events"]}
    assert behind == {(B, "signed"), (B, "classified")}


def test_the_day_before_it_is_registered(a_first):
    assert shown(a_first, THE_DAY_BEFORE)["status"] == "registered"


def test_one_predicate_is_disputed(a_first):
    answer = shown(a_first, AFTERWARDS)
    assert answer["disputed"] == ["area.digital-identity.state"]
    assert answer["resolved"] == []


def test_what_both_reports_say_is_said_by_two_sources(a_first):
    predicates = shown(a_first, AFTERWARDS)["predicates"]
    for said_twice in ("fact.first-legal-tender", "area.financial-inclusion.state", "title.en"):
        assert predicates[said_twice]["sources"] == 2


def test_the_two_meetings_may_be_one(a_first):
    duplicates = {
        one["engagement_id"]: one["possible_duplicates"]
        for one in shown(a_first, AFTERWARDS)["engagements"]
        if one["possible_duplicates"]
    }
    assert duplicates == {
        "meeting-in-san-salvador": ["meeting-of-delegations"],
        "meeting-of-delegations": ["meeting-in-san-salvador"],
    }


def test_the_two_meetings_stay_apart_until_the_founding_source_merges_them(a_first):
    merged = Posted(
        source=A,
        id="merge",
        type="agreement.duplicate-merged.v1",
        subject=SUBJECT,
        body={},
        data=DuplicateMerged(
            what="engagement", kept_id="meeting-in-san-salvador", dropped_id="meeting-of-delegations"
        ),
    )
    assert decide(a_first, merged) == ()
    known = Recorded(
        position=72,
        version=72,
        recorded_at=72,
        source=merged.source,
        id=merged.id,
        type=merged.type,
        subject=merged.subject,
        data=merged.data,
    )
    engagements = {
        one["engagement_id"]: one for one in shown(fold(a_first, [known]), AFTERWARDS)["engagements"]
    }
    meeting = engagements["meeting-in-san-salvador"]
    assert "meeting-of-delegations" not in engagements
    assert (meeting["possible_duplicates"], len(meeting["claims"])) == ([], 2)


def test_the_first_report_alone_knows_of_no_signature():
    answer = shown(recorded(reports.report_a()), AFTERWARDS)
    assert (answer["status"], answer["kind"], answer["signatures"]) == ("registered", "unspecified", [])


@pytest.mark.parametrize("name", ["term", "termination", "entry_into_force"])
def test_point_17_stays_unknown(a_first, name):
    assert shown(a_first, AFTERWARDS)[name] is None


@pytest.mark.parametrize(
    "name", ["external_ids", "documents", "follow_ups", "ratifications", "treaty_registrations"]
)
def test_point_17_stays_empty(a_first, name):
    assert shown(a_first, AFTERWARDS)[name] == []


def without_places(value: Any) -> Any:
    """Leave out what depends on where an event stands in the log, and on when it was recorded."""
    if isinstance(value, dict):
        places = ("position", "positions", "recorded_at")
        return {name: without_places(each) for name, each in value.items() if name not in places}
    return [without_places(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("on", [THE_DAY_BEFORE, AFTERWARDS])
def test_both_orders_give_the_same_state(a_first, b_first, on):
    assert without_places(shown(a_first, on)) == without_places(shown(b_first, on))
