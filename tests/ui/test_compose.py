"""Posting by a form: filled in, looked at, recorded once; whatever is wrong is said beside its field."""

import re
from collections.abc import Awaitable, Callable, Iterator
from html import unescape

import httpx
import pytest
from playwright.async_api import Page

from ui.conftest import Guarded, in_browser

Tab = Callable[..., Awaitable[Page]]
SIGNED, TERMINATED = "agreement.signed.v1", "agreement.terminated.v1"
REGISTERED = "agreement.registered.v1"
DESK = "https://desk.example/"


@pytest.fixture(scope="module")
def poster(guarded: Guarded) -> str:
    return guarded.key("events:write", "agreements:read", "events:read", label="Desk", sources=(DESK,))


@pytest.fixture(scope="module")
def client(guarded: Guarded, poster: str) -> Iterator[httpx.Client]:
    headers = {"Accept": "text/html", "Sec-Fetch-Site": "same-origin", "Authorization": f"Bearer {poster}"}
    with httpx.Client(base_url=guarded.url, headers=headers) as client:
        yield client


def filled(agreement: str, **fields: str) -> dict[str, str]:
    """A form that registers an agreement."""
    return {
        "/type": REGISTERED,
        "/source": DESK,
        "/subject": agreement,
        "/id": f"{agreement}-1",
        "/data/title/0/tag": "en",
        "/data/title/0/text": "A letter",
        "/data/parties/0/id": "pak",
        "/data/parties/0/kind": "state",
        "/data/parties/0/name/0/tag": "en",
        "/data/parties/0/name/0/text": "Pakistan",
        "/data/parties/1/id": "slv",
        "/data/parties/1/kind": "state",
        "/data/parties/1/name/0/tag": "en",
        "/data/parties/1/name/0/text": "El Salvador",
        **fields,
    }


def size(client: httpx.Client) -> int:
    return int(client.get("/log", headers={"Accept": "application/json"}).json()["size"])


def flaws(answer: httpx.Response) -> list[str]:
    return [unescape(found) for found in re.findall(r'class="flaw"[^>]*>([^<]*)<', answer.text)]


async def register(page: Page, agreement: str) -> None:
    """Fill in the form as somebody does who has a mouse."""
    await page.get_by_role("link", name="registered", exact=True).click()
    await page.fill('[id="/subject"]', agreement)
    for place, text in filled(agreement).items():
        if place.startswith("/data") and place.endswith(("/text", "/id")):
            await page.fill(f'[id="{place}"]', text)
    for row in (0, 1):
        await page.select_option(f'[id="/data/parties/{row}/kind"]', "state")


@pytest.mark.parametrize("script", [True, False])
@in_browser
async def test_an_event_is_looked_at_before_it_is_recorded(
    tab: Tab, guarded: Guarded, poster: str, script: bool
):
    agreement = f"by-form-{script}".lower()
    page = await tab("/post", key=poster, java_script_enabled=script)
    await register(page, agreement)
    assert await page.input_value('[id="/source"]') == DESK
    await page.get_by_role("button", name="Add: subjects").click()
    await page.fill('[id="/data/subjects/0"]', "trade")
    await page.get_by_role("button", name="Look at it first").click()
    assert "It would be taken, as version 1" in await page.inner_text("main")
    assert '"subjects": [\n' in (raw := await page.inner_text("pre"))
    assert '"trade"' in raw
    await page.get_by_role("button", name="Change it").click()
    await page.fill('[id="/data/title/0/text"]', "Letter of Intent")
    await page.get_by_role("button", name="Look at it first").click()
    await page.get_by_role("button", name="Record it for ever").click()
    assert "It is recorded." in await page.inner_text("main")
    position = re.sub(r"\D", "", await page.inner_text("h1"))
    assert await page.locator(f'a[href="/verify?position={position}"]').count() == 1
    await page.locator("dl a").click()
    assert "Letter of Intent" in await page.inner_text("h1")


@in_browser
async def test_what_is_wrong_is_said_beside_its_field(tab: Tab, poster: str):
    page = await tab(f"/post?type={SIGNED}&agreement=pak-slv-2025-digital-assets", key=poster)
    await page.fill('[id="/data/occurred"]', "last week")
    await page.press('[id="/data/occurred"]', "Enter")
    notice = page.locator("#wrong")
    assert "It would not be taken like this." in await notice.inner_text()
    await notice.locator('a[href="#/data/occurred"]').click()
    field = page.locator('[id="/data/occurred"]')
    assert await field.get_attribute("aria-invalid") == "true"
    described = (await field.get_attribute("aria-describedby") or "").split()
    assert len(described) == 2
    for id in described:
        assert await page.locator(f'[id="{id}"]').count() == 1
    assert await page.input_value('[id="/data/occurred"]') == "last week"


