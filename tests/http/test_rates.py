"""How often somebody may ask."""

from collections.abc import Iterator
from typing import Any

import pytest

from api.conftest import Service, problem, registered
from api.guarded import bearer, guarding
from registry.access import DEVELOPMENT, KEY, Principal
from registry.config import Settings
from registry.http import rates
from registry.http.rates import Rate, Rates, TooManyRequests


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def scope(method: str = "GET", path: str = "/agreements", address: str = "192.0.2.1") -> dict[str, Any]:
    return {"method": method, "path": path, "client": (address, 1), "headers": []}


def holder(id: str = "one", kind: str = KEY) -> Principal:
    return Principal(id=id, kind=kind, label="a test", scopes=frozenset())


def test_more_may_be_owed_than_there_is_up_to_a_bound(clock: Clock) -> None:
    rate = Rate("refusals", 2.0, 10.0, clock=clock)
    rate.owe("a", 9, 3.0)
    assert rate.left_after("a") == 0.0
    rate.owe("a", 2, 3.0)
    assert rate.left_after("a") == pytest.approx(1.0)
    rate.owe("a", 100, 3.0)
    assert rate.left_after("a") == pytest.approx(3.0)
    assert rate.left_after("b") == 0.0
    clock.now += 3.0
    assert rate.left_after("a") == 0.0


