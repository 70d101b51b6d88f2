"""What holds for every page, whatever is on it."""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import httpx
import pytest
from axe_playwright_python.async_playwright import Axe

from ui.conftest import Visit, in_browser
from ui.paths import HOSTILE, MISSING, PAGES, UNKEPT

MOST_BYTES = 150_000
WIDTH = "document.documentElement.scrollWidth"
NARROW = {"width": 390, "height": 844}
VOID = {"meta", "br", "link", "hr", "img", "input", "rect", "line", "circle", "path"}
every_page = pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())


class Read(HTMLParser):
    """Reads a page, and holds every element to be closed where it was opened."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        given = dict(attrs)
        assert "style" not in given
        assert not any(name.startswith("on") for name in given)
        assert tag != "script" or given.get("src")
        self.ids += [given["id"] or ""] if "id" in given else []
        self.links += [given["href"] or ""] if tag == "a" and "href" in given else []
        if tag in ("link", "script", "img") and given.get("rel") != "alternate":
            self.loaded.append(given.get("href") or given.get("src") or "")
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag


@every_page
@in_browser
async def test_it_is_accessible_in_light_and_dark(visit: Visit, path: str):
    visited = await visit(path, color_scheme="light")
    for scheme in ("light", "dark"):
        await visited.page.emulate_media(color_scheme=scheme)
        found = await Axe().run(visited.page, options={"resultTypes": ["violations"]})
        assert found.response["passes"]
        assert found.response["violations"] == []
    assert visited.complaints == []


@every_page
@in_browser
async def test_it_fits_a_narrow_screen_and_prints_without_a_script(visit: Visit, path: str):
    visited = await visit(path, viewport=NARROW, java_script_enabled=False)
    assert await visited.page.locator("main h1").count() == 1
    assert await visited.page.evaluate(WIDTH) <= NARROW["width"]
    await visited.page.emulate_media(media="print")
    assert await visited.page.locator("main h1").is_visible()
    assert not await visited.page.locator(".masthead nav").is_visible()
    assert (await visited.page.pdf(format="A4")).startswith(b"%PDF-")


@every_page
@in_browser
async def test_it_reads_from_right_to_left_in_urdu(visit: Visit, path: str):
    visited = await visit(path, locale="ur-PK", viewport=NARROW)
    assert await visited.page.evaluate("[document.dir, document.documentElement.lang]") == ["rtl", "ur"]
    assert await visited.page.evaluate(WIDTH) <= NARROW["width"]
    assert visited.complaints == []


@every_page
def test_it_is_well_formed_light_and_leads_somewhere(client: httpx.Client, path: str):
    answer = client.get(path)
    page = Read(answer.text)
    assert page.names.count("h1") == page.names.count("main") == 1
    assert len(set(page.ids)) == len(page.ids)
    assert all(url.startswith("/static/") for url in page.loaded)
    loaded = [client.get(url) for url in set(page.loaded)]
    assert all(each.status_code == 200 for each in loaded)
    if path != HOSTILE:  # whose texts alone weigh more
        assert len(answer.content) + sum(len(each.content) for each in loaded) < MOST_BYTES
    ours = {urljoin(path, link) for link in page.links if not urlsplit(link).netloc}
    for link in sorted(ours):
        target, _, fragment = link.partition("#")
        if fragment and urlsplit(target).path == urlsplit(path).path:
            assert fragment in page.ids, link


@every_page
def test_its_policy_admits_nothing_inline_and_nothing_foreign(client: httpx.Client, path: str):
    answer = client.get(path)
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"


@every_page
def test_it_is_not_sent_again_to_who_has_it(client: httpx.Client, path: str):
    if path == MISSING:
        return
    if path in UNKEPT:
        assert client.get(path).headers["Cache-Control"] == "no-store"
        assert client.get(path, params={"x": "1"}).status_code == 400
        return
    get, head = client.get(path), client.head(path)
    own = {"date": "", "x-request-id": ""}
    assert {**head.headers, **own} == {**get.headers, **own}
    assert head.content == b""
    again = client.get(path, headers={"If-None-Match": get.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert client.get(path, params={"x": "1"}).status_code == 400
