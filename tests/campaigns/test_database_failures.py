"""The database crashes and comes back, or another takes its place; the service bridges it by itself."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from campaigns.clients import Asker, Poster
from campaigns.live_client import Follower
from campaigns.postgres_cluster import Cluster, url_of
from campaigns.service_process import Service
from conftest import campaign
from registry.audit.verify import verify
from registry.store.database import open_reader

POSTERS = 12
READ = (
    "/events?limit=1",
    "/agreements/poster-0",
    "/agreements?limit=5",
    "/checkpoint",
    "/log",
    "/readyz",
    "/events/1",
    "/calendar.ics",
    "/log/proof/inclusion?position=1",
)
RECOVERED = 15.0
"""Seconds after which the service has to take events again once the database does."""

pytestmark = [pytest.mark.campaign, pytest.mark.postgres]


@pytest.fixture
def home() -> Iterator[Path]:
    """A place with a short path, as it holds sockets, which the user of the servers may enter."""
    path = Path(tempfile.mkdtemp(prefix="registry-pg-"))
    path.chmod(0o755)
    yield path
    shutil.rmtree(path, ignore_errors=True)


@pytest.fixture
def clusters(home: Path) -> Iterator[tuple[Cluster, Cluster]]:
    """Two servers of which the first runs with an empty registry; the second is nothing yet."""
    one, other = Cluster(home, 5501), Cluster(home, 5502)
    one.initialise()
    yield one, other
    for each in (one, other):
        if each.is_running():
            each.stop()


class Load:
    """A service under load. Everything it answers is checked on the way."""

    def __init__(self, url: str, key: Path, *options: str) -> None:
        self.service = Service(url, key, *options)
        base = self.service.base
        self.posters = [Poster(base, f"poster-{i}") for i in range(POSTERS)]
        self.askers = [Asker(base, path) for path in READ]
        self.followers = [Follower(base) for _ in range(3)]
        self._tasks: list[asyncio.Task[None]] = []
        self._asking: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await asyncio.to_thread(self.service.start)
        self._tasks = [asyncio.create_task(each.run()) for each in self.posters]
        self._asking = [asyncio.create_task(each.run()) for each in self.askers]
        self._asking += [asyncio.create_task(each.follow()) for each in self.followers]
        await self.taken(5 * POSTERS)

    @property
    def acknowledged(self) -> int:
        return sum(len(each.receipts) for each in self.posters)

    async def taken(self, more: int, seconds: float = 60.0) -> float:
        """Wait until every poster is answered and so many events more are taken; return how long it took."""
        began, before = time.monotonic(), [len(each.receipts) for each in self.posters]
        while (
            any(len(each.receipts) <= n for each, n in zip(self.posters, before, strict=True))
            or self.acknowledged < sum(before) + more
        ):
            for task in (*self._tasks, *self._asking):
                if task.done():
                    task.result()
            assert time.monotonic() - began < seconds, "no events are taken"
            await asyncio.sleep(0.02)
        return time.monotonic() - began

    async def stop(self, url: str) -> None:
        """Stop posting, and see that everything has caught up and nothing is lost or there twice."""
        for poster in self.posters:
            poster.stopped.set()
        await asyncio.gather(*self._tasks)
        total = self.acknowledged
        await self._caught_up(total)
        for task in self._asking:
            task.cancel()
        ended = await asyncio.gather(*self._asking, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in ended), ended
        await asyncio.to_thread(self.service.stop)
        engine = open_reader(url)
        report = verify(engine)
        engine.dispose()
        assert report.ok, report
        assert report.events == total, "every event once"
        positions = [receipt["position"] for poster in self.posters for receipt in poster.receipts]
        assert sorted(positions) == list(range(1, total + 1))
        for follower in self.followers:
            assert follower.positions == list(range(1, total + 1)), "live events have no gap"

    async def _caught_up(self, total: int) -> None:
        """Wait until read models, checkpoints and live events have come as far as the log."""
        async with asyncio.timeout(60), httpx.AsyncClient(base_url=self.service.base) as client:
            while (await client.get("/readyz")).status_code != httpx.codes.OK:
                await asyncio.sleep(0.05)
            while int((await client.get("/checkpoint")).text.split("\n")[1]) < total:
                await asyncio.sleep(0.05)
            listed = await client.get(
                "/agreements", params={"min_position": str(total)}, headers={"Prefer": "wait=30"}
            )
            assert listed.status_code == httpx.codes.OK, listed.text
            while any(each.positions[-1] < total for each in self.followers):
                await asyncio.sleep(0.05)


@pytest.fixture
def load(tmp_path: Path) -> Iterator[Callable[..., Load]]:
    """Puts a service on a database under load; whatever happens, it is gone afterwards."""
    made: list[Load] = []

    def make(url: str, *options: str) -> Load:
        made.append(Load(url, tmp_path / "key", *options))
        return made[-1]

    yield make
    for each in made:
        each.service.kill()


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["one", "two"])
async def test_a_database_that_crashes_and_comes_back_is_bridged(
    clusters: tuple[Cluster, Cluster], load: Callable[..., Load], options: tuple[str, ...]
) -> None:
    database, _ = clusters
    under = load(database.url, *options)
    await under.start()
    seconds: list[float] = []
    for _ in range(campaign(10)):
        await asyncio.to_thread(database.stop, "immediate")
        await asyncio.sleep(1.0)  # for as long there is no database
        await asyncio.to_thread(database.start)
        seconds.append(await under.taken(5 * POSTERS))
    assert max(seconds) < RECOVERED
    await under.stop(database.url)
    refused = sum(each.answers[503] for each in under.posters)
    assert refused > 0
    print(f"\n{under.acknowledged} taken, {refused} times told to come back; {max(seconds):.1f} s at most")


async def test_a_standby_that_is_promoted_takes_over(
    clusters: tuple[Cluster, Cluster], load: Callable[..., Load]
) -> None:
    primary, standby = clusters
    await asyncio.to_thread(standby.follow, primary)
    under = load(url_of(primary, standby))
    await under.start()
    seconds: list[float] = []
    rounds = campaign(10)
    for round_ in range(rounds):
        await asyncio.to_thread(primary.stop, "immediate")
        await asyncio.to_thread(standby.promote)
        seconds.append(await under.taken(5 * POSTERS))
        primary, standby = standby, primary
        if round_ < rounds - 1:
            await asyncio.to_thread(standby.follow, primary)
    assert max(seconds) < RECOVERED
    await under.stop(primary.url)
    print(f"\n{under.acknowledged} taken; {max(seconds):.1f} s at most from the promotion on")
