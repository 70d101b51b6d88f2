"""The servers measured, each a process of its own on a loopback port, all with the same flags."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import msgspec
import psutil  # type: ignore[import-untyped]  # ships none

CHECKOUT = Path(__file__).parent.parent
BIN = str(Path(sys.executable).parent)
"""Where the commands of this environment are."""
START_SECONDS = 60


class Running(msgspec.Struct, frozen=True):
    """A server that accepts connections."""

    port: int
    pid: int

    def cpu(self) -> float:
        """Give the processor seconds it has used, its children with it."""
        return processor_seconds(self.pid)


def processor_seconds(pid: int) -> float:
    """Give the processor seconds used by a process and the children it has."""
    root = psutil.Process(pid)
    total = 0.0
    for process in [root, *root.children(recursive=True)]:
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system
    return total


def uvicorn(factory: str, port: int) -> list[str]:
    """Give the command for uvicorn: one worker, uvloop, httptools, no access log."""
    flags = f"--factory --host 127.0.0.1 --port {port} --loop uvloop --http httptools --no-access-log"
    return [sys.executable, "-m", "uvicorn", factory, *flags.split(), "--log-level", "warning"]


def granian(factory: str, port: int) -> list[str]:
    """Give the command for granian: one worker, uvloop, no access log."""
    flags = (
        f"--factory --interface asgi --host 127.0.0.1 --port {port} --loop uvloop --workers 1 --no-access-log"
    )
    return [sys.executable, "-m", "granian", factory, *flags.split(), "--log-level", "warning"]


def two_workers(factory: str, port: int) -> list[str]:
    """Give the command for uvicorn with two processes on one port."""
    return [*uvicorn(factory, port), "--workers", "2"]


def two_granians(factory: str, port: int) -> list[str]:
    """Give the command for granian with two processes on one port."""
    return [word if word != "1" else "2" for word in granian(factory, port)]


def own(factory: str, port: int, workers: int = 1) -> list[str]:  # noqa: ARG001 - it is the registry's
    """Give the command that operators use."""
    flags = f"serve --port {port}" + (f" --workers {workers}" if workers > 1 else "")
    return [sys.executable, "-m", "registry", *flags.split()]


SERVERS: dict[str, Callable[[str, int], list[str]]] = {
    "uvicorn": uvicorn,
    "uvicorn x 2": two_workers,
    "granian": granian,
    "granian x 2": two_granians,
    "serve": own,
    "serve x 2": partial(own, workers=2),
}
"""``serve`` is the registry's own command, which runs uvicorn."""


def installed() -> list[str]:
    """Name the servers that are here; granian comes with the dependency group ``bench`` only."""
    return [name for name in SERVERS if name.startswith("serve") or find_spec(name.split(" ", 1)[0])]


@contextmanager
def serve(factory: str, environ: Mapping[str, str], server: str = "uvicorn") -> Iterator[Running]:
    """Run an application factory until the block ends.

    Raises RuntimeError, with the server's output, if it does not start.
    """
    port = free_port()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            SERVERS[server](factory, port),
            cwd=CHECKOUT,
            env={**os.environ, **environ},
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        try:
            if not answers(process, port):
                output.seek(0)
                raise RuntimeError(
                    f"{factory} did not start:\n{output.read().decode(errors='replace')[-4000:]}"
                )
            yield Running(port, process.pid)
        finally:
            process.terminate()
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def launched(environ: Mapping[str, str], *, wait: bool = True) -> Iterator[Running]:
    """Run ``registry serve`` until the block ends; without waiting, whoever asks sees when it answers."""
    port = free_port()
    process = subprocess.Popen(
        own("", port),
        cwd=CHECKOUT,
        env={**os.environ, **environ},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        if wait and not answers(process, port):
            raise RuntimeError("registry serve did not start")
        yield Running(port, process.pid)
    finally:
        process.terminate()
        process.wait(15)


def memory(running: Running) -> float:
    """Give the kilobytes that a server and its children have for themselves (PSS: what is shared counts in part)."""
    root = psutil.Process(running.pid)
    processes = [root, *root.children(recursive=True)]
    return sum(float(process.memory_full_info().pss) for process in processes) / 1024


def settle(running: Running, limit: float = 600.0) -> float:
    """Wait until a server is idle, so that what it left for later slows nobody; give the seconds taken.

    Raises RuntimeError when it does not come to rest: the next measurement would not be a fair one.
    """
    start = time.perf_counter()
    before = running.cpu()
    while time.perf_counter() - start < limit:
        time.sleep(0.2)
        now = running.cpu()
        if now - before < 0.02:
            return time.perf_counter() - start
        before = now
    raise RuntimeError(f"a server was still busy {limit:.0f} s after its last answer")


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def accepts(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until a server accepts connections; False if it ends or takes too long."""
    end = time.perf_counter() + START_SECONDS
    while time.perf_counter() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return True
    return False


def answers(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until a server answers a request, with whatever; False if it ends or takes too long.

    A socket may be listened on, and take connections, long before anybody serves it.
    """
    end = time.perf_counter() + START_SECONDS
    while time.perf_counter() < end and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 5) as connection:
                connection.sendall(b"GET /livez HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n")
                if connection.recv(1):
                    return True
        except OSError:
            time.sleep(0.05)
    return False
