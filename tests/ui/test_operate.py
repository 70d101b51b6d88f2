"""The page of whoever operates the registry: what it tells, and what can be done there."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Iterator

import httpx
import pytest
from playwright.async_api import Page

from registry.access import SCOPES
from ui.conftest import Guarded, in_browser

Tab = Callable[..., Awaitable[Page]]
STORY = "pak-slv-2025-digital-assets"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def client(guarded: Guarded) -> Iterator[httpx.Client]:
    """Whoever may do everything, on a page of the registry."""
    headers = {
        "Accept": "text/html",
        "Sec-Fetch-Site": "same-origin",
        "Authorization": f"Bearer {guarded.key(*SCOPES, label='Operator')}",
    }
    with httpx.Client(base_url=guarded.url, headers=headers) as client:
        yield client


async def unparked(page: Page) -> bool:
    """Wait until nothing is parked any more."""
    for _ in range(100):
        await page.goto("/operate")
        if not await page.locator("#parked ~ article").count():
            return True
        await asyncio.sleep(0.1)
    return False


@in_browser
async def test_a_parked_agreement_is_tried_again_without_a_script(tab: Tab, guarded: Guarded):
    page = await tab("/operate", key=guarded.key("admin"), java_script_enabled=False)
    guarded.park(STORY)
    await page.reload()
    parked = page.locator("#parked ~ article")
    assert STORY in await parked.inner_text()
    assert "ValueError" in await parked.inner_text()
    assert "a secret" not in await page.content()
    await page.get_by_role("button", name="Try again").click()
    assert f"{STORY} is tried again." in await page.locator("[role=status]").inner_text()
    assert await unparked(page)


@in_browser
async def test_a_parked_agreement_is_skipped_after_a_question(tab: Tab, guarded: Guarded):
    page = await tab("/operate", key=guarded.key("admin"))
    guarded.park("another")
    await page.reload()
    await page.get_by_role("link", name="Skip", exact=True).click()
    assert "The log is not changed" in await page.inner_text("main")
    await page.get_by_role("link", name="Leave it").click()
    await page.get_by_role("link", name="Skip", exact=True).click()
    await page.get_by_role("button", name="Skip").click()
    assert "another was skipped." in await page.locator("[role=status]").inner_text()
    assert await unparked(page)


@in_browser
async def test_a_key_is_made_shown_once_and_revoked(tab: Tab, guarded: Guarded):
    page = await tab("/operate", key=guarded.key("admin"), java_script_enabled=False)
    await page.locator("summary", has_text="Make a key").click()
    await page.fill("#label", "Gazette <b>")
    await page.check("[name='events:write']")
    await page.fill("#sources", "https://gazette.example/\nhttps://other.example/")
    await page.fill("#expires", "2099-12-31")
    await page.get_by_role("button", name="Make a key").click()
    key = await page.inner_text("#the-key")
    bearer = {"Authorization": f"Bearer {key}"}
    assert httpx.post(f"{guarded.url}/events", headers=bearer).status_code == 415
    assert "Gazette <b>" in await page.inner_text("main")
    await page.get_by_role("link", name="I have kept it").click()
    assert key not in await page.content()
    row = page.locator("tr", has_text="Gazette <b>")
    assert "https://gazette.example/" in await row.inner_text()
    await row.get_by_role("link").click()
    await page.get_by_role("button", name="Revoke").click()
    assert "The key of Gazette <b> was revoked." in await page.locator("[role=status]").inner_text()
    assert "revoked" in await row.inner_text()
    assert httpx.post(f"{guarded.url}/events", headers=bearer).status_code == 401


def test_it_tells_how_everything_does(client: httpx.Client):
    answer = client.get("/operate")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    for said in ("institutions_and_people", "The log stands where it was last seen", "No witness is asked."):
        assert said in answer.text
    client.post("/events", headers={"Content-Type": "application/cloudevents+json"}, content=b"{}")
    shown = client.get("/operate").text
    assert "<code>invalid-event</code>" in shown
    assert client.get(f"/a/{STORY}", headers={"Access-Reason": "An audit"}).status_code == 200
    shown = client.get("/operate").text
    assert "An audit" in shown
    assert "<code>GET /a/{id}</code>" in shown
    assert client.head("/operate").content == b""


def test_a_read_model_is_built_anew(client: httpx.Client):
    def generation() -> int:
        row = r'facts</th><td class="number">1</td><td class="number">(\d+)<'
        return max(map(int, re.findall(row, client.get("/operate").text)))

    before = generation()
    answer = client.post("/operate/projections/facts/rebuild", headers=FORM)
    assert answer.status_code == 303
    assert re.fullmatch(r"/operate\?done=(rebuilt|rebuilding)&about=facts", answer.headers["Location"])
    assert "facts" in client.get(answer.headers["Location"]).text
    deadline = time.monotonic() + 20
    while generation() == before:
        assert time.monotonic() < deadline


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("POST", "/operate/projections/none/rebuild", 404),
        ("POST", "/operate/projections/none/parked/x/retry", 404),
        ("POST", "/operate/projections/facts/parked/x/retry", 404),
        ("POST", "/operate/projections/facts/parked/x/skip", 404),
        ("GET", "/operate/projections/facts/parked/x/skip", 404),
        ("GET", "/operate/projections/none/parked/x/skip", 404),
        ("GET", "/operate/keys/none/revoke", 404),
        ("POST", "/operate/keys/none/revoke", 404),
        ("GET", "/operate?done=nothing", 400),
        ("GET", "/operate/keys/none/revoke?x=1", 400),
    ],
)
def test_what_is_not_there_cannot_be_acted_on(client: httpx.Client, method: str, path: str, status: int):
    assert client.request(method, path, headers=FORM).status_code == status


@pytest.mark.parametrize(
    ("fields", "place", "says"),
    [
        ({"label": "", "admin": "on"}, "label", "printable"),
        ({"label": "x"}, "scopes", "could do nothing"),
        ({"label": "x", "admin": "on", "sources": "no uri"}, "sources", ""),
        ({"label": "x", "admin": "on", "parties": "PAK"}, "parties", ""),
        ({"label": "x", "admin": "on", "expires": "2001-01-01"}, "expires", "is over"),
        ({"label": "x", "admin": "on", "expires": "soon"}, "expires", "no day"),
    ],
)
def test_what_makes_no_key_is_said_beside_its_field(
    client: httpx.Client, fields: dict[str, str], place: str, says: str
):
    answer = client.post("/operate/keys", data=fields)
    assert answer.status_code == 422
    assert re.search(rf'id="flaw-{place}">[^<]*{says}', answer.text)
    assert client.post("/operate/keys", data={**fields, "other": "x"}).status_code == 400


def test_it_is_for_those_who_operate(guarded: Guarded):
    with httpx.Client(base_url=guarded.url, headers={"Accept": "text/html"}) as client:
        asked = client.get("/operate")
        assert (asked.status_code, asked.headers["Location"]) == (303, "/sign-in?next=%2Foperate")
        client.headers["Authorization"] = f"Bearer {guarded.key('events:read', 'events:write')}"
        assert client.get("/operate").status_code == 403
        here = {"Sec-Fetch-Site": "same-origin", **FORM}
        assert client.post("/operate/projections/facts/rebuild", headers=here).status_code == 403


def test_restricted_agreements_are_told_to_those_alone_who_may_see_them(
    client: httpx.Client, guarded: Guarded
):
    party = {"id": "a", "kind": "other", "name": {"en": "A"}}
    data = {"title": {"en": "x"}, "parties": [party, party | {"id": "b"}], "visibility": "restricted"}
    event = {"specversion": "1.0", "id": "1", "source": "/hidden", "subject": "hidden-one", "data": data}
    event["type"] = "agreement.registered.v1"
    headers = {"Content-Type": "application/cloudevents+json"}
    assert client.post("/events", json=event, headers=headers).status_code == 201
    assert client.post("/events", json=event | {"id": "2"}, headers=headers).status_code == 409
    assert "hidden-one" in client.get("/operate").text
    blind = {"Authorization": f"Bearer {guarded.key('admin')}"}
    assert "hidden-one" not in client.get("/operate", headers=blind).text
