"""What is around every page: languages and themes that are chosen, who is led to sign in, and what programs get."""

import asyncio

import httpx
import pytest

from api.conftest import registered, serving
from ui.conftest import Visit, in_browser
from ui.paths import STORY

HTML = {"Accept": "text/html"}


def test_a_language_is_chosen_by_a_link_and_kept(client: httpx.Client):
    answer = client.get("/?lang=ur")
    assert '<html lang="ur" dir="rtl"' in answer.text
    assert answer.headers["Set-Cookie"].startswith("lang=ur; Path=/;")
    assert '<html lang="ur"' in client.get(STORY, headers={"Accept-Language": "en"}).text
    client.cookies.clear()
    assert '<html lang="en"' in client.get(STORY).text
    assert '<html lang="ur"' in client.get(STORY, headers={"Accept-Language": "ur-PK"}).text


def test_a_theme_is_chosen_by_a_link_and_kept_until_the_systems_is(client: httpx.Client):
    answer = client.get(f"{STORY}?known_as_of=29&theme=dark")
    assert 'data-theme="dark"' in answer.text
    assert f'href="{STORY}?known_as_of=29&amp;theme=light"' in answer.text
    assert 'data-theme="dark"' in client.get("/").text
    assert "Max-Age=0" in client.get("/?theme=auto").headers["Set-Cookie"]
    assert 'data-theme="auto"' in client.get("/").text


@pytest.mark.parametrize("asked", ["lang=xx", "theme=pink", "lang=en&lang=ur", "unknown=1", "%ff=1"])
def test_what_no_page_knows_is_refused_on_a_page(client: httpx.Client, asked: str):
    answer = client.get(f"/?{asked}")
    assert answer.status_code == 400
    assert "The request cannot be read" in answer.text


def test_answers_say_what_they_vary_by(client: httpx.Client):
    assert "Cookie" in client.get("/").headers["Vary"]
    for path in ("/", "/a/there-is-none"):  # where a program gets JSON
        assert "Accept" in client.get(path).headers["Vary"].split(", ")
    assert client.get("/", headers={"Accept": "application/json"}).headers["Vary"] == "Accept"
    for path in (
        "/log",
        "/log?unknown=1",
        "/parties",
        "/parties?unknown=1",
    ):  # pages and programs have one path
        for accept in ("text/html", "application/json", "text/csv", "image/png"):
            lines = client.get(path, headers={"Accept": accept}).headers.get_list("Vary")
            named = [name.strip() for line in lines for name in line.split(",")]
            assert named.count("Accept") == 1, (path, accept, lines)


def test_programs_get_the_index_of_everything_at_the_root(client: httpx.Client):
    answer = client.get("/", headers={"Accept": "application/json"})
    assert answer.headers["Content-Type"] == "application/json"
    assert "/openapi.json" in {link["href"] for link in answer.json()["links"]}
    again = client.get("/", headers={"Accept": "application/json", "If-None-Match": answer.headers["ETag"]})
    assert again.status_code == 304
    for accept in ("*/*", "text/html,application/xhtml+xml,*/*;q=0.8", "application/json;q=0.5,text/html"):
        assert client.get("/", headers={"Accept": accept}).headers["Content-Type"].startswith("text/html")


def test_files_may_be_kept_for_ever_and_one_of_another_version_is_asked_for_again(client: httpx.Client):
    path = client.get("/").text.partition('<link rel="stylesheet" href="')[2].partition('"')[0]
    assert client.get(path).headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert client.get("/static/0000/style.css").headers["Cache-Control"] == "public, no-cache"
    assert client.get("/static/0000/style.txt").status_code == 404


def test_only_who_asks_for_pages_by_name_and_rather_gets_them_for_errors(client: httpx.Client):
    for accept in ("text/html;q=0.1,application/json", "text/html;q=nonsense", "*/*", "text/html;q=0"):
        answer = client.get("/a/there-is-none", headers={"Accept": accept})
        assert answer.headers["Content-Type"] == "application/problem+json", accept
    refused = client.get("/agreements?x=1")
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_a_day_is_chosen_for_the_board(client: httpx.Client):
    early = client.get("/?valid_as_of=2025-07-15")
    assert "No agreement is in effect on this day." in early.text
    assert "Back to today" in early.text
    assert "overdue" in client.get("/").text


async def test_whoever_is_not_known_is_led_to_sign_in_and_back(sqlite_url: str):
    async with serving(sqlite_url, auth="on") as service:
        for path in ("/", "/a/some-agreement?valid_as_of=2025-07-15"):
            answer = await service.get(path, headers=HTML)
            assert answer.status_code == 303
            location = httpx.URL(answer.headers["Location"])
            assert (location.path, location.params["next"]) == ("/sign-in", path)
            program = await service.get(path, headers={"Accept": "*/*"})
            assert (program.status_code, program.headers["Content-Type"]) == (401, "application/problem+json")
        index = await service.get("/", headers={"Accept": "application/json"})
        assert index.status_code == 200


async def test_an_empty_registry_has_a_board_that_says_so(sqlite_url: str):
    async with serving(sqlite_url) as service:
        while (
            board := await service.get("/", headers=HTML)
        ).status_code == 503:  # read models are being built
            await asyncio.sleep(0.05)
        assert "Nothing has been recorded yet." in board.text
        posted = (await service.post(registered())).json()
        asked = {"min_position": str(posted["position"])}
        seen = await service.get("/", headers={**HTML, "Prefer": "wait=10"}, params=asked)
        assert "A letter" in seen.text
        page = await service.get(f"/a/{posted['agreement']}", headers=HTML, params=asked)
        assert "No source tells of a signature" in page.text
        assert (await service.get("/a/A%20B", headers=HTML)).status_code == 404
        assert (await service.head("/a/pak-slv-2025-digital-assets", headers=HTML)).content == b""


@in_browser
async def test_the_theme_that_was_chosen_goes_before_that_of_the_system(visit: Visit):
    visited = await visit("/?theme=light", color_scheme="dark")
    paper = "getComputedStyle(document.body).backgroundColor"
    light = await visited.page.evaluate(paper)
    await visited.page.goto("/?theme=dark")
    assert await visited.page.evaluate(paper) != light
    await visited.page.emulate_media(color_scheme="light")
    assert await visited.page.evaluate(paper) != light
