"""The service as a process of its own, to be killed."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from registry.audit.keys import make_key


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Service:
    """A service process on a port of its own, started again after each kill."""

    def __init__(
        self,
        url: str,
        key: Path,
        *options: str,
        program: Sequence[str] = ("-m", "registry"),
        **settings: object,
    ) -> None:
        if not key.exists():
            make_key(key)
        self.port = free_port()
        self.base = f"http://127.0.0.1:{self.port}"
        self._environ = {
            **{name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")},
            "PYTHONPATH": os.pathsep.join(sys.path),
            "REGISTRY_DATABASE": url,
            "REGISTRY_AUTH": "off",
            "REGISTRY_LOG_KEY_FILE": str(key),
            "REGISTRY_PORT": str(self.port),
            **{f"REGISTRY_{name.upper()}": str(value) for name, value in settings.items()},
        }
        self._command = [sys.executable, *program, "serve", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it is ready."""
        self._process = subprocess.Popen(
            self._command,
            env=self._environ,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            assert self._process.poll() is None, "the service ended by itself"
            try:
                if httpx.get(f"{self.base}/readyz").status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                time.sleep(0.05)
        raise TimeoutError("the service did not get ready")

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def stop(self) -> float:
        """End it in good order; return how many seconds that took."""
        assert self._process is not None
        began = time.monotonic()
        self._process.terminate()
        assert self._process.wait(timeout=60) == 0
        return time.monotonic() - began

    def kill(self) -> None:
        """End it with SIGKILL, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
