"""UmaDB, for comparison: its server from its own wheel, its own client over gRPC, conditional appends.

As many threads as there are clients of the others, each with a client of its own. An event's tag is its agreement, and
its data the posted ``data`` byte for byte; the condition of each append is that nobody has appended to its
agreements since: what an expected version is to the registry. UmaDB neither validates, decides, splits nor hashes.
"""

import itertools
import shutil
import subprocess
import threading
import time
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from benchmarks.events import Envelope, groups
from benchmarks.load import Sample
from benchmarks.over_http import Target
from benchmarks.servers import BIN, Running, accepts, free_port

Append = tuple[list[Any], Any]
"""The events of one append, and the query that none may match behind what the thread has seen."""


def installed() -> bool:
    """Tell whether the wheel is here; it comes with the dependency group ``bench`` only."""
    return find_spec("umadb") is not None


@contextmanager
def serve(folder: Path) -> Iterator[Running]:
    """Run the server with its defaults on a new database until the block ends."""
    port = free_port()
    command = [shutil.which("umadb", path=BIN) or "umadb", "--listen", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [*command, "--db-path", str(folder)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        if not accepts(process, port):
            raise RuntimeError("umadb did not start")
        yield Running(port, process.pid)
    finally:
        process.terminate()
        process.wait(15)


def target(running: Running) -> Target:
    """Make it a server to be measured among the others."""
    return Target("umadb", running, prepare=appends, send=drive)


def appends(run: str, events: int, batch: int) -> list[list[Append]]:
    """Make the appends ready, in the order and the batches in which the others get them."""
    made: list[list[Append]] = []
    count = 0
    for group in groups(run, batch):
        if count >= events:
            break
        made.append([_append(group[i : i + batch]) for i in range(0, len(group), batch)])
        count += len(group)
    return made


def _append(envelopes: Sequence[Envelope]) -> Append:
    from umadb import Event, Query, QueryItem

    tags = dict.fromkeys(envelope["subject"] for envelope in envelopes)
    events = [
        Event(envelope["type"], msgspec.json.encode(envelope["data"]), [envelope["subject"]])
        for envelope in envelopes
    ]
    return events, Query([QueryItem(tags=[tag]) for tag in tags])


def drive(port: int, work: Sequence[list[Append]], clients: int, seconds: float) -> Sample:
    """Append from so many threads for some seconds."""
    from umadb import Client

    pending = deque(work)
    opened = [Client(f"http://127.0.0.1:{port}") for _ in range(clients)]
    taken: list[list[float]] = [[] for _ in opened]
    deadline = time.perf_counter() + seconds
    threads = [
        threading.Thread(target=_work, args=(client, pending, deadline, times))
        for client, times in zip(opened, taken, strict=True)
    ]
    start = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - start
    for client in opened:
        client.close()
    latencies = sorted(itertools.chain.from_iterable(taken))
    return Sample(len(latencies), elapsed, latencies, exhausted=not pending)


def _work(client: Any, pending: deque[list[Append]], deadline: float, times: list[float]) -> None:
    from umadb import AppendCondition

    while True:
        try:
            group = pending.popleft()
        except IndexError:
            return
        after = None
        for events, query in group:
            begun = time.perf_counter()
            if begun >= deadline:
                return
            after = client.append(events, AppendCondition(query, after))
            times.append(time.perf_counter() - begun)


def stored(running: Running) -> int:
    """Count the events that it holds; its positions are dense while nothing else is written."""
    from umadb import Client

    client = Client(f"http://127.0.0.1:{running.port}")
    try:
        return int(client.head() or 0)
    finally:
        client.close()
