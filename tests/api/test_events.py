import json
from typing import Any

import pytest
from sqlalchemy import delete

from api.conftest import AGREEMENT, SOURCE, Service, planned, problem, registered, signed
from registry.access import EVERYTHING
from registry.api import history
from registry.http.parameters import next_cursor
from registry.store.tables import event_part

EVERY = history.Which(None, (), EVERYTHING)


@pytest.fixture
async def told(service: Service) -> Service:
    """A service with seven events: two of one agreement, five of another."""
    other = {"subject": "aut-deu-1955"}
    await service.batch(registered(), signed())
    await service.batch(registered("other", **other), *[planned(f"visit-{i}", **other) for i in range(4)])
    return service


def positions(response: Any) -> list[int]:
    return [int(each["sequence"]) for each in response.json()["events"]]


async def test_a_page_lists_events_in_the_order_of_the_log(told: Service):
    response = await told.get("/events")
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/json"
    assert positions(response) == [1, 2, 3, 4, 5, 6, 7]
    assert response.headers["Registry-Position"] == "7"
    assert "next" not in response.json()
    assert "Link" not in response.headers


async def test_pages_lead_from_one_to_the_next(service_on_any: Service):
    await service_on_any.batch(registered(), signed(), *[planned(f"visit-{i}") for i in range(5)])
    seen, path = [], "/events?limit=3"
    while path:
        response = await service_on_any.get(path)
        seen.append(positions(response))
        path = response.links["next"]["url"] if "next" in response.links else ""
        assert ("next" in response.json()) == bool(path)
    assert seen == [[1, 2, 3], [4, 5, 6], [7]]


async def test_a_filter_is_kept_from_page_to_page(told: Service):
    first = await told.get(f"/events?limit=1&agreement={AGREEMENT}")
    assert positions(first) == [1]
    second = await told.get(first.links["next"]["url"])
    assert positions(second) == [2]
    assert "next" not in second.links


async def test_events_are_filtered_by_type_and_agreement(told: Service):
    assert positions(await told.get("/events?type=agreement.registered.v1")) == [1, 3]
    several = "agreement.registered.v1,agreement.signed.v1"
    assert positions(await told.get(f"/events?type={several}")) == [1, 2, 3]
    assert positions(await told.get(f"/events?type={several}&agreement=aut-deu-1955")) == [3]
    assert positions(await told.get("/events?agreement=nobody-knows-it")) == []


async def test_a_page_begins_behind_a_position(told: Service):
    assert positions(await told.get("/events?after=5")) == [6, 7]
    assert positions(await told.get("/events?after=7")) == []
    assert positions(await told.get(f"/events?cursor={next_cursor(6)}")) == [7]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=1001", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=%EF%BC%91", "limit"),
        ("limit=1&limit=2", "limit"),
        ("after=-1", "after"),
        ("after=1_0", "after"),
        ("after=01", "after"),
        ("after=99999999999999999999", "after"),
        ("cursor=nonsense", "cursor"),
        ("cursor=", "cursor"),
        (f"cursor={next_cursor(1)}%3D", "cursor"),
        (f"cursor={next_cursor(1)}&after=1", "after"),
        ("type=agreement.unheard-of.v1", "type"),
        ("type=", "type"),
        ("agreement=Not%20An%20Id", "agreement"),
        ("agreement=abc%00", "agreement"),
        ("offset=3", "offset"),
        ("known_as_of=3", "known_as_of"),
        ("%ff=1", "%ff"),
        ("limit=%zz", "limit"),
        ("&", ""),
    ],
)
async def test_a_parameter_that_is_unknown_repeated_or_bad_is_a_400(
    told: Service, query: str, parameter: str
):
    response = await told.get(f"/events?{query}")
    assert [fault["parameter"] for fault in problem(response, 400, "malformed")["errors"]] == [parameter]


async def test_one_event_is_the_cloudevent_that_was_posted(told: Service):
    response = await told.get("/events/2")
    assert response.headers["Content-Type"] == "application/cloudevents+json"
    given = response.json()
    assert {name: given[name] for name in signed()} == signed()
    assert given["sequence"] == "0000000000000000002"
    assert given["agreementversion"] == 2
    assert given["recordedtime"].endswith("Z")
    assert set(given) - set(signed()) == {"sequence", "agreementversion", "recordedtime", "leafhash"}


@pytest.mark.parametrize(
    "position", ["0", "8", "-1", "01", "1.0", "x", "%EF%BC%91", "99999999999999999999", "1%00"]
)
async def test_a_position_without_an_event_is_a_404(told: Service, position: str):
    problem(await told.get(f"/events/{position}"), 404, "not-found")


