"""The log as pages: the newest events, followed live, and one event with what it belongs to."""

import json

import httpx
import pytest

from ui.conftest import Visit
from ui.world import STORY_ID

pytestmark = pytest.mark.asyncio(loop_scope="session")
HTML = {"Accept": "text/html"}
STRUCTURED = {"Content-Type": "application/cloudevents+json"}


def planned(id: str, **attributes: str) -> dict[str, object]:
    data = {"engagement_id": id, "kind": "call", "certainty": "expected"}
    return {
        "specversion": "1.0",
        "id": id,
        "source": "https://live.example/",
        "type": "agreement.engagement-planned.v1",
        "subject": STORY_ID,
        "data": data,
        **attributes,
    }


def post(url: str, event: dict[str, object]) -> int:
    answer = httpx.post(f"{url}/events", content=json.dumps(event), headers=STRUCTURED)
    assert answer.status_code in (200, 201), answer.text
    position: int = answer.json()["position"]
    return position


async def test_the_newest_events_stand_on_top(registry_url: str):
    text = httpx.get(f"{registry_url}/log", headers=HTML).text
    size = httpx.get(f"{registry_url}/log", headers={"Accept": "application/json"}).json()["size"]
    places = [int(piece.partition('"')[0]) for piece in text.split('data-position="')[1:]]
    assert places == list(range(size, size - len(places), -1))


async def test_programs_get_the_head_of_the_log_under_the_same_path(registry_url: str):
    plain = httpx.get(f"{registry_url}/log")
    assert plain.headers["Content-Type"] == "application/json"
    page = httpx.get(f"{registry_url}/log", headers=HTML)
    assert page.headers["Content-Type"].startswith("text/html")
    assert all("Accept" in answer.headers["Vary"] for answer in (plain, page))


async def test_older_events_are_a_page_further(visit: Visit):
    page = (await visit("/log")).page
    last = int(await page.locator(".record").last.get_attribute("data-position") or 0)
    await page.get_by_role("link", name="Older events").click()
    assert int(await page.locator(".record").first.get_attribute("data-position") or 0) == last - 1
    await page.get_by_role("link", name="Back to the newest").click()
    assert await page.locator("[data-live]").is_visible()


async def test_the_list_is_narrowed_by_type_and_agreement(visit: Visit):
    page = (await visit("/log", java_script_enabled=False)).page
    await page.get_by_label("Type").select_option("agreement.signed.v1")
    await page.get_by_label("Agreement").fill(STORY_ID)
    await page.get_by_role("button", name="Show these").click()
    assert await page.locator(".record code").all_inner_texts() == ["signed.v1"]


async def test_a_new_event_appears_by_itself_and_waits_while_the_reader_pauses(
    visit: Visit, registry_url: str
):
    visited = await visit("/log")
    page = visited.page
    await page.get_by_text("New events appear here").wait_for()
    first = post(registry_url, planned("live-1"))
    await page.locator(f'[data-position="{first}"]').wait_for()
    await page.get_by_role("button", name="Pause").click()
    second = post(registry_url, planned("live-2"))
    await page.locator("[data-waiting]", has_text="1").wait_for()
    assert await page.locator(f'[data-position="{second}"]').count() == 0
    await page.get_by_role("button", name="Go on").click()
    await page.locator(f'[data-position="{second}"]').wait_for()
    assert visited.complaints == []


async def test_an_event_is_shown_decoded_and_as_it_was_recorded(visit: Visit):
    page = (await visit("/log/33", java_script_enabled=False)).page
    assert "San Salvador" in await page.locator("h1").inner_text()
    assert "occurred" in await page.locator("dl.tree").first.inner_text()
    raw = json.loads(await page.locator("pre").inner_text())
    assert raw["type"] == "agreement.signed.v1"
    await page.get_by_role("link", name="After: event 34").click()
    assert page.url.endswith("/log/34")


async def test_an_event_tells_what_it_belongs_to(visit: Visit, registry_url: str):
    cause = post(registry_url, planned("cause", correlationid="one-visit"))
    effect = post(registry_url, planned("effect", correlationid="one-visit", causationid="cause"))
    page = (await visit(f"/log/{cause}")).page
    trail = page.locator("section", has=page.get_by_role("heading", name="What it belongs to"))
    assert "caused by it" in await trail.inner_text()
    await trail.locator(".says a").click()
    assert page.url.endswith(f"/log/{effect}")
    assert "its cause" in await page.locator("main").inner_text()


@pytest.mark.parametrize("path", ["/log/0", "/log/01", "/log/x", "/log/999999", "/log/1?as=x", "/log?type=x"])
async def test_what_is_not_there_is_said_on_a_page(registry_url: str, path: str):
    answer = httpx.get(f"{registry_url}{path}", headers=HTML)
    assert answer.status_code in (400, 404)
    assert answer.headers["Content-Type"].startswith("text/html")
