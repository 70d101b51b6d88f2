"""The list of agreements over HTTP, and by it what every list has: parameters, pages, forms and headers."""

import csv
import io
import json
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from api.conftest import SOURCE, Event, Service, event, problem, registered, serving, signed
from projections.reading import AGREEMENT, STORY
from registry.api.csv import cell, header_row, rows
from registry.api.listing import STREAM_PAGE
from registry.domain.values import Identifier
from registry.http.filters import MOST_VALUES, filters_of, parameters_of
from registry.http.parameters import BadParameter

EVENTS = 71
CSV = {"Accept": "text/csv"}
NDJSON = {"Accept": "application/x-ndjson"}


def lines(report: str) -> list[Event]:
    return [json.loads(line) for line in (STORY / f"{report}.ndjson").read_bytes().splitlines()]


@pytest.fixture
async def told(database_url: str) -> AsyncIterator[Service]:
    """A service that knows the story."""
    async with serving(database_url) as service:
        assert (await service.batch(*lines("report_a"), *lines("report_b"))).status_code == 201
        await seen(service, EVENTS)
        yield service


async def seen(service: Service, position: int, path: str = "/agreements") -> None:
    """Wait until a list has come to a position."""
    answer = await service.get(f"{path}?min_position={position}", headers={"Prefer": "wait=20"})
    assert answer.status_code == 200, answer.text


def agreements(number: int) -> list[Event]:
    return [
        event("registered", f"r{i}", titled(f"Agreement number {i}"), subject=f"agreement-{i:05}")
        for i in range(number)
    ]


def titled(title: str) -> dict[str, Any]:
    return {**registered()["data"], "title": {"en": title}}


@pytest.fixture
async def five(service: Service) -> Service:
    """A service with five agreements, ``agreement-00000`` to ``agreement-00004``."""
    assert (await service.batch(*agreements(5))).status_code == 201
    await seen(service, 5)
    return service


async def ids(service: Service, query: str = "") -> list[str]:
    answer = await service.get(f"/agreements?{query}")
    assert answer.status_code == 200, answer.text
    return [item["id"] for item in answer.json()["items"]]


async def test_the_story_is_listed_and_found(told: Service):
    (item,) = (await told.get("/agreements?valid_as_of=2026-01-01")).json()["items"]
    assert (item["id"], item["status"], item["status_label"]) == (AGREEMENT, "in-force", "in effect")
    assert [party["id"] for party in item["parties"]] == ["pak", "slv"]
    for query in (
        "q=digital+ass",
        "q=DIGITAL%20as%C3%A7",
        "party=slv",
        "pair=slv,pak",
        "kind=loi,mou",
        "legal_character=non-binding",
        "status=in-force&valid_as_of=2025-07-16",
        "status=registered&valid_as_of=2025-07-15",
        "area=digital-identity",
        "signed_from=2025-07-16&signed_to=2025-07-16",
        "place=San%20Salvador",
        "institution=slv-national-bitcoin-office",
        "disputed=true",
        "overdue=false",
        "updated_since=70",
        "updated_since=2020-01-01T00:00:00%2B01:00",
        "source=https://openvoicenews.example/",
    ):
        expected = [] if "%C3%A7" in query else [AGREEMENT]
        assert await ids(told, query) == expected, query
    for query in (
        "q=treaty",
        "party=fra",
        "disputed=false",
        "updated_since=71",
        "overdue=true",
        "kind=treaty",
    ):
        assert await ids(told, query) == [], query