@in_browser
async def test_a_warning_is_shown_and_hinders_nothing(tab: Tab, poster: str, client: httpx.Client):
    assert client.post("/post", data={**filled("warned"), "do": "post"}).status_code == 201
    page = await tab(f"/post?type={TERMINATED}&agreement=warned", key=poster)
    await page.fill('[id="/data/date"]', "2025-08-01")
    await page.select_option('[id="/data/ground"]', "consent")
    await page.get_by_role("button", name="Look at it first").click()
    assert "termination-without-entry-into-force" in await page.inner_text(".then")
    await page.get_by_role("button", name="Record it for ever").click()
    assert "termination-without-entry-into-force" in await page.inner_text(".then")


@in_browser
async def test_the_keyboard_alone_is_enough(tab: Tab, poster: str):
    page = await tab("/post?type=agreement.title-given.v1&agreement=pak-slv-2025-digital-assets", key=poster)

    async def to(id: str) -> None:
        for _ in range(60):
            await page.keyboard.press("Tab")
            if await page.evaluate("document.activeElement.id || document.activeElement.value || ''") == id:
                return
        raise AssertionError(id)

    await to("/data/title/0/tag")
    await page.keyboard.press("Control+A")
    await page.keyboard.type("es")
    await to("/data/title/0/text")
    await page.keyboard.type("Carta de intenci\u00f3n")
    await to("preview")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("pre")
    assert '"es": "Carta de intenci\u00f3n"' in await page.inner_text("pre")
    await to("post")
    await page.keyboard.press("Enter")
    await page.wait_for_selector("dl.course")
    assert "It is recorded." in await page.inner_text("main")


def test_a_form_that_is_sent_twice_is_recorded_once(client: httpx.Client):
    form = {**filled("twice"), "do": "post"}
    first, again = client.post("/post", data=form), client.post("/post", data=form)
    assert (first.status_code, again.status_code) == (201, 200)
    assert "had been recorded before" in again.text
    looked = client.post("/post", data=filled("twice"))
    assert "It has been recorded before, as version 1." in looked.text
    other = client.post("/post", data=filled("twice", **{"/data/title/0/text": "Another"}))
    assert other.status_code == 409
    assert "with other content" in other.text


def test_looking_records_nothing_and_what_is_refused_is_kept_in_memory(
    client: httpx.Client, guarded: Guarded
):
    before = size(client)
    assert client.post("/post", data=filled("looked-at")).status_code == 200
    signed = {"/type": SIGNED, "/source": DESK, "/subject": "none-such", "/id": "1", "/data/occurred": "2025"}
    signed["/data/signatures/0/party"] = "pak"
    refused = client.post("/post", data={**signed, "do": "post"})
    assert refused.status_code == 409
    assert "unknown-agreement" in refused.text
    elsewhere = client.post("/post", data=filled("elsewhere", **{"/source": "https://elsewhere.example/"}))
    assert elsewhere.status_code == 403
    assert any("not as 'https://elsewhere.example/'" in flaw for flaw in flaws(elsewhere))
    assert size(client) == before
    operator = {"Authorization": f"Bearer {guarded.key('admin')}"}
    shown = client.get("/operate", headers=operator).text
    assert "<code>unknown-agreement</code></td><td><bdi>none-such</bdi></td><td><bdi>Desk</bdi>" in shown


def test_rows_are_added_filled_with_new_ids_and_taken_out(client: httpx.Client):
    form = {"/type": SIGNED, "/subject": "x", "/data/signatures/0/party": "pak", "/data/occurred": ""}
    added = client.post("/post", data={**form, "do": "add:/data/signatures"})
    assert 'id="/data/signatures/1/party"' in added.text
    assert "add:/data/signatures" not in added.text  # there are two parties
    person = "/data/signatures/1/actor/person/person_id"
    fresh = client.post("/post", data={**form, "/data/signatures/1/party": "slv", "do": f"fresh:{person}"})
    assert re.search(rf'id="{person}" name="{person}" value="[0-9a-f-]{{36}}"', fresh.text)
    two = {**form, "/data/signatures/1/party": "slv", "do": "remove:/data/signatures/0"}
    left = client.post("/post", data=two)
    assert 'id="/data/signatures/0/party" name="/data/signatures/0/party" value="slv"' in left.text
    assert 'id="/data/signatures/1/party"' not in left.text


