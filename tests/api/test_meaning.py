"""Explanation, claims, history and comparison over HTTP, on the two reports of the story."""

import json

import pytest

from api.conftest import AGREEMENT, Service, problem, registered, signed
from registry.cli.demo import STORY

PATH = f"/agreements/{AGREEMENT}"


@pytest.fixture
async def told(service_on_any: Service) -> Service:
    """A service that has heard report A and then report B."""
    for report in STORY:
        events = [json.loads(line) for line in report.read_text().splitlines()]
        answer = await service_on_any.batch(*events)
        assert answer.status_code == 201, answer.text
    return service_on_any


async def last_position_of_a(told: Service) -> int:
    events = (await told.get(f"{PATH}/events?limit=1000")).json()["events"]
    return max(int(e["sequence"]) for e in events if e["source"] == "https://openvoicenews.example/")


async def test_the_status_is_explained_by_the_rule_that_matched_and_those_that_did_not(told: Service) -> None:
    answer = await told.get(f"{PATH}/explain?valid_as_of=2025-07-16")
    explained = answer.json()
    assert explained["status"]["code"] == "in-force"
    assert explained["sentence"].startswith("On 2025-07-16 it is in effect since 2025-07-16.")
    *above, matched = explained["rules"]
    assert (matched["code"], matched["holds"]) == ("in-force", True)
    assert not any(rule["holds"] for rule in above)
    behind = {(event["source"], event["id"]) for event in matched["events"]}
    assert {id for source, id in behind if source == "https://report-b.example/"} >= {"signed", "classified"}
    before = (await told.get(f"{PATH}/explain?valid_as_of=2025-07-15")).json()
    assert before["status"]["code"] == "registered"


async def test_what_was_believed_is_explained_with_what_was_known(told: Service) -> None:
    position = await last_position_of_a(told)
    answer = await told.get(f"{PATH}/explain?known_as_of={position}")
    assert answer.json()["status"]["code"] == "registered"
    assert answer.headers["Registry-Position"] == str(position)


async def test_claims_say_who_says_what_on_which_grounds(told: Service) -> None:
    claims = (await told.get(f"{PATH}/claims")).json()
    by_name = {group["predicate"]: group for group in claims["predicates"]}
    disputed = [name for name, group in by_name.items() if group["disputed"]]
    assert disputed == ["area.digital-identity.state"]
    area = by_name["area.digital-identity.state"]["claims"]
    assert {(c["value"], c["by"]["source"]) for c in area} == {
        ("agreed", "https://openvoicenews.example/"),
        ("prospective", "https://report-b.example/"),
    }
    (kind,) = (await told.get(f"{PATH}/claims?predicate=kind")).json()["predicates"]
    assert kind["claims"][0]["value"] == "loi"
    assert (await told.get(f"{PATH}/claims?predicate=never")).json()["predicates"] == []


async def test_history_tells_what_each_event_changed_page_by_page(told: Service) -> None:
    whole = (await told.get(f"{PATH}/history?limit=1000&valid_as_of=2025-07-20")).json()
    assert whole["next"] is None
    assert [entry["version"] for entry in whole["entries"]] == list(range(1, len(whole["entries"]) + 1))
    statuses = [entry["status"] for entry in whole["entries"]]
    assert statuses[0] == "registered"
    assert statuses[-1] == "in-force"
    turned = next(entry for entry in whole["entries"] if entry["status"] == "in-force")
    assert any(change["field"] == "status" for change in turned["changes"])
    paged: list[dict[str, object]] = []
    after = 0
    while after is not None:
        page = (await told.get(f"{PATH}/history?limit=7&valid_as_of=2025-07-20&after_version={after}")).json()
        paged += page["entries"]
        after = page["next"]
    assert paged == whole["entries"]


async def test_two_days_are_compared_field_by_field(told: Service) -> None:
    compared = (await told.get(f"{PATH}/compare?from=2025-07-15&to=2025-07-16")).json()
    changed = {change["field"]: (change["before"], change["after"]) for change in compared["changes"]}
    assert changed["status"] == ("registered", "in-force")
    assert compared["before"]["valid_as_of"] == "2025-07-15"


async def test_two_positions_are_compared_for_one_day(told: Service) -> None:
    position = await last_position_of_a(told)
    end = (await told.get("/log")).json()["size"]
    compared = (await told.get(f"{PATH}/compare?from={position}&to={end}&valid_as_of=2025-07-20")).json()
    changed = {change["field"]: (change["before"], change["after"]) for change in compared["changes"]}
    assert changed["kind"] == ("unspecified", "loi")
    assert changed["status"] == ("registered", "in-force")
    assert (compared["before"]["known_as_of"], compared["after"]["known_as_of"]) == (position, end)


@pytest.mark.parametrize(
    ("query", "about"),
    [
        ("", "from"),
        ("?from=3", "to"),
        ("?from=3&to=2025-07-16", "to"),
        ("?from=1&to=2&known_as_of=1", "known_as_of"),
        ("?from=2025-07-15&to=2025-07-16&valid_as_of=2025-07-16", "valid_as_of"),
        ("?from=2025-02-30&to=2025-07-16", "from"),
        ("?from=1&to=99999", "to"),
        ("?from=1&to=tomorrow", "to"),
    ],
)
async def test_a_comparison_that_makes_no_sense_is_refused(told: Service, query: str, about: str) -> None:
    refused = problem(await told.get(f"{PATH}/compare{query}"), 400, "malformed")
    assert refused["errors"][0]["parameter"] == about


@pytest.mark.parametrize("what", ["explain", "claims", "history", "compare?from=0&to=0"])
async def test_there_is_nothing_to_tell_before_the_first_event(
    registered_service: Service, what: str
) -> None:
    path = f"{PATH}/{what}" if "?" in what else f"{PATH}/{what}?known_as_of=0"
    problem(await registered_service.get(path), 404, "not-found")
    problem(await registered_service.get(f"/agreements/never-heard-of/{what}"), 404, "not-found")


@pytest.mark.parametrize("what", ["explain", "claims", "history"])
async def test_what_has_not_changed_is_not_sent_again(registered_service: Service, what: str) -> None:
    first = await registered_service.get(f"{PATH}/{what}")
    again = await registered_service.get(f"{PATH}/{what}", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    await registered_service.post(signed())
    changed = await registered_service.get(f"{PATH}/{what}", headers={"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert registered()["id"] in changed.text or what == "explain"
