"""The page of an agreement: both axes of time, and what it says where something is missing."""

import re

import httpx

from ui.conftest import Visit, in_browser
from ui.paths import FULL, HOSTILE, STORY


def words(answer: httpx.Response, pattern: str) -> str:
    """The words of the first element that matches."""
    found = re.search(pattern, answer.text, re.DOTALL)
    assert found is not None, pattern
    return " ".join(re.sub("<[^>]*>", " ", found[1]).split())


def verdict(answer: httpx.Response) -> str:
    return words(answer, r'<p class="verdict[^>]*>(.*?)</p>')


def test_it_says_the_status_and_why(client: httpx.Client):
    answer = client.get(STORY)
    assert verdict(answer) == "Today: in effect , since 16 July 2025 ."
    assert "It takes effect on signature" in words(answer, r'<p class="reason">(.*?)</p>')
    assert "The sources disagree on one point" in answer.text
    assert 'class="then"' not in answer.text


def test_the_status_changes_on_the_day_of_signature(client: httpx.Client):
    before = client.get(STORY, params={"valid_as_of": "2025-07-15"})
    on_it = client.get(STORY, params={"valid_as_of": "2025-07-16"})
    assert verdict(before) == "On 15 July 2025 : registered ."
    assert verdict(on_it) == "On 16 July 2025 : in effect , since 16 July 2025 ."


def test_the_status_changes_when_the_second_report_arrives(client: httpx.Client):
    first, second = (client.get(STORY, params={"known_as_of": known}) for known in ("29", "33"))
    assert verdict(first) == "Today: registered ."
    assert "Still awaited:" in first.text
    assert "unspecified" in words(first, r'<p class="eyebrow">(.*?)</p>')
    assert verdict(second) == "Today: in effect , since 16 July 2025 ."
    assert (first.headers["Registry-Position"], second.headers["Registry-Position"]) == ("29", "33")
    since_then = words(first, r'aria-labelledby="h-since">(.*?)</section>')
    assert "Status registered → today: in effect" in since_then
    assert "Signatures New: Pakistan ; El Salvador" in since_then
    assert client.get(STORY, params={"known_as_of": "30"}).text.count("report-b.example") > 0
    assert "report-b.example" not in re.sub(r"(?s)<dl class=.moments.>.*?</dl>", "", first.text)


def test_a_time_of_a_browser_without_a_zone_is_utc(client: httpx.Client):
    for known in ("2999-01-01T00:00", "2999-01-01T00:00:00", "2999-01-01T00:00:00Z"):
        assert client.get(STORY, params={"known_as_of": known}).status_code == 200
    early = client.get(STORY, params={"known_as_of": "2000-01-01T00:00"})
    assert early.status_code == 404
    assert "There is nothing here" in early.text


def test_empty_fields_of_a_form_count_as_not_given(client: httpx.Client):
    answer = client.get(STORY, params={"valid_as_of": "", "known_as_of": ""})
    assert verdict(answer).startswith("Today: in effect")


def test_an_error_is_a_page_for_a_browser_and_a_problem_for_a_program(client: httpx.Client):
    page = client.get(STORY, params={"valid_as_of": "soon"})
    assert (page.status_code, page.headers["Content-Type"]) == (400, "text/html; charset=utf-8")
    assert "is no day such as 2025-07-16" in page.text
    problem = client.get(STORY, params={"valid_as_of": "soon"}, headers={"Accept": "application/json"})
    assert problem.headers["Content-Type"] == "application/problem+json"
    stray = client.get("/no-such-page")
    assert (stray.status_code, stray.headers["Content-Type"]) == (404, "text/html; charset=utf-8")
    api = client.get("/agreements/there-is-none")
    assert api.headers["Content-Type"] == "application/problem+json"


def test_every_claim_in_a_dispute_stands_beside_the_others_with_its_source(client: httpx.Client):
    dispute = words(client.get(STORY), r'<article class="dispute">(.*?)</article>')
    assert "Whether “ Digital identity ” is agreed" in dispute
    agreed, _, prospective = dispute.partition("In prospect")
    assert "Agreed openvoicenews.example · event 13" in agreed
    assert "report-b.example · event 50" in prospective


def test_a_settled_dispute_says_who_chose_and_why(client: httpx.Client):
    settled = words(client.get(FULL), r'<section aria-labelledby="disputes">(.*?)</section>')
    assert "The kind of instrument Settled: kind The text." in settled


def test_what_is_corrected_or_retracted_stays_and_is_marked(client: httpx.Client):
    text = client.get(FULL).text
    assert text.count("(corrected or retracted since)") >= 1
    assert 'class="event gone' in text


@in_browser
async def test_no_text_of_a_source_becomes_markup(visit: Visit):
    visited = await visit(HOSTILE)
    assert visited.status == 200
    assert await visited.page.title() != "taken"
    assert await visited.page.locator("script, img").count() == 0
    assert visited.complaints == []


@in_browser
async def test_the_axes_are_moved_with_the_keyboard_and_the_back_button_returns(visit: Visit):
    visited = await visit(STORY, java_script_enabled=False)
    page = visited.page
    await page.keyboard.press("Tab")
    assert await page.locator(".skip").is_visible()
    await page.focus("#known_as_of")
    await page.keyboard.type("29")
    await page.keyboard.press("Enter")
    await page.wait_for_url("**known_as_of=29")
    assert "registered" in (await page.locator(".verdict").inner_text())
    await page.go_back()
    assert "in effect" in (await page.locator(".verdict").inner_text())


@in_browser
async def test_every_mark_of_the_drawing_has_a_name_and_leads_to_its_row(visit: Visit):
    visited = await visit(STORY)
    marks = visited.page.locator("svg.axes a.event")
    assert await marks.count() == 10
    for mark in await marks.all():
        assert await mark.get_attribute("aria-label")
        target = await mark.get_attribute("href")
        assert await visited.page.locator(f"tr{target}").count() == 1


@in_browser
async def test_what_stands_in_a_closed_list_opens_when_a_link_leads_there(visit: Visit):
    visited = await visit(f"{STORY}#e32")
    assert await visited.page.locator("#e32").is_visible()
