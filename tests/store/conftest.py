"""Events to append, and sequencers to append them with."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import Engine

from registry.domain import cloudevents
from registry.domain.envelope import Posted
from registry.store.database import open_reader, open_writer
from registry.store.reader import Reader
from registry.store.sequencer import Sequencer
from registry.store.states import States
from registry.store.tail import Tail
from registry.store.writer import Writer

PRINCIPAL = "3d3c7f2e-8a55-4d55-9b0a-9f0f5a3b7c33"
SOURCE = "https://registry.example/desk"
PARTIES = [
    {"id": "pak", "kind": "state", "name": {"en": "Pakistan"}, "country": "PAK"},
    {"id": "slv", "kind": "state", "name": {"en": "El Salvador"}, "country": "SLV"},
]


def event(name: str, agreement: str, id: str, data: dict[str, Any], **attributes: Any) -> Posted:
    """A posted event of type ``agreement.<name>.v1``."""
    return cloudevents.posted(
        {
            "specversion": "1.0",
            "id": id,
            "source": SOURCE,
            "type": f"agreement.{name}.v1",
            "subject": agreement,
            "data": data,
            **attributes,
        }
    )


def registered(agreement: str, id: str = "", **attributes: Any) -> Posted:
    data = {"title": {"en": f"Letter {agreement}"}, "parties": PARTIES}
    return event("registered", agreement, id or f"{agreement}-registered", data, **attributes)


def planned(agreement: str, visit: str, id: str = "", **attributes: Any) -> Posted:
    """An engagement planned: an event of which an agreement may have any number."""
    data = {
        "engagement_id": visit,
        "kind": "visit",
        "certainty": "expected",
        "participants": [
            {"person": {"person_id": "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11", "name": "A. Person"}}
        ],
    }
    return event("engagement-planned", agreement, id or f"{agreement}-{visit}", data, **attributes)


class Opened:
    """A sequencer with its engines, as one process of the service has them."""

    def __init__(self, url: str, queue_events: int = 10_000) -> None:
        self.writing: Engine = open_writer(url, lock_timeout=5)
        self.reading: Engine = open_reader(url, lock_timeout=5)
        self.states = States(10_000)
        self.tail = Tail()
        self.writer = Writer(self.writing, self.states, self.tail)
        self.reader = Reader(self.reading, self.states)
        self.sequencer = Sequencer(self.writer, queue_events=queue_events)

    async def append(self, *events: Posted, expect: int | None = None) -> list[Any]:
        return await self.sequencer.append(events, PRINCIPAL, expect=expect)

    async def close(self) -> None:
        await self.sequencer.close()
        self.writing.dispose()
        self.reading.dispose()


Open = Callable[..., Any]


@pytest.fixture
def opened(database_url: str) -> Open:
    """Opens sequencers on the database under test: ``async with opened() as store``."""

    @asynccontextmanager
    async def open_one(*, started: bool = True, queue_events: int = 10_000) -> AsyncIterator[Opened]:
        store = Opened(database_url, queue_events)
        if started:
            store.sequencer.start()
        try:
            yield store
        finally:
            await store.close()

    return open_one
