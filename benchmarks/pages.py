"""The pages that people read, over HTTP with one client, of a full registry."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack

from benchmarks.figures import Measurement
from benchmarks.load import drive
from benchmarks.loaded import Loaded
from benchmarks.reads import FACTORY, request
from benchmarks.servers import Running, serve, settle

AGREEMENT = "pak-slv-2025-digital-assets"
PATHS = (
    "/",
    f"/a/{AGREEMENT}",
    "/search?q=commerce",
    "/parties",
    "/p/gbr",
    "/p/slv",
    "/pair/gbr/usa",
    "/calendar",
    "/log",
    "/log/1",
    "/verify",
)


def task(path: str) -> str:
    """Say which page is read."""
    return f"page {path}"


def measurements(stores: Mapping[str, Loaded], seconds: float, repetitions: int) -> Iterator[Measurement]:
    """Read every page of each store, in turns."""
    with ExitStack() as stack:
        servers = {name: stack.enter_context(serve(FACTORY, store.environ)) for name, store in stores.items()}
        for running in servers.values():
            settle(running)
        for _ in range(repetitions):
            for path in PATHS:
                for name, running in servers.items():
                    yield _measure(name, path, running, seconds / 4)


def _measure(name: str, path: str, running: Running, seconds: float) -> Measurement:
    work = [[request(path, {"accept": "text/html"})] * 2_000]
    drive(running.port, [work[0][:1]], 1, 5, status=200)  # the first one compiles a template
    before = running.cpu()
    sample = drive(running.port, work, 1, seconds, status=200)
    return Measurement(
        subject=name,
        task=task(path),
        events=sample.requests,
        seconds=sample.seconds,
        p50_ms=sample.quantile(0.5) * 1e3,
        p99_ms=sample.quantile(0.99) * 1e3,
        subject_cpu=running.cpu() - before,
    )
