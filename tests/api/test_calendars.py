import re
import warnings
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import icalendar
import pytest

from api.conftest import AGREEMENT, Service, event, planned, problem, registered, serving
from registry.api import calendars
from registry.api.ical import write_calendar
from registry.domain.calendar import Item

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # what it imports from others is deprecated there
    import vobject

OWN = f"/agreements/{AGREEMENT}/calendar.ics"
PATHS = (OWN, "/parties/pak/calendar.ics", "/calendar.ics")
TEXT = "Ends; with, all\\ that\n is escaped: \u00fcber \U0001f4c5, " + "long " * 30


def meeting(id: str, when: str, **more: Any) -> Any:
    data = {"engagement_id": id, "kind": "meeting", "certainty": "scheduled", "when": when, **more}
    return event("engagement-planned", id, data)


def follow_up(id: str, due: str, **more: Any) -> Any:
    return event(
        "follow-up-scheduled", id, {"follow_up_id": id, "text": {"en": "Send; a plan"}, "due": due, **more}
    )


PLACE = {"name": "Islamabad, old town", "country": "PAK", "lat": "33.7", "lon": "-73.1"}
STORY = (
    registered(),
    meeting("visit-1", "2025-10-05", label={"en": TEXT}, place=PLACE),
    meeting("visit-2", "2025-11"),
    meeting("visit-3", "2026"),
    planned("visit-4"),
    event("engagement-cancelled", "off", {"engagement_id": "visit-2", "occurred": "2025-10-30"}),
    follow_up("plan", "2025-09-30"),
    follow_up("done", "2025-09"),
    event("follow-up-completed", "finished", {"follow_up_id": "done", "occurred": "2025-09-10"}),
)


@pytest.fixture
async def told(service: Service) -> Service:
    assert (await service.batch(*STORY)).status_code == 201
    return service


async def read(service: Service, path: str, **headers: str) -> Any:
    behind = f"{'&' if '?' in path else '?'}min_position={service.app.state.reader.head().size}"
    response = await service.get(path + behind, headers={"Prefer": "wait=20", **headers})
    assert response.status_code in (200, 304), response.text
    return response


def components(content: bytes, name: str) -> dict[str, Any]:
    """The components of a kind, by their summaries."""
    found = icalendar.Calendar.from_ical(content).walk(name)
    return {str(one["SUMMARY"]): one for one in found}


def lines(content: bytes) -> Iterator[str]:
    """Unfolded content lines, as RFC 5545 section 3.1 says."""
    assert content.endswith(b"END:VCALENDAR\r\n")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    yield from re.sub(b"\r\n[ \t]", b"", content).decode().removesuffix("\r\n").split("\r\n")


async def test_engagements_and_follow_ups_are_in_the_calendar_of_their_agreement(told: Service):
    response = await read(told, OWN)
    assert response.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert response.headers["Registry-Position"] == str(len(STORY))
    events = components(response.content, "VEVENT")
    assert set(events) == {
        f"{' '.join(TEXT.split())[:199]}… (pak, slv)"
        if len(TEXT) > 200
        else f"{' '.join(TEXT.split())} (pak, slv)",
        "Meeting visit-2 (pak, slv)",
        "Due: Send; a plan (pak, slv)",
    }
    first = next(one for summary, one in events.items() if summary.startswith("Ends"))
    assert (first.decoded("DTSTART"), first.decoded("DTEND")) == (date(2025, 10, 5), date(2025, 10, 6))
    assert first["STATUS"] == "CONFIRMED"
    assert first["TRANSP"] == "TRANSPARENT"
    assert first["LOCATION"] == "Islamabad, old town, PAK"
    assert (first["GEO"].latitude, first["GEO"].longitude) == (33.7, -73.1)
    assert first["URL"] == f"http://registry.test/agreements/{AGREEMENT}"
    second = events["Meeting visit-2 (pak, slv)"]
    assert (second.decoded("DTSTART"), second.decoded("DTEND")) == (date(2025, 11, 1), date(2025, 12, 1))
    assert second["STATUS"] == "CANCELLED"
    todos = icalendar.Calendar.from_ical(response.content).walk("VTODO")
    assert [(one.decoded("DUE"), one["STATUS"], one.get("PERCENT-COMPLETE")) for one in todos] == [
        (date(2025, 9, 30), "COMPLETED", 100),
        (date(2025, 9, 30), "NEEDS-ACTION", None),
    ]


