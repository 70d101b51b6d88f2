import re
from base64 import b64encode
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from api.conftest import Service
from registry.api.docs import _kind
from registry.api.pages import prose
from registry.domain.events.event import EVENT_TYPES

PAGES = ("/docs", "/problems", "/problems/rejected")
VOID = {"meta", "br", "link", "hr", "img"}


class Checked(HTMLParser):
    """Reads a page, and holds every element to be closed where it was opened."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        given = dict(attrs)
        if "id" in given:
            self.ids.append(given["id"] or "")
        self.links += [given[name] or "" for name in ("href", "src") if name in given]
        assert "style" not in given
        assert not any(name.startswith("on") for name in given)
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


async def read(service: Service, path: str) -> Checked:
    response = await service.get(path)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    page = Checked()
    page.feed(response.text)
    assert page.open == []
    return page


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_well_formed_and_has_no_script_and_no_foreign_host(service: Service, path: str):
    page = await read(service, path)
    assert not {"script", "iframe", "img", "link", "form"} & set(page.names)
    assert page.names.count("h1") == page.names.count("main") == page.names.count("title") == 1
    assert len(set(page.ids)) == len(page.ids)
    assert all(link.startswith(("/", "#")) and not link.startswith("//") for link in page.links)


@pytest.mark.parametrize("path", PAGES)
async def test_every_link_leads_somewhere(service: Service, path: str):
    page = await read(service, path)
    for link in set(page.links):
        if link.startswith("#"):
            assert link[1:] in page.ids
        else:
            assert (await service.head(link)).status_code in {200, 503}, link  # not ready yet, maybe


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_allows_its_own_style_and_nothing_else(service: Service, path: str):
    response = await service.get(path)
    policy = response.headers["Content-Security-Policy"]
    (style,) = re.findall("<style>(.*?)</style>", response.text, re.DOTALL)
    assert f"'sha256-{b64encode(sha256(style.encode()).digest()).decode()}'" in policy
    assert "default-src 'none'" in policy
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "prefers-color-scheme: dark" in style


@pytest.mark.parametrize("path", PAGES)
async def test_a_page_is_not_sent_again_to_who_has_it(service: Service, path: str):
    get, head = await service.get(path), await service.head(path)
    assert (head.headers, head.content) == (get.headers, b"")
    again = await service.get(path, headers={"If-None-Match": get.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert (await service.get(f"{path}?x=1")).status_code == 400


async def test_the_documentation_tells_every_operation_and_every_event_type(service: Service):
    text = (await service.get("/docs")).text
    for path in ("/events", "/agreements/{id}", "/log/proof/inclusion", "/readyz"):
        assert f"<code>{path}</code>" in text
    page = await read(service, "/docs")
    assert EVENT_TYPES.keys() <= set(page.ids)
    assert "/problems/rejected" in page.links


def test_prose_is_escaped_before_its_code_is_marked():
    assert prose("a `<b>` & c") == "a <code>&lt;b&gt;</code> &amp; c"


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"$ref": "#/components/schemas/data.Place"}, '<a href="#data.Place">data.Place</a>'),
        ({"anyOf": [{"type": "string"}, {"type": "null"}]}, "string or null"),
        ({"type": "array", "items": {"type": "integer"}}, "list of integer"),
        ({"type": ["integer", "string"]}, "integer or string"),
        ({"enum": ["a", "<b>"]}, "<code>a</code>, <code>&lt;b&gt;</code>"),
        ({"const": "1.0"}, "<code>1.0</code>"),
        ({}, "anything"),
    ],
)
def test_the_kind_of_a_schema_is_said_in_a_few_words(schema: dict, words: str):
    assert _kind(schema) == words