@pytest.mark.parametrize(
    "query",
    [
        "known_as_of=5",
        "colour=red",
        "party=pak&party=slv",
        "party=P%20K",
        "pair=pak",
        "pair=pak,slv,fra",
        "kind=contract",
        "kind=loi,",
        "status=in%20force",
        "valid_as_of=today",
        "valid_as_of=2025-02-30",
        "signed_from=2025",
        "disputed=yes",
        "overdue=1",
        "person=somebody",
        "updated_since=yesterday",
        "q=",
        "q=%21%3F",
        "sort=colour",
        "sort=-",
        "limit=0",
        "limit=1001",
        "limit=ten",
        "cursor=abc",
        "cursor=",
        "cursor=%00",
        "source=two%20words",
        "subject=",
        "subject=%20",
        "place=",
        "place=%0A",
        "party=%FF",
        "party=%zz",
        "signed_to=2024-12-31&signed_from=2025-01-01",
        "party=" + ",".join(["pak"] * 2),
    ],
)
async def test_a_list_refuses_what_it_does_not_know(five: Service, query: str):
    refused = problem(await five.get(f"/agreements?{query}"), 400, "malformed")
    (fault,) = refused["errors"]
    assert fault["parameter"] == query.partition("=")[0]
    assert fault["detail"]


async def test_a_list_says_that_it_tells_what_is_known_now(five: Service):
    refused = problem(await five.get("/agreements?known_as_of=5"), 400, "malformed")
    assert "what is known now" in refused["detail"]


async def test_pages_link_to_the_next_with_the_same_filters(five: Service):
    found, path = [], "/agreements?party=pak&limit=2&sort=-title"
    while path:
        answer = await five.get(path)
        found.append([item["id"][-1] for item in answer.json()["items"]])
        link = answer.headers.get("Link")
        assert (link is None) == ("next" not in answer.json())
        path = link.partition(">")[0].removeprefix("<") if link else ""
        assert not path or ("party=pak" in path and "sort=-title" in path and path.endswith('"') is False)
    assert found == [["4", "3"], ["2", "1"], ["0"]]


async def test_a_cursor_of_another_list_filter_or_order_is_refused(five: Service):
    cursor = (await five.get("/agreements?limit=2")).json()["next"]
    assert (await five.get(f"/agreements?limit=1&cursor={cursor}")).json()["items"][0]["id"][-1] == "2"
    for path in (
        f"/agreements?cursor={cursor}&party=pak",
        f"/agreements?cursor={cursor}&sort=title",
        f"/agreements?cursor={cursor}&valid_as_of=2025-01-01",
        f"/parties?cursor={cursor}",
        f"/agreements?cursor={cursor}x",
    ):
        refused = problem(await five.get(path), 400, "malformed")
        assert "cursor" in refused["detail"]


async def test_a_page_has_a_strong_tag_and_its_position(five: Service):
    answer = await five.get("/agreements?limit=2")
    assert answer.headers["Registry-Position"] == "5"
    assert answer.headers["Vary"] == "Accept"
    assert answer.headers["ETag"].startswith('"')
    known = {"If-None-Match": answer.headers["ETag"]}
    again = await five.get("/agreements?limit=2", headers=known)
    assert (again.status_code, again.content, again.headers["Registry-Position"]) == (304, b"", "5")
    assert (await five.get("/agreements?limit=3", headers=known)).status_code == 200
    head = await five.head("/agreements?limit=2")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["ETag"] == answer.headers["ETag"]
    assert head.headers["Content-Length"] == str(len(answer.content))
    assert head.headers["Link"] == answer.headers["Link"]


async def test_a_tag_changes_with_what_is_shown(five: Service):
    before = await five.get("/agreements")
    await five.post(signed("s", subject="agreement-00001"))
    await seen(five, 6)
    after = await five.get("/agreements", headers={"If-None-Match": before.headers["ETag"]})
    assert (after.status_code, after.headers["Registry-Position"]) == (200, "6")


async def test_a_list_that_has_not_come_far_enough_says_so(five: Service):
    answer = await five.get("/agreements?min_position=6")
    assert answer.status_code in (503, 504)


async def test_the_whole_list_is_given_as_lines_of_json(five: Service):
    page = (await five.get("/agreements?sort=-id")).json()["items"]
    answer = await five.get("/agreements?sort=-id", headers=NDJSON)
    assert answer.headers["Content-Type"].startswith("application/x-ndjson")
    assert answer.headers["Registry-Position"] == "5"
    assert [json.loads(line) for line in answer.text.splitlines()] == page
    nothing = await five.get("/agreements?party=xyz", headers=NDJSON)
    assert (nothing.status_code, nothing.content) == (200, b"")


