"""Clients that mean no good, and one that does: it is served all the while, and memory stays bounded."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from campaigns.attacks import ATTACKS, many, status_of
from campaigns.service_process import Service
from campaigns.test_killed import events_of
from conftest import campaign
from registry.audit.verify import verify
from registry.store.database import open_reader

FULL = campaign(10) == 10
SETTLED = 200
"""Events that are there before anything happens."""


class Good:
    """Posts and reads, one after the other, and notes how long each took."""

    def __init__(self, base: str) -> None:
        self.base = base
        self.events = events_of("good")
        self.posted = 0
        self.seconds: list[float] = []

    async def run(self) -> None:
        async with httpx.AsyncClient(base_url=self.base, timeout=60) as client:
            while True:
                await self._once(client)

    async def times(self, number: int) -> None:
        async with httpx.AsyncClient(base_url=self.base, timeout=60) as client:
            for _ in range(number):
                await self._once(client)

    async def _once(self, client: httpx.AsyncClient) -> None:
        began = time.perf_counter()
        event = next(self.events)
        headers = {"Content-Type": "application/cloudevents+json"}
        answer = await client.post("/events", json=event, headers=headers)
        assert answer.status_code == httpx.codes.CREATED, answer.text
        self.posted += 1
        answer = await client.get("/agreements/good")
        assert answer.status_code == httpx.codes.OK, answer.text
        self.seconds.append(time.perf_counter() - began)

    def p99(self) -> float:
        """Give the 99th percentile since it was last asked, in milliseconds."""
        taken, self.seconds = sorted(self.seconds), []
        return 1e3 * taken[int(0.99 * len(taken))] if taken else 0.0


def memory(pid: int, what: str) -> int:
    """Give a figure of a process, in KiB."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(what):
            return int(line.split()[1])
    raise LookupError(what)


@pytest.fixture
def service(sqlite_url: str, tmp_path: Path) -> Iterator[Service]:
    soon = {} if FULL else {"head_seconds": 1, "body_seconds": 1, "stall_seconds": 1}
    service = Service(sqlite_url, tmp_path / "key", **soon)
    yield service
    service.kill()


@pytest.mark.campaign
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="there is no /proc to read memory from")
async def test_hostile_clients_cost_others_little_and_leave_nothing_behind(
    sqlite_url: str, service: Service
) -> None:
    await asyncio.to_thread(service.start)
    good = Good(service.base)
    await good.times(SETTLED if FULL else 100)
    good.p99()
    await good.times(SETTLED if FULL else 30)
    quiet = good.p99()
    idle = memory(service.pid, "VmRSS")
    Path(f"/proc/{service.pid}/clear_refs").write_text("5")  # the highest figure begins anew
    print(f"\nquiet: p99 {quiet:.1f} ms, {idle / 1024:.0f} MiB")
    for name, (number, hostile, statuses) in ATTACKS.items():
        serving = asyncio.create_task(good.run())
        began = time.perf_counter()
        said = await many(service.port, number if FULL else max(2, number // 10), hostile)
        lasted = time.perf_counter() - began
        if FULL:  # so that a short one is seen in the figures as well
            await asyncio.sleep(max(0.0, 3 - lasted))
        assert not serving.done(), await serving
        serving.cancel()
        await asyncio.wait([serving])
        told = {status_of(each) for each in said}
        assert told <= set(statuses), (name, told)
        highest = memory(service.pid, "VmHWM") / 1024
        print(
            f"{name:30} {len(said):4} clients {lasted:5.1f} s  p99 {good.p99():6.1f} ms  {highest:4.0f} MiB at most"
        )
    await good.times(10)
    peak = memory(service.pid, "VmHWM")
    assert peak < 2 * idle
    files = len(os.listdir(f"/proc/{service.pid}/fd"))  # noqa: PTH208 - of another process
    assert files < 100, "no connection is left"
    assert await asyncio.to_thread(service.stop) < 10
    engine = open_reader(sqlite_url)
    report = verify(engine)
    engine.dispose()
    assert report.ok, report
    assert good.posted <= report.events <= good.posted + len(ATTACKS), (
        "one may have been cut off at the end of each"
    )
