"""Search, parties, pairs and the calendar: what is found, and that it can be narrowed down without a script."""

import httpx
import pytest

from registry.ui.calendar import next_month
from ui.conftest import Visit

pytestmark = pytest.mark.asyncio(loop_scope="session")
HTML = {"Accept": "text/html"}


async def test_words_on_the_board_find_the_agreement(visit: Visit):
    page = (await visit("/", java_script_enabled=False)).page
    await page.get_by_role("searchbox").fill("digital assets")
    await page.get_by_role("button", name="Search").click()
    await page.get_by_role("link", name="Cooperation between Pakistan and El Salvador").first.click()
    assert page.url.endswith("/a/pak-slv-2025-digital-assets")


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("salvador", "/p/slv"),
        ("PAK", "/p/pak"),
        ("bitcoin office", "institution="),
        ("san salvador", "/a/pak-slv-2025-digital-assets"),
    ],
)
async def test_names_of_parties_institutions_and_places_are_found(registry_url: str, words: str, found: str):
    text = httpx.get(f"{registry_url}/search", params={"q": words}, headers=HTML).text
    assert found in text[text.index('id="h-names"') : text.index('id="h-found"')]


async def test_people_are_found_by_name_and_lead_to_their_agreements(visit: Visit, registry_url: str):
    people = httpx.get(f"{registry_url}/people").json()["items"]
    name = next(one["name"] for one in people if one["name"] and "x" * 100 not in one["name"])
    page = (await visit(f"/search?q={name}")).page
    await page.get_by_role("link", name=name, exact=True).click()
    await page.wait_for_url("**person=*")
    await page.locator("article.line").first.wait_for()


async def test_the_list_is_narrowed_by_what_is_true_on_a_day(visit: Visit):
    page = (await visit("/search?status=in-force&valid_as_of=2025-07-16", java_script_enabled=False)).page
    assert await page.locator('a[href="/a/pak-slv-2025-digital-assets"]').count() == 1
    await page.get_by_label("On the day").fill("2025-07-15")
    await page.get_by_role("button", name="Search").click()
    assert await page.locator('a[href="/a/pak-slv-2025-digital-assets"]').count() == 0


async def test_nothing_found_leads_on(visit: Visit):
    page = (await visit("/search?q=nowhere-to-be-found")).page
    await page.get_by_role("link", name="Show all agreements").click()
    assert await page.locator("article.line").count() >= 3


@pytest.mark.parametrize(
    "asked", ["status=x", "disputed=x", "cursor=x", "sort=x", "valid_as_of=x", "party=A B"]
)
async def test_what_cannot_be_asked_is_refused_on_a_page(registry_url: str, asked: str):
    answer = httpx.get(f"{registry_url}/search?{asked}", headers=HTML)
    assert (answer.status_code, answer.headers["Content-Type"].partition(";")[0]) == (400, "text/html")


async def test_the_matrix_leads_to_the_pair_and_on_to_the_party(visit: Visit):
    page = (await visit("/parties", java_script_enabled=False)).page
    await page.locator('.matrix a[href="/pair/pak/slv"]').click()
    assert await page.locator("h1").inner_text() == "PAK Pakistan — SLV El Salvador"
    await page.locator('main a[href="/p/slv"]').first.click()
    assert "El Salvador" in await page.locator("h1").inner_text()
    assert await page.locator('a[href="/parties/slv/calendar.ics"]').count() == 1


async def test_programs_get_the_list_of_parties_under_the_same_path(registry_url: str):
    assert httpx.get(f"{registry_url}/parties").json()["items"]


@pytest.mark.parametrize("path", ["/p/nobody", "/p/A%20B", "/pair/pak/nobody", "/parties?cursor=x"])
async def test_a_party_that_is_not_there_is_said_on_a_page(registry_url: str, path: str):
    answer = httpx.get(f"{registry_url}{path}", headers=HTML)
    assert answer.status_code in (400, 404)
    assert answer.headers["Content-Type"].startswith("text/html")


async def test_the_month_of_the_signature_shows_the_meeting(visit: Visit):
    page = (await visit("/calendar?month=2025-07", java_script_enabled=False)).page
    square = page.locator("td", has=page.locator('time[datetime="2025-07-16"]'))
    assert "Meeting in San Salvador" in await square.inner_text()
    await page.get_by_role("link", name="August 2025 →").click()
    assert await page.locator("h1").inner_text() == "August 2025"


async def test_what_is_overdue_says_so_in_a_word(registry_url: str):
    text = httpx.get(f"{registry_url}/calendar?month=2025-08", headers=HTML).text
    assert ">overdue<" in text


async def test_a_day_with_much_on_it_names_a_few_and_leads_to_the_rest(registry_url: str):
    text = httpx.get(f"{registry_url}/calendar?month=2025-08", headers=HTML).text
    assert "more</a>" in text
    assert "on some day of these" in text


async def test_the_calendar_of_a_party_is_its_own(registry_url: str):
    text = httpx.get(f"{registry_url}/calendar?month=2025-07&party=slv", headers=HTML).text
    assert "Meeting in San Salvador" in text
    assert "/parties/slv/calendar.ics" in text


@pytest.mark.parametrize("asked", ["month=2025", "month=2025-13", "month=0001-01", "month=9999-12", "party=A B", "party=nobody"])  # fmt: skip
async def test_a_month_or_party_that_is_none_is_refused(registry_url: str, asked: str):
    assert httpx.get(f"{registry_url}/calendar?{asked}", headers=HTML).status_code in (400, 404)


async def test_a_year_ends_with_december():
    from datetime import date

    assert next_month(date(2025, 12, 1)) == date(2026, 1, 1)
    assert next_month(date(2025, 1, 1)) == date(2025, 2, 1)