async def test_the_whole_list_is_given_as_a_table(told: Service):
    answer = await told.get("/agreements?valid_as_of=2026-01-01", headers=CSV)
    assert answer.headers["Content-Type"] == "text/csv; header=present; charset=utf-8"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="agreements.csv"'
    (row,) = csv.DictReader(io.StringIO(answer.text, newline=""))
    (item,) = (await told.get("/agreements?valid_as_of=2026-01-01")).json()["items"]
    assert list(row) == list(item)
    assert (row["id"], row["parties"], row["certain"], row["version"]) == (
        AGREEMENT,
        "pak; slv",
        "true",
        "71",
    )
    assert (row["disputed"], row["titles"]) == (
        "area.digital-identity.state",
        json.dumps(item["titles"], separators=(",", ":")),
    )
    nothing = await told.get("/agreements?party=xyz", headers=CSV)
    assert nothing.text.count("\r\n") == 1


async def test_the_head_of_a_stream_has_no_body(five: Service):
    for accept in (CSV, NDJSON):
        head = await five.head("/agreements", headers=accept)
        whole = await five.get("/agreements", headers=accept)
        assert head.headers["Content-Type"] == whole.headers["Content-Type"]
        assert (head.status_code, head.content, head.headers["Registry-Position"]) == (200, b"", "5")


async def test_a_long_list_is_streamed_page_by_page(service: Service):
    number = STREAM_PAGE + 20
    for start in range(0, number, 500):
        assert (await service.batch(*agreements(number)[start : start + 500])).status_code == 201
    await seen(service, number)
    streamed = await service.get("/agreements", headers=NDJSON)
    found = [json.loads(line)["id"] for line in streamed.text.splitlines()]
    assert found == [f"agreement-{i:05}" for i in range(number)]
    table = await service.get("/agreements?sort=-updated", headers=CSV)
    rows = list(csv.DictReader(io.StringIO(table.text, newline="")))
    assert [row["id"] for row in rows] == found[::-1]
    page = (await service.get("/agreements?limit=1000")).json()
    assert len(page["items"]) == 1000


async def test_each_whole_list_has_an_etag_of_its_own(five: Service):
    queries = ("", "?sort=-id", "?party=slv", "?valid_as_of=2020-01-01")
    asked = [(f"/agreements{query}", form) for query in queries for form in (CSV, NDJSON)]
    tags = [(await five.get(path, headers=form)).headers["ETag"] for path, form in asked]
    assert len(set(tags)) == len(asked)
    await five.post(signed("s", subject="agreement-00001"))
    await seen(five, 6)
    for (path, form), tag in zip(asked, tags, strict=True):
        assert (await five.get(path, headers=form | {"If-None-Match": tag})).status_code == 200


async def test_a_stream_is_not_cut_in_pages(five: Service):
    for accept in (CSV, NDJSON):
        for query in ("limit=1", "cursor=x"):
            problem(await five.get(f"/agreements?{query}", headers=accept), 400, "malformed")


@pytest.mark.parametrize(
    "accept", ["text/html", "application/xml;q=0.9, image/*", "text/csv;q=0", "*/*;q=0.0", "a", ";q=1"]
)
async def test_a_form_that_lists_do_not_have_is_a_406(five: Service, accept: str):
    problem(await five.get("/agreements", headers={"Accept": accept}), 406, "not-acceptable")


async def test_what_the_client_likes_best_is_chosen(five: Service):
    for accept, given in (
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv, */*", "text/csv"),
        ("text/csv;q=0, */*;q=0.1", "application/json"),
        ("text/csv;q=0.5, application/json", "application/json"),
        ("text/*", "text/csv"),
        ("application/x-ndjson, text/csv;q=0.1", "application/x-ndjson"),
    ):
        answer = await five.get("/agreements", headers={"Accept": accept})
        assert answer.headers["Content-Type"].startswith(given), accept


