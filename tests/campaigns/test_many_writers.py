"""Sixteen writers in two processes and four readers that follow the log meanwhile, on PostgreSQL."""

import json
import os
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path

import pytest

from conftest import campaign
from registry.audit.verify import verify
from registry.store.database import open_reader
from registry.store.reader import Reader
from store.conftest import Opened, registered

TESTS = Path(__file__).resolve().parent.parent
AGREEMENTS = [f"shared-{i}" for i in range(40)]


class Follower(threading.Thread):
    """Reads the log by position, as it grows, until it has seen ``size`` events."""

    def __init__(self, url: str, size: int, stop: threading.Event) -> None:
        super().__init__()
        self.url, self.size, self.stop = url, size, stop
        self.seen: list[int] = []

    def run(self) -> None:
        engine = open_reader(self.url)
        reader = Reader(engine)
        while len(self.seen) < self.size and not self.stop.is_set():
            self.seen.extend(row.position for row in reader.page(self.seen[-1] if self.seen else 0, 100))
        engine.dispose()


@pytest.mark.campaign
@pytest.mark.postgres
async def test_many_writers_give_one_dense_log_that_readers_follow_without_a_gap(postgres_url: str) -> None:
    events = campaign(20_000) // 16 * 16
    size = len(AGREEMENTS) + events
    store = Opened(postgres_url)
    store.sequencer.start()
    await store.append(*(registered(agreement) for agreement in AGREEMENTS))
    stop = threading.Event()
    followers = [Follower(postgres_url, size, stop) for _ in range(4)]
    for follower in followers:
        follower.start()
    try:
        won = race(postgres_url, events)
    except BaseException:
        stop.set()
        raise
    finally:
        for follower in followers:
            follower.join(timeout=60)
            stop.set()

    assert len(won) == events
    winners = Counter((agreement, version) for agreement, version, _ in won)
    assert set(winners.values()) == {1}, "one winner per expected version"
    for agreement in AGREEMENTS:
        versions = sorted(version for name, version, _ in won if name == agreement)
        assert versions == list(range(2, len(versions) + 2)), "versions are dense"
    assert sorted(position for _, _, position in won) == list(range(len(AGREEMENTS) + 1, size + 1))
    for follower in followers:
        assert follower.seen == list(range(1, size + 1)), "every position once and in order"
    report = verify(store.reading)
    assert report.ok, report
    await store.close()


def race(url: str, events: int) -> list[tuple[str, int, int]]:
    """Let two processes append half of the events each, and collect what they won."""
    command = [sys.executable, str(TESTS / "campaigns" / "writer_process.py"), url]
    processes = [
        subprocess.Popen(
            [*command, name, ",".join(AGREEMENTS), str(events // 2)],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(TESTS)},
        )
        for name in ("p", "q")
    ]
    won = []
    for process in processes:
        output, _ = process.communicate()
        assert process.returncode == 0
        won.extend(tuple(win) for win in json.loads(output))
    return won
