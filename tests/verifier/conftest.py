"""A registry with two agreements, erasures and several checkpoints, made once; and how it is verified."""

import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from registry.merkle.note import parse_verifier_key
from registry.verifier.examine import Options
from registry.verifier.main import verify
from registry.verifier.report import Report
from verifier.world import OTHER, SOURCE, World, written

Verify = Callable[..., Report]


def registered(subject: str, id: str) -> dict[str, Any]:
    parties = [{"id": one, "kind": "state", "name": {"en": one}} for one in ("isl", "nzl")]
    data = {"title": {"en": "On geothermal energy"}, "parties": parties, "entry_mode": "on-signature"}
    return cloud_event("registered", subject, id, data)


def signed(subject: str, id: str, name: str, person: int = 1) -> dict[str, Any]:
    person_id = f"6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a{person:02}"
    signatures = [{"party": "isl", "actor": {"person": {"person_id": person_id, "name": name}}}]
    return cloud_event("signed", subject, id, {"signatures": signatures, "occurred": "2026-01-02"})


def planned(subject: str, id: str) -> dict[str, Any]:
    data = {"engagement_id": id, "kind": "visit", "certainty": "expected"}
    return cloud_event("engagement-planned", subject, id, data)


def cloud_event(name: str, subject: str, id: str, data: dict[str, Any]) -> dict[str, Any]:
    return {
        "specversion": "1.0",
        "id": id,
        "source": SOURCE,
        "type": f"agreement.{name}.v1",
        "subject": subject,
        "data": data,
    }


def fill(world: World) -> World:
    """Record two agreements in turn, with an erasure in each half, and sign three checkpoints."""
    world.post(registered(OTHER, "o-1"))
    world.tell(slice(0, 20))
    world.post(signed(OTHER, "o-2", "A. Signatory"))
    world.sign()
    world.tell(slice(20, 50))
    world.erase(22, 1)
    world.sign(witness=True)
    world.tell(slice(50, None))
    world.post(planned(OTHER, "o-3"))
    world.sign(witness=True)
    return world


@pytest.fixture(scope="session")
def standing(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A registry that no test changes."""
    world = fill(World(sqlite_template, tmp_path_factory.mktemp("verifier")))
    yield world
    world.close()


@pytest.fixture
def world(sqlite_template: Path, tmp_path: Path) -> Iterator[World]:
    """A registry of one's own, empty."""
    (tmp_path / "world").mkdir()
    world = World(sqlite_template, tmp_path / "world")
    yield world
    world.close()


@pytest.fixture
def database(standing: World, tmp_path: Path) -> Path:
    """A copy of the standing registry's database."""
    return standing.copy(tmp_path / "copy.db")


@pytest.fixture
def check(standing: World, tmp_path: Path) -> Verify:
    """Verifies a path, a URL or the files of a bundle, with the key of the log unless told otherwise."""

    def run(target: Path | str | Mapping[str, bytes], **options: Any) -> Report:
        if isinstance(target, Mapping):
            folder = tmp_path / "bundle"
            shutil.rmtree(folder, ignore_errors=True)
            target = written(target, folder)
        options.setdefault("keys", (parse_verifier_key(standing.vkey),))
        return verify(str(target), Options(**options))

    return run