async def test_no_cell_of_a_table_is_a_formula(service: Service):
    title = '=HYPERLINK("http://evil.example","x")\n, and "more"'
    await service.post(event("registered", "r", titled(title)))
    await seen(service, 1)
    text = (await service.get("/agreements", headers=CSV)).text
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["title"] == f"'{title}"


def test_cells_are_written_as_rfc_4180_says():
    assert cell("plain") == "plain"
    assert cell("a,b") == '"a,b"'
    assert cell('say "x"') == '"say ""x"""'
    assert cell("two\r\nlines") == '"two\r\nlines"'
    assert cell("") == ""
    for text in (
        "=1",
        "+1",
        "-1",
        "@x",
        "\tx",
        "\rx",
        "\nx",
        " =1",
        "\uff1d1",
        "\uff0b1",
        "\uff0d1",
        "\uff201",
    ):
        assert cell(text).strip('"') == f"'{text}"


def test_a_table_cut_at_semicolons_or_line_ends_has_no_formula_either():
    assert cell("a;=1") == '"a;\'=1"'
    assert cell("a; +1;@x") == "\"a; '+1;'@x\""
    assert cell("a\n=1\r\n -1\t\uff1d1") == "\"a\n'=1\r\n '-1\t'\uff1d1\""
    assert cell("a; b-c = 1") == '"a; b-c = 1"'


class Thing(msgspec.Struct):
    name: str
    number: int | None = None
    day: date | None = None
    yes: bool = True
    tags: tuple[str, ...] = ()
    inner: dict[str, int] = {}
    renamed: str = msgspec.field(name="from", default="x")


def test_items_are_written_one_a_row():
    assert header_row(Thing) == b"name,number,day,yes,tags,inner,from\r\n"
    assert rows([]) == b""
    one = Thing("é", -5, date(2025, 7, 16), yes=False, tags=("a", "b"), inner={"n": 1})
    assert rows([one, Thing("y")]) == (
        'é,\'-5,2025-07-16,false,"a; b","{""n"":1}",x\r\ny,,,true,,{},x\r\n'.encode()
    )


class Colour:
    """A type of a filter that reads itself."""

    PATTERN = "^(red|green)$"

    def __init__(self, name: str) -> None:
        self.name = name

    @classmethod
    def parse(cls, text: str) -> "Colour":
        if text not in ("red", "green"):
            raise ValueError("is no colour")
        return cls(text)


class Filters(msgspec.Struct, kw_only=True):
    text: Annotated[str, Meta(description="Any text")] | None = None
    party: Annotated[Identifier, Meta(description="A party")] | None = None
    word: Literal["a", "b"] | None = None
    words: Annotated[tuple[Literal["a", "b-c"], ...], Meta(description="Some words")] | None = None
    pair: Annotated[tuple[Identifier, Identifier], Meta(description="Two")] | None = None
    several: tuple[int, ...] | None = None
    any: tuple[str, ...] | None = None
    number: int | None = None
    day: date | None = None
    yes: bool | None = None
    colour: Annotated[Colour, Meta(description="A colour")] | None = None
    short: Annotated[str, Meta(max_length=3)] | None = None
    from_: date | None = msgspec.field(name="from", default=None)
    day_from: date | None = None
    day_to: date | None = None


