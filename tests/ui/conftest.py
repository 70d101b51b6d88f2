"""One browser and one registry for all page tests.

Tests that use the browser are coroutines in the event loop of the session: mark each of them ``in_browser``.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, async_playwright

from cli.servers import serving
from registry.projections.catalogue import CATALOGUE
from registry.projections.parking import park
from registry.store.api_keys import KeyRequest, create
from registry.store.database import open_writer
from ui.chromium import FLAGS, chromium
from ui.world import BATCH, story, tell

in_browser = pytest.mark.asyncio(loop_scope="session")

Visit = Callable[..., Awaitable["Visited"]]


class Visited:
    """A page that was visited, and what it did that it should not."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.status = 0
        self.complaints: list[str] = []
        """Errors of scripts, violations of the content security policy, requests to other hosts."""


@pytest.fixture(scope="session")
def registry_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A registry that knows what ``world`` tells, where everybody may do everything."""
    database = f"sqlite:///{tmp_path_factory.mktemp('pages') / 'registry.db'}"
    with serving("serve", "--port", "0", database=database, auth="off") as server:
        tell(server.url)
        yield server.url


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """Chromium: the machine's, or the one that Playwright brought. Only where there is none are its tests skipped."""
    async with async_playwright() as playwright:
        found = chromium(playwright)
        if found is None:
            pytest.skip("there is no Chromium on this machine")
        running = await playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield running
        await running.close()


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, registry_url: str) -> AsyncIterator[Visit]:
    """Visits a path of the registry in a window of its own; options are those of a browser context."""
    contexts = []

    async def visited(path: str, **options: Any) -> Visited:
        context = await browser.new_context(base_url=registry_url, **options)
        contexts.append(context)
        found = Visited(await context.new_page())
        host = urlsplit(registry_url).netloc

        found.page.on("request", lambda request: _same_host(found, request.url, host))
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.on("console", lambda message: _heard(found, message))
        answer = await found.page.goto(path)
        assert answer is not None
        found.status = answer.status
        return found

    yield visited
    for context in contexts:
        await context.close()


def _same_host(found: Visited, url: str, host: str) -> None:
    if urlsplit(url).netloc != host:
        found.complaints.append(f"it asks {url}")


def _heard(found: Visited, message: Any) -> None:
    if message.type in ("error", "warning") and "404" not in message.text:
        found.complaints.append(message.text)


@pytest.fixture(scope="module")
def client(registry_url: str) -> Iterator[httpx.Client]:
    """A client that asks for pages, as a browser does."""
    with httpx.Client(base_url=registry_url, headers={"Accept": "text/html"}) as client:
        yield client


class Guarded(NamedTuple):
    """A registry that asks who is asking."""

    url: str
    database: str

    def key(self, *scopes: str, **bounds: Any) -> str:
        """Make a key in its database, as another process does."""
        engine = open_writer(self.database)
        _, key = create(engine, KeyRequest(**{"label": "a test", "scopes": scopes, **bounds}))
        engine.dispose()
        return key

    def park(self, agreement: str) -> str:
        """Park an agreement in a read model; returns the name of that."""
        engine = open_writer(self.database)
        with engine.begin() as connection:
            park(connection, CATALOGUE[0], agreement, 1, "ValueError")
        engine.dispose()
        return CATALOGUE[0].name


@pytest.fixture(scope="session")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """A registry with keys that knows the first report of the story."""
    database = f"sqlite:///{tmp_path_factory.mktemp('guarded') / 'registry.db'}"
    with serving("serve", "--port", "0", database=database) as server:
        running = Guarded(server.url, database)
        headers = {"Content-Type": BATCH, "Authorization": f"Bearer {running.key('events:write')}"}
        answer = httpx.post(f"{server.url}/events", content=json.dumps(story()[:29]), headers=headers)
        assert answer.status_code == 201, answer.text
        yield running


@pytest_asyncio.fixture(loop_scope="session")
async def tab(browser: Browser, guarded: Guarded) -> AsyncIterator[Callable[..., Awaitable[Page]]]:
    """Opens a window on the guarded registry; with ``key`` somebody has signed in there."""
    contexts = []

    async def opened(path: str = "/", *, key: str = "", **options: Any) -> Page:
        context = await browser.new_context(base_url=guarded.url, **options)
        contexts.append(context)
        page = await context.new_page()
        if key:
            await page.goto("/sign-in?next=%2Flimits")
            await page.fill("#key", key)
            await page.press("#key", "Enter")
            await page.wait_for_url("**/limits")
        await page.goto(path)
        return page

    yield opened
    for context in contexts:
        await context.close()