async def test_two_independent_readers_understand_the_same(told: Service):
    content = (await read(told, OWN)).content
    theirs = vobject.readOne(content.decode())
    ours = icalendar.Calendar.from_ical(content)
    for kind, name in (("vevent", "VEVENT"), ("vtodo", "VTODO")):
        read_by_one = {one.uid.value: one for one in getattr(theirs, f"{kind}_list")}
        read_by_other = {str(one["UID"]): one for one in ours.walk(name)}
        assert set(read_by_one) == set(read_by_other)
        for uid, one in read_by_one.items():
            other = read_by_other[uid]
            assert one.summary.value == other["SUMMARY"]
            assert one.description.value == other["DESCRIPTION"]
            assert int(one.sequence.value) == other["SEQUENCE"]
            assert one.status.value == other["STATUS"]
            assert one.dtstamp.value == other.decoded("DTSTAMP")
    for one in theirs.vevent_list:
        assert one.dtstart.value < one.dtend.value


async def test_every_component_has_what_rfc_5545_demands(told: Service):
    content = (await read(told, OWN)).content
    assert list(lines(content))[:2] == ["BEGIN:VCALENDAR", "VERSION:2.0"]
    assert any(line.startswith("PRODID:") for line in lines(content))
    uids = [line for line in lines(content) if line.startswith("UID:")]
    assert len(uids) == len(set(uids)) == 6
    for name in ("VEVENT", "VTODO"):
        for one in icalendar.Calendar.from_ical(content).walk(name):
            assert {"UID", "DTSTAMP", "SEQUENCE"} <= set(one)
            assert one.decoded("DTSTAMP").utcoffset() == timedelta()
            assert one.decoded("DTSTAMP") == one.decoded("LAST-MODIFIED")


async def test_the_sequence_of_an_item_grows_with_its_changes_and_its_name_stays(told: Service):
    def second(content: bytes) -> Any:
        return components(content, "VEVENT")["Meeting visit-2 (pak, slv)"]

    before = second((await read(told, OWN)).content)
    await told.post(
        event(
            "engagement-rescheduled",
            "later",
            {"engagement_id": "visit-2", "occurred": "2025-10-01", "when": "2026-02-03"},
        )
    )
    after = second((await read(told, OWN)).content)
    assert after["UID"] == before["UID"]
    assert after["SEQUENCE"] > before["SEQUENCE"]
    assert after.decoded("DTSTART") == date(2026, 2, 3)


@pytest.mark.parametrize("path", PATHS)
async def test_the_same_items_are_the_same_bytes_and_are_not_sent_again(told: Service, path: str):
    first, second = await read(told, path), await read(told, path)
    assert first.content == second.content
    assert first.headers["ETag"] == second.headers["ETag"]
    again = await read(told, path, **{"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")
    await told.post(meeting("visit-9", "2025-12-24"))
    changed = await read(told, path, **{"If-None-Match": first.headers["ETag"]})
    assert changed.status_code == 200
    assert b"visit-9" in changed.content


async def test_the_calendar_of_a_party_and_of_all_have_what_the_agreements_have(service_on_any: Service):
    other = {"subject": "aut-deu-1955", "source": "https://other.example/"}
    await service_on_any.batch(*STORY)
    founding = registered(**other)
    founding["data"]["parties"] = [
        {"id": "aut", "kind": "state", "name": {"de": "Österreich"}},
        {"id": "deu", "kind": "state", "name": {"de": "Deutschland"}},
    ]
    await service_on_any.batch(founding, meeting("visit-1", "2025-01-01") | other)

    async def uids(path: str) -> list[str]:
        content = (await read(service_on_any, path)).content
        return [line for line in lines(content) if line.startswith("UID:")]

    own, others = await uids(OWN), await uids("/agreements/aut-deu-1955/calendar.ics")
    assert (len(own), len(others)) == (6, 1)
    assert await uids("/parties/slv/calendar.ics") == own
    assert await uids("/parties/deu/calendar.ics") == others
    assert await uids("/calendar.ics") == [*others, *own]
    assert await uids("/calendar.ics?to=2025-01-01") == others
    assert await uids("/calendar.ics?from=2025-11-30&to=2025-12-31") == own[-1:]
    assert await uids("/parties/slv/calendar.ics?to=2025-01-01") == []


async def test_a_large_calendar_keeps_what_ends_last(told: Service, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(calendars, "MOST_ITEMS", 1)
    (only,) = components((await read(told, "/calendar.ics")).content, "VEVENT")
    assert only.startswith("Meeting visit-2")


@pytest.mark.parametrize(
    "path",
    [
        "/agreements/nobody-knows-it/calendar.ics",
        "/agreements/No%20Id/calendar.ics",
        "/parties/nobody/calendar.ics",
        "/parties/No%20Id/calendar.ics",
    ],
)
async def test_what_there_is_not_has_no_calendar(told: Service, path: str):
    response = await told.get(path, params={"min_position": len(STORY)}, headers={"Prefer": "wait=20"})
    problem(response, 404, "not-found")


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (OWN, "from=2025-01-01"),
        ("/calendar.ics", "from=tomorrow"),
        ("/calendar.ics", "to=2025-02-30"),
        ("/calendar.ics", "valid_as_of=2025-01-01"),
        ("/parties/pak/calendar.ics", "party=pak"),
    ],
)
async def test_a_parameter_that_is_unknown_or_bad_is_a_400(told: Service, path: str, query: str):
    problem(await told.get(f"{path}?{query}"), 400, "malformed")


