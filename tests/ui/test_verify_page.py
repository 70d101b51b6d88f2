"""Verifying in the browser: every step recomputed there, and a changed answer found out."""

import json
from typing import Any

import httpx
import pytest

from ui.conftest import Visit
from ui.world import STORY_ID

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def verdict(page: Any) -> str:
    await page.locator(".outcome.holds, .outcome.fails").wait_for()
    text: str = await page.locator(".outcome").inner_text()
    return text


def changed(digits: str) -> str:
    return ("1" if digits[0] == "0" else "0") + digits[1:]


async def test_an_event_is_verified_from_its_badge(visit: Visit):
    visited = await visit("/log/33")
    page = visited.page
    await page.get_by_role("link", name="Verify in this browser").click()
    assert "under a key that nobody has confirmed" in await verdict(page)
    steps = await page.locator(".step").evaluate_all("all => all.map(one => one.dataset.step)")
    assert steps == ["leaf", "entry", "parts", "signed_offered", "included", "first"]
    assert visited.complaints == []


async def test_every_event_of_an_agreement_is_verified_from_its_badge(visit: Visit):
    page = (await visit(f"/a/{STORY_ID}")).page
    await page.get_by_role("link", name="Verify in this browser").click()
    assert "Everything holds" in await verdict(page)
    assert "no version between the first and the last is missing" in await page.locator(".steps").inner_text()


async def test_with_a_key_from_elsewhere_nothing_is_left_open(visit: Visit, registry_url: str):
    key = httpx.get(f"{registry_url}/log/keys").text.splitlines()[0]
    page = (await visit("/verify")).page
    await page.get_by_label("Position of the event").fill("5")
    await page.get_by_label("Verifier key").fill(key)
    await page.get_by_role("button", name="Verify").click()
    assert await verdict(page) == "Everything holds."


async def test_another_key_than_the_logs_does_not_hold(visit: Visit):
    page = (await visit("/verify")).page
    await page.get_by_label("Position of the event").fill("5")
    await page.get_by_label("Verifier key").fill(
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
    )
    await page.get_by_role("button", name="Verify").click()
    assert await verdict(page) == "It does not hold."


async def test_the_browser_remembers_the_log_and_demands_that_it_only_grew(visit: Visit):
    page = (await visit("/verify?position=7")).page
    await verdict(page)
    await page.reload()
    assert await verdict(page) == "Everything holds."
    assert "still holds everything that this browser saw" in await page.locator(".steps").inner_text()


@pytest.mark.parametrize(
    ("path", "change"),
    [
        ("**/log/proof/inclusion*", lambda given: {**given, "hashes": [changed(given["hashes"][0]), *given["hashes"][1:]]}),
        ("**/log/proof/inclusion*", lambda given: {**given, "hashes": given["hashes"][1:]}),
        ("**/events/*/entry", lambda given: {**given, "entry": given["entry"][:-8] + "AAAAAAA="}),
        ("**/events/*/entry", lambda given: {**given, "parts": []}),
        ("**/events/*/entry", lambda given: {**given, "parts": [{**given["parts"][0], "data": "e30="}]}),
    ],
)  # fmt: skip
async def test_a_changed_answer_is_found_out(visit: Visit, path: str, change: Any):
    page = (await visit("/verify")).page

    async def tampered(route: Any) -> None:
        given = await (await route.fetch()).json()
        await route.fulfill(status=200, content_type="application/json", body=json.dumps(change(given)))

    await page.route(path, tampered)
    await page.get_by_label("Position of the event").fill("33")
    await page.get_by_role("button", name="Verify").click()
    assert await verdict(page) == "It does not hold."
    assert await page.locator(".step.fails").count() == 1


async def test_a_log_that_forgot_what_the_browser_saw_is_found_out(visit: Visit):
    page = (await visit("/verify?position=7")).page
    await verdict(page)
    await page.evaluate(
        """() => { for (const name of Object.keys(localStorage)) {
            const kept = JSON.parse(localStorage.getItem(name));
            localStorage.setItem(name, JSON.stringify({ ...kept, root: "00".repeat(32) }));
        } }"""
    )
    await page.reload()
    assert await verdict(page) == "It does not hold."
    assert "forked" in await page.locator(".step.fails").inner_text()


async def test_without_a_script_the_page_says_how_else(visit: Visit):
    page = (await visit("/verify?position=7", java_script_enabled=False)).page
    assert "registry-verify" in await page.locator("pre").inner_text()
    assert await page.get_by_text("Recomputing needs a script").is_visible()
    assert "What this does not prove" in await page.locator("main").inner_text()


@pytest.mark.parametrize(
    "asked", ["position=0", "position=x", "agreement=NO", "position=1&agreement=abc-def"]
)
async def test_what_cannot_be_verified_is_refused(registry_url: str, asked: str):
    assert httpx.get(f"{registry_url}/verify?{asked}", headers={"Accept": "text/html"}).status_code == 400
