"""Clients that mean no good, and one that does: it is served all the while, and memory stays bounded.

How it is measured: the service, the attackers and the good client are a process each. The attackers have the lowest
priority (``nice 19``), so that they stand behind the other two as if they were on machines of their own, and an address
of their own, a new one for each attack, so that none begins with what the one before is blamed for. Each attack is
repeated by all its clients without a pause, for twenty seconds or for as long as the service lets them go on. The good
client does nothing else than post an event and read its agreement, one after the other, and its times are those of both
together. They are printed, beside what they are made of: the share of a processor that each of the three took, and for
how long the event loop of the service was held at most, by its own processor time and by the clock (a heartbeat in the
service). None of these is asserted but the processor time of the loop, with room for a slow machine.
"""

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from campaigns.attacks import ATTACKS
from campaigns.service_process import Service
from conftest import campaign
from registry.audit.verify import verify
from registry.store.database import open_reader

FULL = campaign(10) == 10
SECONDS = 20.0 if FULL else 0.0
HELD = 0.15
"""Processor seconds for which the event loop may be held."""
HERE = Path(__file__).parent
TICKS = os.sysconf("SC_CLK_TCK")

pytestmark = [
    pytest.mark.campaign,
    pytest.mark.skipif(
        not Path("/proc/self/status").exists(), reason="there is no /proc to read memory from"
    ),
]


class Beats(NamedTuple):
    """How late the heartbeats of the service came at most, in seconds."""

    thread: float
    """Of its own processor time."""
    clock: float


class World:
    """A service under attack, and what was measured of it."""

    def __init__(self, url: str, home: Path) -> None:
        # What the good client's own events take in memory would be held against the attackers.
        settings: dict[str, int] = {"state_cache_events": 1000}
        if not FULL:
            settings |= {"head_seconds": 1, "body_seconds": 1, "stall_seconds": 1}
        beats = home / "beats"
        program = (str(HERE / "probed_service.py"), str(beats))
        self.service = Service(url, home / "key", program=program, **settings)
        self.service.start()
        self.url = url
        self.posted = 0
        self.phases = 0
        self._beats = beats.open()
        self.quietly(1.0 if FULL else 0.3)
        self.quietly(SECONDS)
        self.idle = self.memory("VmRSS")
        Path(f"/proc/{self.service.pid}/clear_refs").write_text("5")  # the highest figure begins anew

    def quietly(self, seconds: float) -> None:
        """Let the good client work alone."""
        self.beside("nobody", [sys.executable, "-c", f"import time; time.sleep({seconds}); print('{{}}')"])

    def attacked(self, name: str, number: int) -> dict[str, int]:
        """Let the good client work while an attack goes on; how often each status was told."""
        address = f"127.0.1.{self.phases}"
        script = str(HERE / "hostile_process.py")
        arguments = [name, str(self.service.port), address, str(number), str(SECONDS)]
        self.beside(name, [sys.executable, script, *arguments])
        return self.told

    def beside(self, name: str, command: Sequence[str]) -> None:
        """Run the good client for as long as another process lasts, and print a line of what was measured."""
        self.phases += 1
        self._beats.read()
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        used, began = self.used(), time.monotonic()
        good = subprocess.Popen(
            [sys.executable, str(HERE / "good_client.py"), str(self.service.port), f"good-{self.phases}"],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        try:
            said = json.loads(subprocess.run(command, env=environ, stdout=subprocess.PIPE, check=True).stdout)
        finally:
            took, _ = good.communicate()
        assert good.returncode == 0, "the good client was served all the while"
        served: dict[str, Any] = json.loads(took)
        lasted = time.monotonic() - began
        self.posted += served["posted"]
        self.told: dict[str, int] = said.get("told", {})
        self.beats = self._late()
        seconds = sorted(served["seconds"])
        p50, p99 = (1e3 * seconds[int(share * len(seconds))] for share in (0.5, 0.99))
        print(
            f"{name:30} {sum(self.told.values()) / said.get('lasted', 1.0):6.1f}/s"
            f"  cpu {(self.used() - used) / lasted:4.0%} {said.get('cpu', 0.0) / lasted:4.0%} {served['cpu'] / lasted:4.0%}"
            f"  good {len(seconds):5} p50 {p50:6.1f} p99 {p99:6.1f} ms"
            f"  loop {1e3 * self.beats.thread:5.1f} of {1e3 * self.beats.clock:5.1f} ms"
            f"  {self.memory('VmHWM') / 1024:4.0f} MiB at most"
        )

    def memory(self, what: str) -> int:
        """Give a figure of the service, in KiB."""
        for line in Path(f"/proc/{self.service.pid}/status").read_text().splitlines():
            if line.startswith(what):
                return int(line.split()[1])
        raise LookupError(what)

    def used(self) -> float:
        """Give the processor seconds of the service."""
        fields = Path(f"/proc/{self.service.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def files(self) -> int:
        return len(os.listdir(f"/proc/{self.service.pid}/fd"))  # noqa: PTH208 - of another process

    def _late(self) -> Beats:
        late = [tuple(map(float, line.split())) for line in self._beats.read().splitlines()]
        return Beats(
            max((each[0] for each in late), default=0.0), max((each[1] for each in late), default=0.0)
        )

    def close(self) -> None:
        self._beats.close()
        self.service.kill()


@pytest.fixture(scope="module")
def world(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("hostile")
    shutil.copy(sqlite_template, home / "registry.db")
    print("\nattack, connections a second, processor of service, attackers and good client")
    world = World(f"sqlite:///{home / 'registry.db'}", home)
    yield world
    world.close()


@pytest.mark.parametrize("name", ATTACKS)
def test_hostile_clients_cost_others_little(world: World, name: str) -> None:
    number, _, statuses = ATTACKS[name]
    told = world.attacked(name, number if FULL else max(2, number // 10))
    assert {each.encode() for each in told} <= set(statuses), told
    assert world.memory("VmHWM") < 2 * world.idle
    assert world.beats.thread < HELD


def test_hostile_clients_leave_nothing_behind(world: World) -> None:
    world.quietly(SECONDS)
    while world.files() >= 100:  # those who left while their connections rested are noticed after that
        time.sleep(0.1)
    assert world.service.stop() < 10
    engine = open_reader(world.url)
    report = verify(engine)
    engine.dispose()
    assert report.ok, report
    assert report.events == world.posted, "whatever the good client posted, and nothing else"