async def test_without_a_host_that_is_one_there_are_no_links(told: Service):
    content = (await read(told, OWN, Host="x'y")).content
    assert b"\r\nURL:" not in content
    assert (await read(told, OWN)).headers["ETag"] != (await read(told, OWN, Host="x'y")).headers["ETag"]


async def test_the_calendar_bears_the_title_of_its_agreement(told: Service):
    calendar = icalendar.Calendar.from_ical((await read(told, OWN)).content)
    assert calendar["NAME"] == calendar["X-WR-CALNAME"] == "A letter"


async def test_names_of_components_differ_between_logs(sqlite_url: str, tmp_path: Any):
    item = one_item()
    contents = {write_calendar("x", [item], origin=origin, site="") for origin in ("a.example", "b.example")}
    assert len({line for content in contents for line in lines(content) if line.startswith("UID")}) == 2


def one_item(**more: Any) -> Item:
    given: dict[str, Any] = {
        "agreement": "one",
        "kind": "engagement",
        "part": "m1",
        "first": date(2025, 1, 1),
        "last": date(2025, 1, 1),
        "summary": "x",
        "description": "y",
        "status": "confirmed",
        "category": "Meeting",
        "sequence": 1,
        "changed": 1_752_624_000_999_999,
    }
    return Item(**given | more)


def test_a_time_is_that_of_the_last_event_to_the_second():
    content = write_calendar("x", [one_item()], origin="a.example", site="")
    (one,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert one.decoded("DTSTAMP") == datetime(2025, 7, 16, tzinfo=UTC)


@pytest.mark.parametrize("stray", ["\u2028", "\u2029", "\r\n", "\n"])
def test_no_line_end_inside_a_text_ends_a_line(stray: str):
    content = write_calendar(
        f"a{stray}b", [one_item(summary=f"c{stray}d", description=f"e{stray}END:VEVENT")], origin="o", site=""
    )
    assert len(content.decode().splitlines()) == content.count(b"\r\n")
    (one,) = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert one["SUMMARY"] == "c\nd"
    assert one["DESCRIPTION"] == "e\nEND:VEVENT"


@pytest.mark.parametrize(
    ("kind", "status", "event_status", "todo_status"),
    [
        ("engagement", "confirmed", "CONFIRMED", None),
        ("engagement", "tentative", "TENTATIVE", None),
        ("engagement", "cancelled", "CANCELLED", None),
        ("follow-up", "open", "CONFIRMED", "NEEDS-ACTION"),
        ("follow-up", "progressed", "CONFIRMED", "IN-PROCESS"),
        ("follow-up", "completed", "CONFIRMED", "COMPLETED"),
        ("follow-up", "dropped", "CANCELLED", "CANCELLED"),
    ],
)
def test_each_status_is_one_of_rfc_5545(kind: Any, status: str, event_status: str, todo_status: str | None):
    content = write_calendar("x", [one_item(kind=kind, status=status)], origin="o", site="")
    calendar = icalendar.Calendar.from_ical(content)
    assert [one["STATUS"] for one in calendar.walk("VEVENT")] == [event_status]
    assert [one["STATUS"] for one in calendar.walk("VTODO")] == ([todo_status] if todo_status else [])


async def test_an_agreement_without_days_has_an_empty_calendar(sqlite_url: str):
    async with serving(sqlite_url) as service:
        await service.post(registered())
        content = (await read(service, OWN)).content
        assert list(lines(content))[-1] == "END:VCALENDAR"
        assert icalendar.Calendar.from_ical(content).walk("VEVENT") == []
