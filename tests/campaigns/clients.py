"""Clients that go on through failures: they come back when they are told to, and note what they were answered."""

import asyncio
from collections import Counter
from typing import Any

import httpx

from campaigns.test_killed import events_of

JSON = {"Content-Type": "application/cloudevents+json"}


class Poster:
    """Posts the events of an agreement of its own, each again until it is taken."""

    def __init__(self, base: str, name: str) -> None:
        self.base = base
        self.name = name
        self.receipts: list[dict[str, Any]] = []
        self.answers: Counter[int] = Counter()
        self.stopped = asyncio.Event()

    async def run(self) -> None:
        async with httpx.AsyncClient(base_url=self.base, timeout=60) as client:
            for event in events_of(self.name):
                if self.stopped.is_set():
                    return
                self.receipts.append(await self._post(client, event))

    async def _post(self, client: httpx.AsyncClient, event: dict[str, Any]) -> dict[str, Any]:
        while True:
            answer = await client.post("/events", json=event, headers=JSON)
            self.answers[answer.status_code] += 1
            if answer.status_code in (httpx.codes.OK, httpx.codes.CREATED):
                return dict(answer.json())
            assert answer.status_code == httpx.codes.SERVICE_UNAVAILABLE, answer.text
            assert int(answer.headers["Retry-After"]) >= 1
            await asyncio.sleep(0.1)  # sooner than it is asked to


class Asker:
    """Reads one kind of thing again and again."""

    def __init__(self, base: str, path: str) -> None:
        self.base = base
        self.path = path
        self.answers: Counter[int] = Counter()

    async def run(self) -> None:
        async with httpx.AsyncClient(base_url=self.base, timeout=60) as client:
            while True:
                answer = await client.get(self.path)
                self.answers[answer.status_code] += 1
                assert answer.status_code in (
                    httpx.codes.OK,
                    httpx.codes.NOT_FOUND,
                    httpx.codes.SERVICE_UNAVAILABLE,
                ), f"{self.path}: {answer.status_code} {answer.text}"
                if answer.status_code == httpx.codes.SERVICE_UNAVAILABLE:
                    assert int(answer.headers["Retry-After"]) >= 1, self.path
                await asyncio.sleep(0.05)