async def test_an_event_is_not_sent_again_to_who_has_it(told: Service):
    first = await told.get("/events/2")
    assert first.headers["Cache-Control"] == "private, no-cache"
    again = await told.get("/events/2", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    assert again.content == b""
    assert again.headers["ETag"] == first.headers["ETag"]
    assert (await told.get("/events/1")).headers["ETag"] != first.headers["ETag"]


async def test_an_erased_part_changes_the_etag_of_its_event(told: Service):
    before = await told.get("/events/2")
    writer = told.app.state.sequencer._writer
    with writer._engine.begin() as connection:
        connection.execute(delete(event_part).where(event_part.c.position == 2, event_part.c.part_no == 1))
    after = await told.get("/events/2", headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.json()["erasedparts"] == "1"
    assert after.json()["data"]["signatures"][0]["capacity"] == {"$part": 1}
    assert after.json()["leafhash"] == before.json()["leafhash"]


async def test_a_page_is_not_sent_again_to_who_has_it(told: Service):
    first = await told.get("/events?limit=3")
    again = await told.get("/events?limit=3", headers={"If-None-Match": first.headers["ETag"]})
    assert again.status_code == 304
    await told.post(planned("visit-9"))
    whole = await told.get("/events")
    assert (await told.get("/events", headers={"If-None-Match": first.headers["ETag"]})).status_code == 200
    assert positions(whole)[-1] == 8


NDJSON = {"Accept": "application/x-ndjson"}


def lines(response: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in response.content.splitlines()]


async def test_the_whole_history_is_a_stream_of_lines(told: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(history, "STREAM_PAGE", 3)
    response = await told.get("/events", headers=NDJSON)
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert response.headers["Registry-Position"] == "7"
    assert response.content.endswith(b"}\n")
    assert [int(each["sequence"]) for each in lines(response)] == [1, 2, 3, 4, 5, 6, 7]
    assert lines(response)[1] == (await told.get("/events/2")).json()


async def test_a_stream_is_filtered_and_begins_behind_a_position(
    told: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(history, "STREAM_PAGE", 2)
    found = await told.get("/events?after=2&type=agreement.engagement-planned.v1", headers=NDJSON)
    assert [int(each["sequence"]) for each in lines(found)] == [4, 5, 6, 7]
    assert lines(await told.get("/events?agreement=nobody-knows-it", headers=NDJSON)) == []


async def test_an_empty_log_is_an_empty_stream(service: Service):
    response = await service.get("/events", headers=NDJSON)
    assert response.status_code == 200
    assert response.content == b""


@pytest.mark.parametrize("query", ["limit=3", f"cursor={next_cursor(1)}"])
async def test_a_stream_has_no_pages(told: Service, query: str):
    problem(await told.get(f"/events?{query}", headers=NDJSON), 400, "malformed")


@pytest.mark.parametrize("accept", ["text/csv", "text/html", "image/png", "application/json;q=0"])
async def test_a_form_that_events_do_not_have_is_a_406(told: Service, accept: str):
    said = problem(await told.get("/events", headers={"Accept": accept}), 406, "not-acceptable")
    assert "application/x-ndjson" in said["detail"]


@pytest.mark.parametrize(
    "accept", ["", "*/*", "application/json", "application/*", "text/html, */*;q=0.8", "application/json;q=x"]
)
async def test_a_page_is_what_comes_unless_lines_are_asked_for(told: Service, accept: str):
    response = await told.get("/events", headers={"Accept": accept})
    assert response.headers["Content-Type"] == "application/json"


async def test_a_stream_ends_where_the_log_ended_when_it_was_asked_for(
    told: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(history, "FIRST_PAGE", 2)
    monkeypatch.setattr(history, "next_size", lambda size, length: size)
    ended_at_five = history.lines(told.app.state.reader, 0, 5, EVERY)
    assert [chunk.count(b"\n") async for chunk in ended_at_five] == [2, 2, 1]


async def test_a_stream_reads_one_page_further_than_it_is_taken(
    told: Service, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(history, "FIRST_PAGE", 2)
    monkeypatch.setattr(history, "next_size", lambda size, length: size)
    reader = told.app.state.reader
    read, pages = reader.page, []
    monkeypatch.setattr(reader, "page", lambda *args, **kwargs: pages.append(args) or read(*args, **kwargs))
    taken = history.lines(reader, 0, 7, EVERY)
    await anext(taken)
    assert pages in ([(0, 2)], [(0, 2), (2, 2)])
    await anext(taken)
    assert pages in ([(0, 2), (2, 2)], [(0, 2), (2, 2), (4, 2)])
    await taken.aclose()


@pytest.mark.parametrize("path", ["/events", "/events/1", "/events?limit=2"])
async def test_head_has_the_headers_of_get_and_no_body(told: Service, path: str):
    get, head = await told.get(path), await told.head(path)
    assert head.headers == get.headers
    assert head.content == b""
    assert head.status_code == get.status_code


async def test_head_of_a_stream_reads_nothing(told: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(told.app.state.reader, "page", None)
    response = await told.head("/events", headers=NDJSON)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/x-ndjson"
    assert response.content == b""


async def test_events_of_many_sources_stand_side_by_side(service: Service):
    await service.batch(registered(), registered("second", source="https://a.example/"))
    response = await service.get("/events")
    assert [each["source"] for each in response.json()["events"]] == [SOURCE, "https://a.example/"]
