"""The lists of what agreements consist of: engagements, follow-ups, institutions, people, facts, evidence."""

import csv
import io
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.conftest import Service, problem, serving
from projections.reading import AGREEMENT, STORY

PATHS = ("/engagements", "/follow-ups", "/institutions", "/people", "/facts", "/publications", "/sources")
PERSON = "7b76ef5a-9bd2-408c-ad28-16586931b33e"
EVENTS = 71


@pytest.fixture
async def told(database_url: str) -> AsyncIterator[Service]:
    """A service that knows the story, and whose read models do."""
    async with serving(database_url) as service:
        story = [json.loads(line) for name in ("report_a", "report_b") for line in lines(name)]
        answer = await service.batch(*story)
        assert answer.status_code == 201, answer.text
        for path in (*PATHS, "/stats"):
            await get(service, path, min_position=str(EVENTS))
        yield service


def lines(report: str) -> list[bytes]:
    return (STORY / f"{report}.ndjson").read_bytes().splitlines()


async def get(service: Service, path: str, accept: str = "application/json", **asked: str) -> Any:
    """Read something once it has seen the story."""
    headers = {"Prefer": "wait=20", "Accept": accept}
    answer = await service.get(path, params={"min_position": str(EVENTS), **asked}, headers=headers)
    assert answer.status_code == 200, answer.text
    assert int(answer.headers["Registry-Position"]) >= EVENTS
    return answer


async def test_each_list_is_given_as_json_csv_and_ndjson_alike(told: Service) -> None:
    for path in PATHS:
        page = (await get(told, path)).json()
        every = await get(told, path, accept="application/x-ndjson")
        assert [json.loads(line) for line in every.text.splitlines()] == page["items"]
        table = await get(told, path, accept="text/csv")
        rows = list(csv.reader(io.StringIO(table.text)))
        assert len(rows) == 1 + len(page["items"])
        if page["items"]:
            assert rows[0] == list(page["items"][0])


async def test_each_list_has_pages_and_is_not_sent_again_unchanged(told: Service) -> None:
    for path in PATHS:
        whole = (await get(told, path, limit="1000")).json()["items"]
        found, asked = [], {"limit": "1"}
        while True:
            answer = await get(told, path, **asked)
            found += answer.json()["items"]
            if "next" not in answer.json():
                break
            assert 'rel="next"' in answer.headers["Link"]
            asked = {"limit": "1", "cursor": answer.json()["next"]}
        assert found == whole
        known = {"If-None-Match": answer.headers["ETag"]}
        again = await told.get(path, params=asked, headers=known)
        assert again.status_code == 304
        head = await told.head(path, params=asked)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["ETag"] == answer.headers["ETag"]


async def test_lists_refuse_what_they_do_not_know(told: Service) -> None:
    for path in (*PATHS, "/stats"):
        for asked in ("known_as_of=1", "colour=red", "agreement=A%20B", "agreement=abc&agreement=abc"):
            answer = await told.get(f"{path}?{asked}")
            problem(answer, 400, "malformed")
        assert "what is known now" in (await told.get(f"{path}?known_as_of=1")).json()["detail"]
    problem(await told.get("/people?person=nobody"), 400, "malformed")
    problem(await told.get("/follow-ups?overdue=perhaps"), 400, "malformed")
    problem(await told.get("/engagements?valid_as_of=today"), 400, "malformed")
    for asked in ("place=", "country=", "country=slv", "day_to=2025-01-01&day_from=2025-01-02"):
        problem(await told.get(f"/engagements?{asked}"), 400, "malformed")
    for asked in ("predicate=", "predicate=%20", "unit=", "unit=usd%20"):
        problem(await told.get(f"/facts?{asked}"), 400, "malformed")


async def test_engagements_are_found_by_day_and_person(told: Service) -> None:
    async def ids(**asked: str) -> list[str]:
        page = (await get(told, "/engagements", **asked)).json()
        return [item["engagement_id"] for item in page["items"]]

    assert await ids(person=PERSON) == ["meeting-in-san-salvador"]
    assert await ids(day_from="2025-07-17") == ["meeting-of-delegations"]
    assert await ids(day_to="2025-07-15", agreement=AGREEMENT) == [
        "delegation-visit",
        "meeting-of-delegations",
    ]
    assert await ids(state="held,cancelled", valid_as_of="2025-07-15") == []
    assert await ids(sort="-day") == [
        "further-engagements",
        "meeting-of-delegations",
        "meeting-in-san-salvador",
        "delegation-visit",
    ]


async def test_people_are_listed_under_their_random_ids(told: Service) -> None:
    (item,) = (await get(told, "/people", person=PERSON)).json()["items"]
    assert (item["name"], item["erased"]) == ("Bilal Bin Saqib", False)
    table = list(csv.DictReader(io.StringIO((await get(told, "/people", accept="text/csv")).text)))
    assert [row["name"] for row in table] == ["Bilal Bin Saqib", "Nayib Bukele"]


async def test_a_follow_up_is_overdue_on_the_day_asked_for(service: Service) -> None:
    from api.conftest import event, registered

    scheduled = event(
        "follow-up-scheduled", "f", {"follow_up_id": "plan", "text": {"en": "Send it."}, "due": "2025-07"}
    )
    receipts = (await service.batch(registered(), scheduled)).json()
    assert len(receipts) == 2
    for day, overdue in (("2025-07-31", []), ("2025-08-01", ["plan"])):
        answer = await service.get(
            "/follow-ups",
            params={"overdue": "true", "valid_as_of": day, "min_position": "2"},
            headers={"Prefer": "wait=20"},
        )
        assert [item["follow_up_id"] for item in answer.json()["items"]] == overdue


async def test_stats_count_the_story(told: Service) -> None:
    found = (await get(told, "/stats", valid_as_of="2025-07-16", per="day")).json()
    assert found["totals"] == {"agreements": 1, "events": EVENTS, "sources": 2, "disputed": 1}
    assert (found["on"], found["by_status"], found["by_kind"]) == ("2025-07-16", {"in-force": 1}, {"loi": 1})
    assert found["happened"] == [
        {"time": "2025-07-16", "events": 3},
        {"time": "2025-07-17", "events": 1},
    ]
    assert sum(day["events"] for day in found["recorded"]) == EVENTS
    answer = await get(told, "/stats", agreement=AGREEMENT)
    again = await told.get(
        "/stats", params={"agreement": AGREEMENT}, headers={"If-None-Match": answer.headers["ETag"]}
    )
    assert again.status_code == 304
