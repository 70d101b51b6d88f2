"""The service is killed under load, again and again; what it acknowledged is there, and nothing is there twice."""

import asyncio
import random
from pathlib import Path
from typing import Any

import httpx
import pytest

from campaigns.service_process import Service
from conftest import campaign
from registry.audit.verify import verify
from registry.store.database import open_reader
from registry.store.reader import Reader

CLIENTS = 16


def cloud_event(name: str, agreement: str, id: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id,
        "source": "https://registry.example/kill",
        "type": f"agreement.{name}.v1",
        "subject": agreement,
        "data": data,
    }


def events_of(client: str) -> Any:
    """The events of one client, without end: an agreement of its own, and engagements in it."""
    parties = [{"id": p, "kind": "state", "name": {"en": p}} for p in ("pak", "slv")]
    yield cloud_event("registered", client, f"{client}-0", {"title": {"en": client}, "parties": parties})
    i = 0
    while True:
        i += 1
        data = {"engagement_id": f"v{i}", "kind": "visit", "certainty": "expected"}
        yield cloud_event("engagement-planned", client, f"{client}-{i}", data)


async def post_until_killed(base: str, events: Any, acknowledged: dict[str, Any]) -> dict[str, Any] | None:
    """Post one event after the other; return the one whose answer never came."""
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:
        for event in events:
            try:
                answer = await client.post(
                    "/events", json=event, headers={"Content-Type": "application/cloudevents+json"}
                )
            except httpx.TransportError:
                return dict(event)
            assert answer.status_code == httpx.codes.CREATED, answer.text
            acknowledged[event["id"]] = answer.json()
    return None


@pytest.mark.campaign
async def test_a_killed_service_has_lost_nothing_it_acknowledged(database_url: str, tmp_path: Path) -> None:
    chance = random.Random(20)
    service = Service(database_url, tmp_path / "key")
    recorded_without_answer = 0
    total = 0
    for round_ in range(campaign(20)):
        await asyncio.to_thread(service.start)
        acknowledged: list[dict[str, Any]] = [{} for _ in range(CLIENTS)]
        clients = [
            asyncio.create_task(
                post_until_killed(service.base, events_of(f"round-{round_}-client-{c}"), acknowledged[c])
            )
            for c in range(CLIENTS)
        ]
        while not all(acknowledged):
            await asyncio.sleep(0.01)
        await asyncio.sleep(chance.uniform(0.05, 1.0))
        service.kill()
        unanswered = [event for event in await asyncio.gather(*clients) if event is not None]
        await asyncio.to_thread(service.start)
        async with httpx.AsyncClient(base_url=service.base, timeout=30) as client:
            for c, receipts in enumerate(acknowledged):
                for event in events_of(f"round-{round_}-client-{c}"):
                    if event["id"] not in receipts:
                        break
                    again = await client.post(
                        "/events", json=event, headers={"Content-Type": "application/cloudevents+json"}
                    )
                    assert again.status_code == httpx.codes.OK, again.text
                    assert again.headers["Idempotency-Replayed"] == "true"
                    first = receipts[event["id"]]
                    for field in ("position", "version", "leaf_hash", "recorded_at", "event_uuid"):
                        assert again.json()[field] == first[field]
                total += len(receipts)
            for event in unanswered:
                answer = await client.post(
                    "/events", json=event, headers={"Content-Type": "application/cloudevents+json"}
                )
                assert answer.status_code in (httpx.codes.OK, httpx.codes.CREATED), answer.text
                recorded_without_answer += answer.status_code == httpx.codes.OK
                total += 1
        service.kill()
    engine = open_reader(database_url)
    report = verify(engine)
    size = Reader(engine).head().size
    engine.dispose()
    assert report.ok, report
    assert size == total, "every event once"
    print(f"\n{total} events, {recorded_without_answer} of them recorded although their answer was lost")
