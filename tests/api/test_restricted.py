"""Restricted agreements: to whoever may not see them it is as if they had never been registered."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from html import escape
from typing import Any

import pytest

from api.conftest import BATCH, Event, problem
from api.guarded import Guarded, guarding
from api.listening import listening
from api.walking import NDJSON, Known, Read, caught_up, differing, walk
from projections.reading import STORY
from registry.access import (
    AGREEMENTS_READ,
    AGREEMENTS_RESTRICTED,
    EVENTS_READ,
    EVENTS_WRITE,
    PARTS_READ,
    SCOPES,
)
from registry.api.example_events import posted_examples
from registry.store.restricted import find_all

SECRET = "pak-slv-2026-secret"
STORY_ID = "pak-slv-2025-digital-assets"
SOURCE = "https://report-b.example/"
EVERYTHING = tuple(SCOPES)


def story() -> list[Event]:
    return [
        json.loads(line)
        for report in ("report_a", "report_b")
        for line in (STORY / f"{report}.ndjson").read_text().splitlines()
    ]


def secret(agreement: str = SECRET, visibility: str = "restricted") -> list[Event]:
    """An agreement with an event of every type that may be posted, by a source and about people known already."""
    found: list[Event] = []
    for type_, example in posted_examples().items():
        name = type_.removeprefix("agreement.").removesuffix(".v1")
        data = dict(example["data"])
        if name == "registered":
            data = {**data, "visibility": visibility, "parties": PARTIES}
        if name == "visibility-changed":
            data = {**data, "visibility": visibility}
        if name in ("event-corrected", "event-retracted", "dispute-resolved", "agreement-retracted"):
            continue
        source = {"signed": "https://openvoicenews.example/", "classified": "https://new.example/"}.get(
            name, SOURCE
        )
        told = {"id": f"{agreement}-{name}", "subject": agreement, "source": source, "data": data}
        found.append({**example, **told})
    titled = {"source": SOURCE, "id": f"{agreement}-title-given", "type": "agreement.title-given.v1"}
    named = {"source": SOURCE, "id": f"{agreement}-linked"}
    found += [
        event(
            agreement,
            "event-corrected",
            target=titled,
            replacement={"title": {"sw": "Zanzibar"}},
            reason="x",
            kind="entry-error",
        ),
        event(agreement, "event-retracted", target=named, reason="x"),
    ]
    return found


PARTIES = [
    {"id": "pak", "kind": "state", "name": {"en": "Pakistan"}, "country": "PAK"},
    {"id": "slv", "kind": "state", "name": {"en": "El Salvador"}, "country": "SLV"},
]


def event(agreement: str, name: str, id: str = "", **data: Any) -> Event:
    return {
        "specversion": "1.0",
        "id": id or f"{agreement}-{name}-now",
        "source": SOURCE,
        "type": f"agreement.{name}.v1",
        "subject": agreement,
        "data": data,
    }


async def post_all(service: Guarded, who: dict[str, str], events: list[Event]) -> int:
    """Post events as a batch, or what of them is taken one by one; gives the last position."""
    last = 0
    for one in events:
        response = await service.client.post("/events", json=[one], headers=BATCH | who)
        assert response.status_code == 201, (one["type"], response.text)
        last = response.json()[-1]["position"]
    return last


class World:
    """A registry with a public agreement, somebody who sees everything, and an outsider."""

    def __init__(self, service: Guarded) -> None:
        self.service = service
        self.insider = service.holder(*EVERYTHING, label="insider")
        self.outsider = service.holder(AGREEMENTS_READ, EVENTS_READ, PARTS_READ, label="outsider")
        self.poster = service.holder(EVENTS_WRITE, AGREEMENTS_READ, label="poster")
        self.known = Known((), (), (), (), 0)

    async def begin(self) -> None:
        told = story()
        response = await self.service.client.post("/events", json=told, headers=BATCH | self.insider)
        assert response.status_code == 201, response.text
        people = {one["person_id"] for one in (await self.all("/people"))["items"]}
        self.known = Known(
            (STORY_ID, SECRET),
            ("pak", "slv", "xyz"),
            tuple(sorted(people)[:3]),
            ("digital", "zanzibar"),
            len(told),
        )

    async def seen_outside(self) -> dict[tuple[str, str], Read]:
        """Take every read as the outsider."""
        return await walk(self.service, self.outsider, self.known)

    async def all(self, path: str) -> Any:
        """Read as the insider what every read model has seen."""
        head = (await self.service.get("/log")).json()["size"]
        await caught_up(self.service, self.insider, head)
        return (await self.service.get(path, headers=self.insider)).json()


@asynccontextmanager
async def begun(url: str) -> AsyncIterator[World]:
    async with guarding(url) as service:
        found = World(service)
        await found.begin()
        yield found


@pytest.fixture
async def world(sqlite_url: str) -> AsyncIterator[World]:
    async with begun(sqlite_url) as found:
        yield found


@pytest.fixture
async def world_on_any(database_url: str) -> AsyncIterator[World]:
    async with begun(database_url) as found:
        yield found


async def test_no_read_tells_an_outsider_of_a_restricted_agreement(world_on_any: World):
    world = world_on_any
    before = await world.seen_outside()
    await post_all(world.service, world.insider, secret())
    assert SECRET in {one["id"] for one in (await world.all("/agreements"))["items"]}
    assert (await world.all(f"/agreements/{SECRET}"))["title"]["sw"] == "Zanzibar"
    assert differing(before, await world.seen_outside()) == []
    missing = await world.service.get(f"/log/bundle?agreement={SECRET}", headers=world.outsider)
    problem(missing, 404, "not-found")

    shown = "pak-slv-2026-shown"
    await post_all(world.service, world.insider, secret(shown, "public"))
    await world.all("/agreements")
    listed = await world.service.get("/agreements", headers=world.outsider)
    assert {one["id"] for one in listed.json()["items"]} == {STORY_ID, shown}
    target = {"source": SOURCE, "id": f"{shown}-visibility-changed"}
    hiding = [
        event(shown, "event-retracted", "not-that", target=target, reason="x"),
        event(shown, "visibility-changed", visibility="restricted", reason="shown by mistake"),
    ]
    await post_all(world.service, world.insider, hiding)  # and no read model need have come so far
    assert differing(before, await world.seen_outside()) == []


async def test_a_live_stream_passes_over_restricted_agreements(world: World):
    async with (
        listening(world.service.app, "after=0", **lower(world.outsider)) as outsider,
        listening(world.service.app, "after=0", **lower(world.insider)) as insider,
    ):
        await outsider.hears(world.known.last)
        hidden = await post_all(world.service, world.insider, secret()[:3])
        shown = await post_all(
            world.service, world.insider, [event(STORY_ID, "title-given", title={"sw": "Barua"})]
        )
        await insider.hears(shown)
        await outsider.hears(shown)
        assert hidden in insider.positions
        assert outsider.positions == [*range(1, world.known.last + 1), shown]


async def test_a_post_to_a_restricted_agreement_is_refused_as_one_to_an_unknown_one(world: World):
    await post_all(world.service, world.insider, secret())
    for id in (SECRET, "nobody-registered-it"):
        titled = event(id, "title-given", title={"sw": "Barua"})
        refused = await world.service.post(titled, **world.poster)
        body = problem(refused, 409, "rejected")
        assert (body["rule"], body.get("positions")) == ("unknown-agreement", None)
        assert body["detail"] == f"nobody has registered an agreement {id!r}"
        stale = await world.service.post(titled, If_Match='"v7"', **world.poster)
        assert problem(stale, 412, "version-mismatch")["current_version"] == 0


async def test_registering_a_taken_id_tells_that_it_is_taken_and_nothing_more(world: World):
    (founding, *_) = secret()
    await post_all(world.service, world.insider, [founding])
    again = {**founding, "id": "another", "source": "https://other.example/"}
    body = problem(await world.service.post(again, **world.poster), 409, "rejected")
    assert (body["rule"], body.get("positions")) == ("id-taken", None)
    assert (await world.service.post(again, **world.insider)).status_code == 201


async def test_an_identity_taken_in_a_restricted_agreement_is_refused_without_its_place(world: World):
    (founding, *_) = secret()
    await post_all(world.service, world.insider, [founding])
    elsewhere = event(STORY_ID, "title-given", founding["id"], title={"sw": "Barua"})
    body = problem(await world.service.post(elsewhere, **world.poster), 409, "identity-taken")
    assert "positions" not in body
    assert "position" not in body["detail"]
    same = problem(await world.service.post(founding, **world.poster), 409, "rejected")
    assert same["rule"] == "id-taken"


async def test_whoever_posted_to_what_they_may_not_see_may_post_it_again(world: World):
    (founding, linked, *_) = secret()
    first = await world.service.client.post("/events", json=[founding, linked], headers=BATCH | world.poster)
    assert first.status_code == 201, first.text
    again = await world.service.client.post("/events", json=[founding, linked], headers=BATCH | world.poster)
    assert [one["position"] for one in again.json()] == [one["position"] for one in first.json()]
    assert again.headers["Idempotency-Replayed"] == "true"
    problem(await world.service.get(f"/agreements/{SECRET}", headers=world.poster), 404, "not-found")


async def test_a_client_whose_last_event_was_restricted_since_goes_on_where_it_was(world: World):
    shown = "pak-slv-2026-shown"
    last = await post_all(world.service, world.insider, secret(shown, "public")[:2])
    await post_all(
        world.service,
        world.insider,
        [event(shown, "visibility-changed", visibility="restricted", reason="x")],
    )
    answer = await world.service.head(
        "/events", headers={**world.outsider, "Accept": "text/event-stream", "Last-Event-ID": str(last)}
    )
    assert (answer.status_code, answer.headers["Registry-Position"]) == (200, str(world.known.last))
    pinned = await world.service.get(f"/agreements/{STORY_ID}?known_as_of={last}", headers=world.outsider)
    assert (pinned.status_code, pinned.headers["Registry-Position"]) == (200, str(world.known.last))


async def test_no_byte_of_any_read_has_a_personal_value_without_the_scope_for_it(world_on_any: World):
    world = world_on_any
    rows = world.service.app.state.reader.page(0, 1000)
    values = {text for row in rows for number, part in row.parts.items() if number for text in texts(part)}
    assert {"Bilal Bin Saqib", "Max Keiser"} & values
    stripped = world.service.holder(AGREEMENTS_READ, EVENTS_READ, AGREEMENTS_RESTRICTED, label="stripped")
    await world.all("/people")
    found = await walk(world.service, stripped, world.known)
    said = [(url, value) for url, read in found.items() for value in values if within(value, read.body)]
    assert said == []
    shown = await walk(world.service, world.insider, world.known)
    assert {value for value in values for read in shown.values() if within(value, read.body)} == values
    assert b'"withheld":true' in found[f"/agreements/{STORY_ID}", "*/*"].body
    assert b'"withheldparts":"1"' in found["/events", NDJSON].body


async def test_a_search_finds_what_a_person_said_only_for_those_who_may_read_it(world_on_any: World):
    world = world_on_any
    said = {
        "statement_id": "s",
        "speaker": {"person": {"person_id": world.known.people[0], "name": "A. Speaker"}},
        "attribution": "named",
        "gist": {"en": "Quicksilver is sovereign"},
        "quoted": True,
    }
    await post_all(world.service, world.insider, [event(STORY_ID, "statement-recorded", **said)])
    await world.all("/agreements")
    stripped = world.service.holder(AGREEMENTS_READ, label="stripped")
    url = "/agreements?q=quicksilver"
    assert (await world.service.get(url, headers=stripped)).json() == {"items": []}
    assert len((await world.service.get(url, headers=world.insider)).json()["items"]) == 1
    both = await world.service.get("/agreements?q=digital+quick", headers=world.insider)
    assert len(both.json()["items"]) == 1


async def test_the_restricted_agreements_can_be_found_again_in_the_log_itself(world_on_any: World):
    world = world_on_any
    await post_all(world.service, world.insider, secret())
    shown = "pak-slv-2026-shown"
    await post_all(world.service, world.insider, secret(shown, "public")[:1])
    with world.service.app.state.reader.connect() as connection:
        assert find_all(connection) == [SECRET]


def texts(part: bytes) -> list[str]:
    """The texts of a part of a person that nobody else would write by chance."""
    found: list[str] = []
    for place, value in json.loads(part).items():
        if place.endswith(("/name", "/gist")):
            found += value.values() if isinstance(value, dict) else [value]
    return found


def within(value: str, body: bytes) -> bool:
    """Tell whether a text stands in a body, as it is, in JSON or in HTML."""
    written = (value, json.dumps(value)[1:-1], escape(value), value.replace(" ", "+"))
    return any(one.encode() in body for one in written)


def lower(headers: dict[str, str]) -> dict[str, str]:
    return {name.lower(): value for name, value in headers.items()}
