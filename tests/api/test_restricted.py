"""Restricted agreements: to whoever may not see them it is as if they had never been registered."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from api.conftest import BATCH, Event, problem
from api.guarded import Guarded, guarding
from api.walking import Known, caught_up, differing, walk
from projections.reading import STORY
from registry.access import (
    AGREEMENTS_READ,
    EVENTS_READ,
    EVENTS_WRITE,
    PARTS_READ,
    SCOPES,
)
from registry.api.example_events import posted_examples

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

    async def all(self, path: str) -> Any:
        head = (await self.service.get("/log")).json()["size"]
        await caught_up(self.service, self.insider, head)
        return (await self.service.get(path, headers=self.insider)).json()


@pytest.fixture
async def world(database_url: str) -> AsyncIterator[World]:
    async with guarding(database_url) as service:
        found = World(service)
        await found.begin()
        yield found


async def test_no_read_tells_an_outsider_of_a_restricted_agreement(world: World):
    await world.all("/agreements")
    before = await walk(world.service, world.outsider, world.known)
    last = await post_all(world.service, world.insider, secret())
    await caught_up(world.service, world.insider, last)
    assert differing(before, await walk(world.service, world.outsider, world.known)) == []
    missing = await world.service.get(f"/log/bundle?agreement={SECRET}", headers=world.outsider)
    problem(missing, 404, "not-found")
    seen = await walk(world.service, world.insider, world.known)
    assert SECRET.encode() in seen["/agreements", "application/json"].body
    assert b"Zanzibar" in seen[f"/agreements/{SECRET}", "*/*"].body

    shown = "pak-slv-2026-shown"
    last = await post_all(world.service, world.insider, secret(shown, "public"))
    await caught_up(world.service, world.insider, last)
    assert len(differing(before, await walk(world.service, world.outsider, world.known))) > 30
    hide = event(shown, "visibility-changed", "hide", visibility="restricted", reason="by mistake")
    await post_all(
        world.service,
        world.insider,
        [
            event(
                shown,
                "event-retracted",
                "show",
                target={"source": SOURCE, "id": f"{shown}-visibility-changed"},
                reason="x",
            ),
            hide,
        ],
    )
    assert differing(before, await walk(world.service, world.outsider, world.known)) == []