@pytest.mark.parametrize(
    ("fields", "status", "says"),
    [
        ({"/subject": "A B"}, 422, ""),
        ({"/subject": ""}, 422, "is required"),
        ({"/source": "mailto:somebody@example.com"}, 422, ""),
        ({"/id": "x" * 200}, 422, ""),
        ({"/correlationid": "\x00"}, 400, "NUL"),
        ({"/data/title/0/text": ""}, 422, "is required"),
        ({"/data/title/0/tag": "English"}, 422, ""),
        ({"/data/title/1/tag": "en", "/data/title/1/text": "B"}, 400, "already"),
        ({"/data/parties/1/id": "pak"}, 409, ""),
        ({"/data/parties/0/kind": "planet"}, 422, ""),
        ({"/data/parties/1/id": "", "/data/parties/1/kind": "", "/data/parties/1/name/0/text": ""}, 422, ""),
        ({"/data/title/0/text": "a" * 30_000}, 422, ""),
        ({"/data/title/0/text": "a\x07b"}, 422, ""),
        ({"/data/cites/0/locator": "x"}, 422, "is required"),
        ({"/data/parties/2/id": "nor"}, 422, ""),
    ],
)
def test_a_claim_that_cannot_be_is_given_back_with_its_flaws(
    client: httpx.Client, fields: dict[str, str], status: int, says: str
):
    before = size(client)
    for act in ("preview", "post"):
        answer = client.post("/post", data={**filled("flawed-one", **fields), "do": act})
        assert answer.status_code == status, answer.text
        assert "It would not be taken like this." in answer.text
        assert any(says in flaw for flaw in flaws(answer)) or "Rejected" in answer.text
    assert size(client) == before


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"/type": "agreement.no-such.v1"}, 400),
        ({"/type": "agreement.personal-data-erased.v1"}, 400),
        ({"do": "launch"}, 400),
        ({"do": "add:/data/nothing"}, 400),
        ({"do": "remove:/data/title"}, 400),
        ({"do": "fresh:/data/parties"}, 400),
        ({"/data/nothing": "x"}, 400),
        ({"/data/parties/99/id": "x"}, 400),
        ({"/data/parties/9999999/id": "x"}, 400),
        ({"/specversion": "2.0"}, 400),
    ],
)
def test_a_form_that_is_none_of_ours_is_refused(client: httpx.Client, fields: dict[str, str], status: int):
    assert client.post("/post", data={**filled("strange"), **fields}).status_code == status


def test_an_event_that_is_too_large_is_refused(client: httpx.Client):
    long = {
        f"/data/title/{n}/{part}": text
        for n in range(20)
        for part, text in (("tag", f"en-x-{n}"), ("text", "a" * 15_000))
    }
    assert client.post("/post", data=filled("large", **long)).status_code == 413
    # On a connection of its own, as the service closes one on which so much is left over.
    headers = {**client.headers, "Content-Type": "application/x-www-form-urlencoded"}
    assert (
        httpx.post(client.base_url.join("/post"), content=b"a" * 1_100_000, headers=headers).status_code
        == 413
    )


def test_hostile_texts_stay_texts(client: httpx.Client):
    hostile = "\"'><script>alert(1)</script></textarea>\n\u202e"
    fields = {
        "/data/title/0/text": hostile,
        "/data/subjects/0": hostile.replace("\n", " "),
        "/subject": hostile,
    }
    for act in ("preview", "back", "add:/data/cites"):
        answer = client.post("/post", data={**filled("x", **fields), "do": act})
        assert "<script>alert" not in answer.text
    good = {"/data/title/0/text": hostile, "/subject": "hostile-form"}
    assert "<script>alert" not in client.post("/post", data=filled("hostile-form", **good)).text


def test_a_correction_takes_its_replacement_as_json(client: httpx.Client):
    form = {
        "/type": "agreement.event-corrected.v1",
        "/source": DESK,
        "/subject": "corrected",
        "/id": "2",
        "/data/target/source": DESK,
        "/data/target/id": "corrected-1",
        "/data/target/type": REGISTERED,
        "/data/reason": "A slip",
        "/data/kind": "entry-error",
    }
    assert client.post("/post", data={**filled("corrected"), "do": "post"}).status_code == 201
    for wrong in ("{", '{"a": 1, "a": 2}', "1.5"):
        answer = client.post("/post", data={**form, "/data/replacement": wrong})
        assert answer.status_code == 400
        assert flaws(answer)
    raw = '{"title": {"en": "B"}, "parties": [{"id": "pak", "kind": "state", "name": {"en": "Pakistan"}}, '
    raw += '{"id": "slv", "kind": "state", "name": {"en": "El Salvador"}}]}'
    answer = client.post("/post", data={**form, "/data/replacement": raw})
    assert answer.status_code == 200, flaws(answer)


def test_a_truth_is_said_or_not(client: httpx.Client):
    form = {"/type": "agreement.fact-recorded.v1", "/source": DESK, "/subject": "pak-slv-2025-digital-assets"}
    form |= {"/id": "t", "/data/fact_id": "t", "/data/about": "pak", "/data/predicate": "x"}
    assert '"truth": true' in unescape(client.post("/post", data={**form, "/data/truth": "true"}).text)
    assert client.post("/post", data={**form, "/data/truth": "perhaps"}).status_code == 422
    assert client.post("/post", data=form).status_code == 409


def test_only_those_who_may_post_get_the_form(guarded: Guarded):
    with httpx.Client(base_url=guarded.url, headers={"Accept": "text/html"}) as client:
        assert client.get("/post").headers["Location"] == "/sign-in?next=%2Fpost"
        client.headers["Authorization"] = f"Bearer {guarded.key('events:read')}"
        assert client.get("/post").status_code == 403


@pytest.mark.parametrize(
    "query", ["type=none", "agreement=A", "type=agreement.personal-data-erased.v1", "x=1"]
)
def test_a_form_that_does_not_exist_is_not_shown(client: httpx.Client, query: str):
    assert client.get(f"/post?{query}").status_code == 400
