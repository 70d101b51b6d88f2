"""Signing in to the pages and out of them: from where, with what, and where it leads."""

import re
import time
from collections.abc import Awaitable, Callable

import httpx
import pytest
from playwright.async_api import Page

from cli.servers import serving
from ui.conftest import Guarded, in_browser
from ui.world import BATCH, story

Tab = Callable[..., Awaitable[Page]]
HERE = {"Sec-Fetch-Site": "same-origin"}
READS = ("agreements:read", "events:read")


@pytest.fixture
def client(guarded: Guarded):
    """A browser without its window, on a page of the registry."""
    with httpx.Client(base_url=guarded.url, headers={"Accept": "text/html", **HERE}) as client:
        yield client


def sign_in(client: httpx.Client, key: str, **fields: str) -> httpx.Response:
    return client.post("/sign-in", data={"key": key, **fields})


@in_browser
async def test_signing_in_leads_to_where_one_wanted_to_go_and_out_again(tab: Tab, guarded: Guarded):
    page = await tab("/log?type=agreement.signed.v1", java_script_enabled=False)
    assert "/sign-in?next=" in page.url
    await page.fill("#key", guarded.key(*READS, label="Reading room"))
    await page.get_by_role("button", name="Sign in").click()
    assert page.url == f"{guarded.url}/log?type=agreement.signed.v1"
    assert "Reading room" in await page.locator(".who").inner_text()
    (cookie,) = await page.context.cookies()
    assert (cookie["httpOnly"], cookie["sameSite"], cookie["path"]) == (True, "Strict", "/")
    assert not await page.locator('nav a[href="/operate"]').count()
    await page.get_by_role("button", name="Sign out").click()
    assert "You have signed out." in await page.inner_text("main")
    assert await page.context.cookies() == []
    await page.goto("/log")
    assert "/sign-in?next=" in page.url


@in_browser
async def test_a_wrong_key_says_so_and_is_not_shown_again(tab: Tab):
    page = await tab("/sign-in")
    await page.fill("#key", "agr_guess_of_somebody")
    await page.press("#key", "Enter")
    assert "does not hold" in await page.locator("[role=alert]").inner_text()
    assert "agr_guess_of_somebody" not in await page.content()
    assert await page.context.cookies() == []


@in_browser
async def test_another_site_cannot_make_a_browser_sign_in_or_out(tab: Tab, guarded: Guarded):
    page = await tab("/", key=guarded.key(*READS))
    for path in ("/sign-in", "/sign-out", "/operate/keys", "/post"):
        await page.goto("about:blank")
        form = (
            f'<form action="{guarded.url}{path}" method="post"><input name="key"><button>go</button></form>'
        )
        await page.set_content(form)
        async with page.expect_navigation():
            await page.click("button")
        assert "Error 40" in await page.inner_text("main")
    await page.goto("/")
    assert await page.get_by_role("button", name="Sign out").count() == 1


@pytest.mark.parametrize(
    "target",
    [
        "https://elsewhere.example/",
        "//elsewhere.example/",
        "/\\elsewhere.example/",
        "javascript:alert(1)",
        "elsewhere",
        "/a b",
        "/\u00e4",
        "/\n/elsewhere.example",
        "/" + "a" * 3000,
    ],
)
def test_it_leads_to_no_other_host(client: httpx.Client, guarded: Guarded, target: str):
    assert client.get("/sign-in", params={"next": target}).status_code == 400
    answer = sign_in(client, guarded.key(*READS), next=target)
    assert answer.status_code == 400
    assert not {"Location", "Set-Cookie"} & {name.title() for name in answer.headers}


def test_every_reason_against_a_key_is_told_alike_and_late(client: httpx.Client, guarded: Guarded):
    good = guarded.key(*READS)
    texts = set()
    for key in ("", "guess", good[:-1], good.replace(good[10], "x" if good[10] != "x" else "y")):
        began = time.monotonic()
        answer = sign_in(client, key)
        assert time.monotonic() - began >= 0.5
        assert answer.status_code == 401
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"
        texts.add(re.sub(r"\s+", " ", answer.text))
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none", "Origin": "null"}, 403),
        ({"Content-Type": "application/json"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
    ],
)
def test_what_is_no_form_of_a_page_is_refused(
    client: httpx.Client, guarded: Guarded, headers: dict[str, str], status: int
):
    answer = client.post("/sign-in", data={"key": guarded.key(*READS)}, headers=headers)
    assert answer.status_code == status
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"key=a&key=b", 400),
        (b"other=a", 400),
        (b"key=%ff", 400),
        (b"key=\xff", 400),
        (b"key=" + b"a" * 20_000, 413),
        (b"&" * 4000, 413),
        (b"key=a&reason=%00", 422),
        (b"key=a&reason=" + b"a" * 201, 422),
    ],
)
def test_a_form_that_cannot_be_read_is_refused(client: httpx.Client, body: bytes, status: int):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/sign-in", content=body, headers=form).status_code == status