def test_whoever_owes_is_forgotten_like_all_others(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_KNOWN", 4)
    rate = Rate("refusals", 2.0, 10.0, clock=clock)
    for number in range(20):
        rate.owe(str(number), 1, 3.0)
    assert len(rate) <= 4
    assert not rate.empty


def test_so_many_may_come_at_once_and_then_so_many_a_second(clock: Clock) -> None:
    rate = Rate("reads", 2.0, 10.0, clock=clock)
    assert [rate.take("a") for _ in range(10)] == [0.0] * 10
    assert rate.take("a") == pytest.approx(0.5)
    assert rate.take("b") == 0.0, "another has a bucket of their own"
    clock.now += 0.5
    assert rate.take("a") == 0.0
    assert rate.take("a") > 0
    clock.now += 1000
    assert [rate.take("a") for _ in range(10)] == [0.0] * 10, "no more than is in a full one"
    assert rate.take("a") > 0


def test_what_is_refused_takes_nothing(clock: Clock) -> None:
    rate = Rate("reads", 1.0, 1.0, clock=clock)
    rate.take("a")
    waits = [rate.take("a") for _ in range(100)]
    assert waits == [waits[0]] * 100
    assert rate.left_after("a") == waits[0]
    assert rate.left_after("b") == 0.0


def test_full_buckets_are_forgotten_and_of_the_others_the_emptier_half_kept(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rates, "MOST_KNOWN", 10)
    rate = Rate("reads", 1.0, 5.0, clock=clock)
    for number in range(10):
        rate.take(f"early {number}")
    clock.now += 2
    rate.take("late")
    assert len(rate) == 1
    for _ in range(4):
        rate.take("late")
    for number in range(50):
        rate.take(f"flood {number}")
    assert len(rate) <= 10
    assert rate.take("late") > 0, "a flood of addresses refills nobody's bucket"


def test_a_principal_reads_and_writes_by_rates_of_their_own(clock: Clock) -> None:
    own = Rates(Settings(write_rate=1, read_rate=2, burst_seconds=1), clock=clock)
    own.count(scope("POST"), holder())
    with pytest.raises(TooManyRequests, match="this key or token writes") as refused:
        own.count(scope("POST"), holder())
    assert refused.value.headers == {
        "Retry-After": "1",
        "RateLimit-Policy": '"writes";q=1;w=1',
        "RateLimit": '"writes";r=0;t=1',
    }
    for method in ("GET", "HEAD"):
        own.count(scope(method), holder())
    with pytest.raises(TooManyRequests, match="reads"):
        own.count(scope(), holder())
    own.count(scope("POST"), holder("another"))


def test_without_a_rate_nobody_is_refused(clock: Clock) -> None:
    own = Rates(Settings(address_rate=0, failure_rate=0), clock=clock)
    for _ in range(100_000):
        own.count(scope(), holder())
    own.count(scope(), None)
    own.failed(scope())
    own.check_failures(scope())
    assert not own.any_failed


def test_the_development_principal_is_not_counted(clock: Clock) -> None:
    own = Rates(Settings(write_rate=1, address_rate=1, burst_seconds=1), clock=clock)
    for _ in range(10):
        own.count(scope("POST"), holder(kind=DEVELOPMENT))


def test_whoever_supervises_the_service_is_not_counted(clock: Clock) -> None:
    own = Rates(Settings(address_rate=1, burst_seconds=1), clock=clock)
    for path in ("/readyz", "/healthz") * 5:
        own.count(scope(path=path), None)
    own.count(scope(), None)
    with pytest.raises(TooManyRequests, match="this address reads"):
        own.count(scope(), None)
    own.count(scope(address="192.0.2.2"), None)


def test_too_many_failures_are_refused_and_flow_off(clock: Clock) -> None:
    own = Rates(Settings(failure_rate=3), clock=clock)
    for _ in range(3):
        own.check_failures(scope())
        own.failed(scope())
    assert own.any_failed
    with pytest.raises(TooManyRequests) as refused:
        own.check_failures(scope())
    assert refused.value.headers["RateLimit-Policy"] == '"failures";q=3;w=60'
    assert refused.value.headers["Retry-After"] == "20"
    own.check_failures(scope(address="192.0.2.2"))
    clock.now += 20
    own.check_failures(scope())


@pytest.fixture
def slow_clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A clock on which nothing is refilled during a test."""
    kept = Rates.__init__
    monkeypatch.setattr(Rates, "__init__", lambda self, settings: kept(self, settings, clock=lambda: 1000.0))
    return iter(())


async def test_who_asks_too_often_is_told_when_to_come_back(sqlite_url: str, slow_clock: None) -> None:
    async with guarding(sqlite_url, write_rate=1, read_rate=2, burst_seconds=1, address_rate=3) as service:
        key = service.holder("events:write", "events:read", "agreements:read")
        client: Service = service
        assert (
            await client.client.post("/events", json=registered(), headers=posting(key))
        ).status_code == 201
        refused = await client.client.post("/events", json=registered(), headers=posting(key))
        problem(refused, 429, "too-often")
        assert refused.headers["Retry-After"] == "1"
        assert refused.headers["RateLimit"] == '"writes";r=0;t=1'
        answers = [
            await service.get("/agreements/pak-slv-2025-digital-assets", headers=key) for _ in range(3)
        ]
        assert [each.status_code for each in answers] == [200, 200, 429]
        strangers = [await service.get("/log") for _ in range(4)]
        assert [each.status_code for each in strangers] == [200, 200, 200, 429]
        problem(await service.get("/events"), 429, "too-often")
        assert (await service.get("/readyz")).status_code in (200, 503)


def posting(key: dict[str, str]) -> dict[str, str]:
    return {**key, "Content-Type": "application/cloudevents+json"}


async def test_after_too_many_false_keys_of_an_address_only_known_ones_are_looked_at(
    sqlite_url: str, slow_clock: None
) -> None:
    async with guarding(sqlite_url, failure_rate=2) as service:
        known = service.holder("events:read")
        assert (await service.get("/events", headers=known)).status_code == 200
        false = bearer("not a key".replace(" ", "-"))
        answers = [await service.get("/events", headers=false) for _ in range(4)]
        assert [each.status_code for each in answers] == [401, 401, 429, 429]
        problem(answers[-1], 429, "too-often")
        assert (await service.get("/events", headers=known)).status_code == 200
        assert (await service.get("/log", headers=false)).status_code == 200, "it is open to all"