def test_filters_are_read_by_their_types():
    given = {
        "text": "a,b",
        "party": "pak",
        "word": "a",
        "words": "a,b-c",
        "pair": "x,y",
        "several": "1,-2",
        "number": "12",
        "day": "2025-07-16",
        "yes": "false",
        "colour": "red",
        "from": "2025-01-01",
    }
    found = filters_of(Filters, given, {"short": "xyz"})
    assert found.colour is not None
    assert (found.text, found.party, found.word, found.words) == ("a,b", "pak", "a", ("a", "b-c"))
    assert (found.pair, found.several, found.number) == (("x", "y"), (1, -2), 12)
    assert (found.day, found.yes, found.colour.name) == (date(2025, 7, 16), False, "red")
    assert (found.from_, found.short) == (date(2025, 1, 1), "xyz")
    assert filters_of(Filters, {}, {}) == Filters()


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("party", "P", "is not an id"),
        ("word", "c", "is none of a, b"),
        ("words", "a,c", "is none of a, b-c"),
        ("pair", "x", "has not 2 values"),
        ("pair", "x,Y", "is not an id"),
        ("several", "1,x", "is no such number"),
        ("several", ",".join(["1"] * (MOST_VALUES + 1)), "has more than"),
        ("number", "1.0", "is no such number"),
        ("number", "\uff11", "is no such number"),
        ("number", "01", "is no such number"),
        ("day", "2025-7-1", "is no day"),
        ("yes", "True", "is neither true nor false"),
        ("colour", "blue", "is no colour"),
        ("short", "long", "has not its form"),
        ("from", "x", "is no day"),
    ],
)
def test_what_is_no_value_of_a_filter_is_refused_in_words(name: str, text: str, reason: str):
    with pytest.raises(BadParameter) as refused:
        filters_of(Filters, {name: text}, {})
    assert refused.value.parameter == name
    assert refused.value.reason.startswith(reason)


def test_a_range_may_be_one_day_and_must_not_end_before_it_begins():
    one = {"day_from": "2025-07-16", "day_to": "2025-07-16"}
    assert filters_of(Filters, one, {}).day_to == date(2025, 7, 16)
    with pytest.raises(BadParameter) as refused:
        filters_of(Filters, {**one, "day_to": "2025-07-15"}, {})
    assert (refused.value.parameter, refused.value.reason) == ("day_to", "is before day_from")


def test_filters_are_described_as_the_texts_they_are():
    described = {one.name: one for one in parameters_of(Filters)}
    assert list(described) == [field.encode_name for field in msgspec.structs.fields(Filters)]
    assert described["text"].description == "Any text"
    assert described["day"].schema == {"type": "string", "format": "date"}
    assert described["word"].schema == {"enum": ["a", "b"]}
    assert described["words"].schema == {"type": "string", "pattern": r"^(a|b\-c)(,(a|b\-c))*$"}
    assert described["words"].description == "Some words; several separated by commas"
    assert described["several"].schema == {
        "type": "string",
        "pattern": "^(0|-?[1-9][0-9]*)(,(0|-?[1-9][0-9]*))*$",
    }
    one = "([a-z0-9][a-z0-9-]{0,79})"
    assert described["pair"].schema == {"type": "string", "pattern": f"^{one}(,{one}){{1}}$"}
    assert described["pair"].description == "Two"
    assert described["any"].schema == {"type": "string", "pattern": "^([^,]*)(,([^,]*))*$"}
    assert described["colour"].schema == {"type": "string", "pattern": "^(red|green)$"}


async def test_the_timeline_of_an_agreement_is_a_list(told: Service):
    path = f"/agreements/{AGREEMENT}/timeline"
    await seen(told, EVENTS, path)
    answer = await told.get(path + "?what=signed,engagement-held")
    assert answer.headers["Registry-Position"] == str(EVENTS)
    assert sorted((item["date"], item["what"]) for item in answer.json()["items"]) == [
        ("../2025-07-16", "engagement-held"),
        ("../2025-07-17", "engagement-held"),
        ("2025-07-16", "engagement-held"),
        ("2025-07-16", "signed"),
    ]
    problem(await told.get(path + "?what=signed,sealed"), 400, "malformed")
    table = await told.get(path, headers=CSV)
    assert table.text.startswith("agreement,what,field,part,date,")
    problem(await told.get(path + "?agreement=other"), 400, "malformed")
    problem(await told.get("/agreements/no-such-agreement/timeline"), 404, "not-found")
    problem(await told.get("/agreements/No%20Such/timeline"), 404, "not-found")


async def test_an_agreement_is_listed_as_soon_as_its_receipt_is_seen(service: Service):
    receipt = (await service.post(event("registered", "r", titled("One"), source=SOURCE))).json()
    await seen(service, receipt["position"])
    assert await ids(service) == [AGREEMENT]
