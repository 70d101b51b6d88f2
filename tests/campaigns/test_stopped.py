"""The service is told to stop under load, with many who listen; nobody loses anything by it."""

import asyncio
from pathlib import Path

import httpx
import pytest

from campaigns.live_client import Follower
from campaigns.service_process import Service
from campaigns.test_killed import events_of
from conftest import campaign
from registry.audit.verify import verify
from registry.store.database import open_reader

LISTENERS = 50
POSTERS = 8
JSON = {"Content-Type": "application/cloudevents+json"}


async def post_until_stopped(base: str, client_name: str, acknowledged: dict[str, int]) -> None:
    """Post one event after the other until the service takes no more, and keep what it acknowledged."""
    async with httpx.AsyncClient(base_url=base, timeout=30) as client:
        for event in events_of(client_name):
            try:
                answer = await client.post("/events", json=event, headers=JSON)
            except httpx.TransportError:
                return
            if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                return
            assert answer.status_code == httpx.codes.CREATED, answer.text
            acknowledged[event["id"]] = answer.json()["position"]


async def reached(followers: list[Follower], position: int) -> None:
    async with asyncio.timeout(60):
        while not all(each.positions and each.positions[-1] >= position for each in followers):
            await asyncio.sleep(0.05)


@pytest.mark.campaign
async def test_a_service_that_stops_under_load_loses_nothing(database_url: str, tmp_path: Path) -> None:
    await stop_under_load(database_url, Service(database_url, tmp_path / "key"))


@pytest.mark.campaign
@pytest.mark.postgres
async def test_several_processes_that_stop_under_load_lose_nothing(postgres_url: str, tmp_path: Path) -> None:
    await stop_under_load(postgres_url, Service(postgres_url, tmp_path / "key", "--workers", "2"))


async def stop_under_load(database_url: str, service: Service) -> None:
    followers = [Follower(service.base) for _ in range(LISTENERS)]
    acknowledged: dict[str, int] = {}
    seconds: list[float] = []
    for round_ in range(campaign(10)):
        await asyncio.to_thread(service.start)
        streams = [asyncio.create_task(each.follow()) for each in followers]
        before = len(acknowledged)
        posters = [
            asyncio.create_task(post_until_stopped(service.base, f"round-{round_}-{p}", acknowledged))
            for p in range(POSTERS)
        ]
        while len(acknowledged) < before + 100:
            await asyncio.sleep(0.01)
        await reached(followers, before + 1)
        seconds.append(await asyncio.to_thread(service.stop))
        await asyncio.gather(*posters)
        await asyncio.gather(*streams)
        assert all(each.ends == round_ + 1 for each in followers), "each sees a proper end"
    engine = open_reader(database_url)
    report = verify(engine)
    engine.dispose()
    assert report.ok, report
    assert max(seconds) < 10
    assert len(set(acknowledged.values())) == len(acknowledged)
    assert report.events >= max(acknowledged.values())

    await asyncio.to_thread(service.start)
    streams = [asyncio.create_task(each.follow()) for each in followers]
    await reached(followers, report.events)
    await asyncio.to_thread(service.stop)
    await asyncio.gather(*streams)
    for each in followers:
        assert each.positions == list(range(1, report.events + 1)), "no gap and nothing twice"
    print(
        f"\n{len(acknowledged)} acknowledged, {report.events} recorded; stopped in {max(seconds):.2f} s at most"
    )
