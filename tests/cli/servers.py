"""Servers as processes of their own."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

COMMAND = [sys.executable, "-m", "registry"]


class Server(NamedTuple):
    process: subprocess.Popen[str]
    url: str
    said: str
    """What it said on standard error until it served."""

    @property
    def key(self) -> str:
        """The key that a demo shows."""
        found = re.search(r"REGISTRY_API_KEY=(\S+)", self.said)
        assert found, self.said
        return found[1]

    def end(self, how: signal.Signals = signal.SIGTERM) -> str:
        """End it, and return what it said meanwhile."""
        self.process.send_signal(how)
        assert self.process.stderr is not None
        said = self.process.stderr.read()
        self.process.wait(timeout=30)
        self.process.stderr.close()
        return said


def environment(**settings: str) -> dict[str, str]:
    """The environment without settings but these; what is said is text, without a line for every request."""
    settings = {"log_format": "text", "access_lines": "false", **settings}
    kept = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")}
    return kept | {f"REGISTRY_{name.upper()}": value for name, value in settings.items()}


def start(*arguments: str, **settings: str) -> Server:
    """Start ``registry`` with these arguments, and wait until it serves."""
    process = subprocess.Popen(
        [*COMMAND, *arguments], env=environment(**settings), stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = ""
    while not (found := re.search(r"serving (http://\S+)", said)):
        line = process.stderr.readline()
        assert line, f"it ended with {process.wait()}: {said}"
        said += line
    return Server(process, found[1], said)


@contextmanager
def serving(*arguments: str, **settings: str) -> Iterator[Server]:
    """Serve meanwhile; whatever happens, the process is gone afterwards."""
    server = start(*arguments, **settings)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.end()


def refused(*arguments: str, **settings: str) -> tuple[int, str]:
    """Run a command that does not get to serve; returns its exit code and what it said."""
    done = subprocess.run(
        [*COMMAND, *arguments],
        env=environment(**settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stderr
