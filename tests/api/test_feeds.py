import re
import xml.etree.ElementTree as ET
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from sqlalchemy import delete

from api.conftest import AGREEMENT, Service, event, planned, problem, registered, signed
from registry.api import feeds
from registry.api.atom import write_feed
from registry.domain.envelope import Recorded
from registry.domain.events import TitleGiven
from registry.store.tables import event_part

A = "{http://www.w3.org/2005/Atom}"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
OWN = f"/agreements/{AGREEMENT}/feed.atom"
PATHS = (OWN, "/parties/pak/feed.atom", "/feed.atom")

# RFC 3339, as RFC 4287 section 3.3 narrows it: an upper-case T, and an upper-case Z or an offset.
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")
MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]+/[A-Za-z0-9!#$&^_.+-]+")
ONCE_IN_FEED = {"id", "title", "updated"}
MOST_ONCE_IN_FEED = {"generator", "icon", "logo", "rights", "subtitle"}
ANY_IN_FEED = {"author", "category", "contributor", "link", "entry"}
ONCE_IN_ENTRY = {"id", "title", "updated"}
MOST_ONCE_IN_ENTRY = {"content", "published", "rights", "source", "summary"}
ANY_IN_ENTRY = {"author", "category", "contributor", "link"}
PERSON = {"name", "uri", "email"}
LINK = {"href", "rel", "type", "hreflang", "title", "length"}


def check(content: bytes) -> ET.Element:
    """Hold a document to what RFC 4287 demands of a feed, and return it."""
    assert content.startswith(b"<?xml")
    feed = ET.fromstring(content)  # raises unless it is well-formed
    assert feed.tag == f"{A}feed"
    assert set(feed.attrib) <= {XML_LANG}
    check_children(feed, ONCE_IN_FEED, MOST_ONCE_IN_FEED, ANY_IN_FEED)
    entries = feed.findall(f"{A}entry")
    assert list(feed)[len(feed) - len(entries) :] == entries
    if any(entry.find(f"{A}author") is None for entry in entries):  # 4.1.1: authors here or in every entry
        assert feed.find(f"{A}author") is not None
    selves = [link for link in feed.findall(f"{A}link") if link.get("rel") == "self"]
    assert len(selves) == 1
    for entry in entries:
        check_children(entry, ONCE_IN_ENTRY, MOST_ONCE_IN_ENTRY, ANY_IN_ENTRY)
        alternates = [
            link for link in entry.findall(f"{A}link") if link.get("rel", "alternate") == "alternate"
        ]
        assert alternates or entry.find(f"{A}content") is not None  # 4.1.2
        kinds = [(link.get("type"), link.get("hreflang")) for link in alternates]
        assert len(kinds) == len(set(kinds))
    ids = [text(one, "id") for one in (feed, *entries)]
    assert len(ids) == len(set(ids))
    for one in (feed, *entries):
        check_constructs(one)
    return feed


def check_children(parent: ET.Element, once: set[str], most_once: set[str], any_number: set[str]) -> None:
    names = [child.tag.removeprefix(A) for child in parent]
    assert set(names) <= once | most_once | any_number
    assert all(names.count(name) == 1 for name in once)
    assert all(names.count(name) <= 1 for name in most_once)


def check_constructs(parent: ET.Element) -> None:
    assert urlsplit(text(parent, "id")).scheme  # 4.2.6: an IRI, never a relative one
    for name in ("updated", "published"):
        if (found := parent.find(A + name)) is not None:
            assert DATE.fullmatch(found.text or "")
            datetime.fromisoformat(found.text or "")
    for name in ("title", "subtitle", "summary", "rights"):
        for found in parent.findall(A + name):
            assert found.get("type", "text") == "text"
            assert not list(found)  # 3.1.1.1: plain text has no child elements
    for person in parent.findall(f"{A}author"):
        names = [child.tag.removeprefix(A) for child in person]
        assert set(names) <= PERSON
        assert names.count("name") == 1
        assert len(names) == len(set(names))
        assert text(person, "name")
    for link in parent.findall(f"{A}link"):
        assert set(link.attrib) <= LINK
        assert link.attrib["href"]
        assert MEDIA_TYPE.fullmatch(link.get("type", "a/b"))
        assert not list(link)
        assert not link.text
    for category in parent.findall(f"{A}category"):
        assert category.attrib["term"]


def text(parent: ET.Element, name: str) -> str:
    return parent.findtext(A + name) or ""


def links(parent: ET.Element) -> dict[str, str]:
    return {link.attrib["rel"]: link.attrib["href"] for link in parent.findall(f"{A}link")}


def positions(feed: ET.Element) -> list[int]:
    return [int(links(entry)["alternate"].rpartition("/")[2]) for entry in feed.findall(f"{A}entry")]


async def read(service: Service, path: str, **headers: str) -> Any:
    behind = f"{'&' if '?' in path else '?'}min_position={service.app.state.reader.head().size}"
    response = await service.get(path + behind, headers={"Prefer": "wait=20", **headers})
    assert response.status_code in (200, 304), response.text
    return response


async def feed_of(service: Service, path: str) -> ET.Element:
    return check((await read(service, path)).content)


@pytest.fixture
async def told(service: Service) -> Service:
    """Three events of one agreement, and one of another."""
    other = registered("other", subject="aut-deu-1955", source="/offices/vienna")
    other["data"]["parties"] = [
        {"id": "aut", "kind": "state", "name": {"de": "Österreich"}},
        {"id": "deu", "kind": "state", "name": {"de": "Deutschland"}},
    ]
    cites = [{"publication_id": "gazette", "basis": "stated"}]
    visit = planned("visit-1")
    visit["data"]["cites"] = [*cites, *cites]
    assert (await service.batch(registered(), signed(), other, visit)).status_code == 201
    return service


async def test_a_feed_has_the_events_the_newest_first(told: Service):
    response = await read(told, OWN)
    assert response.headers["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert response.headers["Registry-Position"] == "4"
    feed = check(response.content)
    assert positions(feed) == [4, 2, 1]
    assert text(feed, "title") == "A letter"
    newest = feed.find(f"{A}entry")
    assert newest is not None
    assert text(feed, "updated") == text(newest, "updated") == text(newest, "published")
    recorded = (await told.get("/events/4")).json()["recordedtime"]
    assert text(newest, "updated") == recorded


async def test_an_entry_says_in_words_what_its_event_says(told: Service):
    feed = await feed_of(told, "/feed.atom")
    visit, founding, signature, _ = feed.findall(f"{A}entry")
    assert text(signature, "title") == "Signed for pak, slv on 2025-07-16"
    assert text(visit, "title") == "Visit expected"
    assert [one.text for one in signature.findall(f"{A}author/*")] == ["https://report-b.example/"] * 2
    assert [one.text for one in founding.findall(f"{A}author/*")] == ["/offices/vienna"]
    assert text(visit, "summary").startswith(
        f"Agreement {AGREEMENT}: claimed by https://report-b.example/ as event visit-1, citing gazette. Recorded on "
    )
    assert links(visit)["related"] == f"/agreements/{AGREEMENT}"
    category = signature.find(f"{A}category")
    assert category is not None
    assert category.attrib == {"term": "agreement.signed.v1"}
    receipt = (await told.post(signed())).json()
    assert text(signature, "id") == f"urn:uuid:{receipt['event_uuid']}"


async def test_nobody_is_named_and_an_erasure_changes_nothing(told: Service):
    before = await read(told, OWN)
    assert b"Signatory" not in before.content
    assert b"Minister" not in before.content
    with told.app.state.sequencer._writer._engine.begin() as connection:
        connection.execute(delete(event_part).where(event_part.c.position == 2, event_part.c.part_no == 1))
    assert (await read(told, "/feed.atom")).content.count(b"<entry>") == 4


async def test_what_was_erased_altogether_says_so(told: Service):
    with told.app.state.sequencer._writer._engine.begin() as connection:
        connection.execute(delete(event_part).where(event_part.c.position == 2))
    feed = await feed_of(told, "/feed.atom")
    assert text(feed.findall(f"{A}entry")[2], "title") == "Signed (erased)"


@pytest.mark.parametrize("path", PATHS)
async def test_every_feed_is_valid_and_is_not_sent_again_unchanged(told: Service, path: str):
    first = await read(told, path)
    check(first.content)
    again = await read(told, path, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    await told.post(planned("visit-2"))
    after = await read(told, path, **{"If-None-Match": first.headers["ETag"]})
    assert after.status_code == 200
    feed = check(after.content)
    assert positions(feed)[0] == 5
    assert text(feed, "id") == text(check(first.content), "id")


async def test_each_feed_has_the_events_of_its_agreements(told: Service):
    assert positions(await feed_of(told, "/feed.atom")) == [4, 3, 2, 1]
    assert positions(await feed_of(told, "/parties/slv/feed.atom")) == [4, 2, 1]
    assert positions(await feed_of(told, "/parties/deu/feed.atom")) == [3]
    assert positions(await feed_of(told, "/agreements/aut-deu-1955/feed.atom")) == [3]
    ids = {text(await feed_of(told, path), "id") for path in PATHS}
    assert len(ids) == 3


@pytest.mark.parametrize("path", PATHS)
async def test_pages_lead_to_the_first_event(
    service_on_any: Service, path: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(feeds, "MOST_ENTRIES", 3)
    await service_on_any.batch(registered(), *(planned(f"visit-{i}") for i in range(6)))
    found, page = [], path
    while page:
        feed = await feed_of(service_on_any, page)
        assert links(feed)["self"] == page
        assert links(feed)["first"] == path
        found.append(positions(feed))
        page = links(feed).get("next", "")
    assert found == [[7, 6, 5], [4, 3, 2], [1]]


@pytest.mark.parametrize("path", PATHS)
async def test_a_page_before_everything_is_empty_and_valid(told: Service, path: str):
    feed = await feed_of(told, f"{path}?before=1")
    assert positions(feed) == []
    assert text(feed, "updated") == "1970-01-01T00:00:00.000000Z"
    assert positions(await feed_of(told, f"{path}?before=99"))[0] == 4


async def test_the_feed_of_an_empty_log_is_empty_and_valid(service: Service):
    assert positions(check((await service.get("/feed.atom")).content)) == []


@pytest.mark.parametrize(
    "path",
    [
        "/agreements/nobody-knows-it/feed.atom",
        "/agreements/No%20Id/feed.atom",
        "/parties/nobody/feed.atom",
        "/parties/No%20Id/feed.atom",
    ],
)
async def test_what_there_is_not_has_no_feed(told: Service, path: str):
    response = await told.get(f"{path}?min_position=4", headers={"Prefer": "wait=20"})
    problem(response, 404, "not-found")


@pytest.mark.parametrize("query", ["before=0", "before=x", "after=1", "limit=3"])
async def test_a_parameter_that_is_unknown_or_bad_is_a_400(told: Service, query: str):
    problem(await told.get(f"/feed.atom?{query}"), 400, "malformed")


@pytest.mark.parametrize("stray", ["\ufffe", "\uffff", "\x00", "\x1b", "<b>&amp;]]>", "\u2028", "\U0001f4c5"])
def test_any_text_makes_a_well_formed_feed(stray: str):
    one = Recorded(
        position=1,
        version=1,
        recorded_at=1,
        source="https://a.example/?a=1&b=<2>",
        id="e<1>",
        type="agreement.title-given.v1",
        subject="one",
        data=TitleGiven(title={"en": f"a{stray}b"}),
    )
    feed = check(
        write_feed(f"c{stray}d", [one], origin="o", path="/feed.atom", here="/feed.atom", onward=None)
    )
    kept = stray if stray.isprintable() or stray == "\u2028" else "\ufffd"
    assert text(feed, "title") == f"c{kept}d"
    title = feed.findtext(f"{A}entry/{A}title") or ""
    assert title == f"Called: a{' ' if stray == chr(0x2028) else kept}b"


async def test_a_correction_says_what_holds_now(told: Service):
    replacement = signed()["data"] | {"occurred": "2025-07-17"}
    target = {"source": signed()["source"], "id": "signed", "type": "agreement.signed.v1"}
    data = {"target": target, "replacement": replacement, "reason": "Mistyped.", "kind": "entry-error"}
    assert (await told.post(event("event-corrected", "fix", data))).status_code == 201
    newest = (await feed_of(told, OWN)).find(f"{A}entry")
    assert newest is not None
    assert text(newest, "title") == "Corrected: signed for pak, slv on 2025-07-17"
