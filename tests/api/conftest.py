"""A whole service on a database of its own, and events to post to it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from litestar import Litestar

from registry.app import create_service
from registry.config import Settings

AGREEMENT = "pak-slv-2025-digital-assets"
SOURCE = "https://report-b.example/"
REQUEST_ID = "request-of-a-test"
STRUCTURED = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json; charset=utf-8"}
PARTIES = [
    {"id": "pak", "kind": "state", "name": {"en": "Pakistan"}, "country": "PAK"},
    {"id": "slv", "kind": "state", "name": {"en": "El Salvador"}, "country": "SLV"},
]

Event = dict[str, Any]


def event(name: str, id: str, data: dict[str, Any], **attributes: Any) -> Event:
    """An event of type ``agreement.<name>.v1`` in the JSON format."""
    return {
        "specversion": "1.0",
        "id": id,
        "source": SOURCE,
        "type": f"agreement.{name}.v1",
        "subject": AGREEMENT,
        "data": data,
        **attributes,
    }


def registered(id: str = "registered", **attributes: Any) -> Event:
    return event("registered", id, {"title": {"en": "A letter"}, "parties": PARTIES}, **attributes)


def signed(id: str = "signed", occurred: str = "2025-07-16", **attributes: Any) -> Event:
    person = {"person_id": "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11", "name": "A. Signatory"}
    signatures = [{"party": "pak", "actor": {"person": person}, "capacity": "Minister"}, {"party": "slv"}]
    return event("signed", id, {"signatures": signatures, "occurred": occurred}, **attributes)


def planned(visit: str, **attributes: Any) -> Event:
    """An engagement planned: an event of which an agreement may have any number."""
    data = {"engagement_id": visit, "kind": "visit", "certainty": "expected"}
    return event("engagement-planned", attributes.pop("id", visit), data, **attributes)


class Service:
    """The app in its lifespan, and a client of it."""

    def __init__(self, app: Litestar, client: httpx.AsyncClient) -> None:
        self.app = app
        self.client = client
        self.get = client.get
        self.head = client.head

    async def post(self, *events: Event, **headers: str) -> httpx.Response:
        """Post one event in structured mode."""
        (one,) = events
        return await self.client.post("/events", json=one, headers=STRUCTURED | _names(headers))

    async def batch(self, *events: Any, **headers: str) -> httpx.Response:
        """Post several as a batch."""
        return await self.client.post("/events", json=list(events), headers=BATCH | _names(headers))

    async def send(
        self, body: bytes, content_type: str = "application/cloudevents+json", **headers: str
    ) -> httpx.Response:
        """Post bytes."""
        return await self.client.post(
            "/events", content=body, headers={"Content-Type": content_type} | _names(headers)
        )


def _names(headers: dict[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


@asynccontextmanager
async def serving(url: str, **settings: Any) -> AsyncIterator[Service]:
    """Serve a migrated database, without authentication unless ``auth`` says so."""
    lane = create_service(Settings(database=url, **{"auth": "off", **settings}))
    app = lane.app
    started, stop = asyncio.Event(), asyncio.Event()

    async def live() -> None:
        async with app.lifespan():
            started.set()
            await stop.wait()

    # A task of its own, as a server has: fixtures begin and end in different ones.
    life = asyncio.create_task(live())
    waiting = asyncio.create_task(started.wait())
    await asyncio.wait([life, waiting], return_when=asyncio.FIRST_COMPLETED)
    transport = httpx.ASGITransport(app=lane)
    same = {"X-Request-ID": REQUEST_ID}  # so that answers can be compared
    async with httpx.AsyncClient(
        transport=transport, base_url="http://registry.test", headers=same
    ) as client:
        yield Service(app, client)
    stop.set()
    waiting.cancel()
    await life


@pytest.fixture
async def service(sqlite_url: str) -> AsyncIterator[Service]:
    """A service on an empty SQLite database."""
    async with serving(sqlite_url) as running:
        yield running


@pytest.fixture
async def service_on_any(database_url: str) -> AsyncIterator[Service]:
    """A service on an empty database of each kind."""
    async with serving(database_url) as running:
        yield running


@pytest.fixture
async def registered_service(service: Service) -> Service:
    """A service that knows one agreement, at version 1."""
    assert (await service.post(registered())).status_code == 201
    return service


def problem(response: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """Check that an answer is a problem of a kind, as every one of them looks, and give it."""
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"] == "application/problem+json"
    assert response.headers["Cache-Control"] == "no-store"
    body: dict[str, Any] = response.json()
    assert body["type"] == f"/problems/{kind}"
    assert body["status"] == status
    assert body["detail"]
    assert body["request_id"] == response.headers["X-Request-ID"]
    return body


def places(response: httpx.Response, status: int = 422, kind: str = "invalid-event") -> list[str]:
    """The pointers of a problem's errors."""
    return [fault["pointer"] for fault in problem(response, status, kind)["errors"]]