def test_a_form_that_says_nothing_of_where_it_comes_from_is_refused(guarded: Guarded):
    answer = httpx.post(f"{guarded.url}/sign-in", data={"key": guarded.key(*READS)})
    assert answer.status_code == 403
    assert answer.json()["type"] == "/problems/cross-site"
    bearer = {"Authorization": f"Bearer {guarded.key('admin')}"}
    assert httpx.post(f"{guarded.url}/operate/keys", headers=bearer).status_code == 403


def test_signing_out_without_having_signed_in_harms_nobody(client: httpx.Client):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    answer = client.post("/sign-out", headers=form)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/sign-in?out=yes")
    assert client.get("/sign-in?out=no").status_code == 400


@pytest.fixture(scope="module")
def asks_why(tmp_path_factory: pytest.TempPathFactory):
    """A registry that shows personal values for a reason alone."""
    database = f"sqlite:///{tmp_path_factory.mktemp('why') / 'registry.db'}"
    with serving(
        "serve", "--port", "0", database=database, require_reason="true", failure_rate="3"
    ) as server:
        running = Guarded(server.url, database)
        headers = {"Content-Type": BATCH, "Authorization": f"Bearer {running.key('events:write')}"}
        assert httpx.post(f"{server.url}/events", json=story()[:29], headers=headers).status_code == 201
        yield running


def test_where_a_reason_is_required_a_page_says_so_and_takes_it(asks_why: Guarded):
    page = "/a/pak-slv-2025-digital-assets"
    with httpx.Client(base_url=asks_why.url, headers={"Accept": "text/html", **HERE}) as client:
        key = asks_why.key(*READS, "parts:read", "admin")
        assert "Why you read personal values" in client.get("/sign-in").text
        assert sign_in(client, key).status_code == 303
        asked = client.get(page)
        assert asked.status_code == 400
        assert "Say why you read this" in asked.text
        assert f'value="{page}"' in asked.text
        refused = client.post("/sign-in", data={"key": "", "next": page, "reason": "\x07"})
        assert refused.status_code == 422
        given = client.post("/sign-in", data={"next": page, "reason": "A request of the court, Größe 3"})
        assert (given.status_code, given.headers["Location"]) == (303, page)
        assert "HttpOnly; SameSite=Strict" in given.headers["Set-Cookie"]
        assert client.get(page).status_code == 200
        assert "A request of the court, Größe 3" in client.get("/operate").text
        program = {"Authorization": f"Bearer {key}", "Accept": "application/json"}
        bundle = {"agreement": page[3:]}
        assert client.get("/log/bundle", params=bundle, headers=program).status_code == 400
        form = {"Content-Type": "application/x-www-form-urlencoded"}
        gone = client.post("/sign-out", headers=form).headers.get_list("Set-Cookie")
        assert [cookie.partition(";")[0] for cookie in gone] == ["registry_session=", "registry_reason="]


def test_a_reason_can_be_given_with_the_key(asks_why: Guarded):
    page = "/a/pak-slv-2025-digital-assets"
    with httpx.Client(base_url=asks_why.url, headers={"Accept": "text/html", **HERE}) as client:
        key = asks_why.key(*READS, "parts:read")
        assert sign_in(client, key, reason="An audit").headers["Location"] == "/"
        assert client.get(page).status_code == 200
        assert len(client.cookies) == 2


def test_after_some_keys_that_do_not_hold_an_address_has_to_wait(asks_why: Guarded):
    with httpx.Client(base_url=asks_why.url, headers={"Accept": "text/html", **HERE}) as client:
        good = asks_why.key(*READS)
        answers = [sign_in(client, "guess") for _ in range(4)]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429]
        assert int(answers[-1].headers["Retry-After"]) >= 1
        assert "Try again in a minute." in answers[-1].text
        assert sign_in(client, good).status_code == 429


def test_without_authentication_it_says_so(registry_url: str):
    with httpx.Client(base_url=registry_url, headers={"Accept": "text/html", **HERE}) as client:
        assert "without authentication" in client.get("/sign-in").text
        assert "Nobody has to sign in here" in client.get("/").text
        assert client.post("/sign-in", data={"key": "x", "next": "/log"}).headers["Location"] == "/log"
        assert client.post("/operate/keys", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
