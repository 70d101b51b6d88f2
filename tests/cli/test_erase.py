"""Erasing on the command line: shown first, then done, on the database itself and through a server."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from campaigns.bytes_of import found_in
from cli.conftest import Registry
from cli.posts import Event, registered
from cli.servers import Server, serving
from registry.__main__ import main
from registry.cli.exits import DONE, LOCKED, REFUSED, UNREACHABLE, USAGE
from registry.projections.catalogue import CATALOGUE
from registry.projections.clearing import Clearing
from registry.projections.generations import begin_generation
from registry.projections.scrub import truncate_wal
from registry.projections.step import Projection
from registry.store.database import open_reader, open_writer
from registry.store.leases import acquire, release
from registry.store.lock import WriteLock
from registry.store.reader import Reader

ADA = "0b7a3c52-2f0e-4c58-8f6d-5a1f9f7f2b33"
BO = "6f1f2c1e-6c0b-4e5a-9d54-0a3d0c6f4a11"
BASIS = ("--legal-basis", "GDPR 17(1)(b)")
WORDS = ("Adalinde", "adalinde")


def met(agreement: str, *people: tuple[str, str]) -> Event:
    participants = [{"person": {"person_id": id, "name": name}} for id, name in people]
    return registered(agreement) | {
        "id": f"{agreement}-met",
        "type": "agreement.engagement-held.v1",
        "data": {"engagement_id": "v", "kind": "visit", "start": "2025", "participants": participants},
    }


def events() -> list[Event]:
    """Two agreements; at positions 2 and 4 the same person took part in something."""
    both = (ADA, "Adalinde Quexworth"), (BO, "Bostwick Sample")
    return [registered("one"), met("one", *both), registered("two"), met("two", *both)]


@pytest.fixture(scope="module")
def template(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database that knows of the persons, with read models that are built."""
    home = tmp_path_factory.mktemp("told")
    shutil.copy(sqlite_template, home / "registry.db")
    (home / "told.ndjson").write_text("".join(f"{json.dumps(event)}\n" for event in events()))
    database = ("--database", f"sqlite:///{home}/registry.db")
    assert main(["append", str(home / "told.ndjson"), *database]) == DONE
    for name in ("agreements", "engagements", "institutions_and_people"):
        assert main(["projections", "rebuild", name, *database]) == DONE
    engine = open_writer(f"sqlite:///{home}/registry.db")
    assert truncate_wal(engine)  # so that the one file has everything
    engine.dispose()
    return home / "registry.db"


@pytest.fixture
def told(template: Path, tmp_path: Path) -> str:
    """A copy of it."""
    shutil.copy(template, tmp_path / "registry.db")
    return f"sqlite:///{tmp_path}/registry.db"


def test_what_would_go_is_shown_and_nothing_changed(registry: Registry, told: str) -> None:
    ran = registry("erase", "--person", ADA, *BASIS, "--database", told)
    assert ran.code == DONE
    assert ran.out.splitlines() == [
        "agreement  position  event               parts to erase  erased before",
        "one        2         engagement-held.v1  1",
        "two        4         engagement-held.v1  1",
    ]
    assert ran.err == "nothing was changed; --yes erases 2 parts for good\n"
    assert found_in(told, *WORDS)
    ran = registry("erase", "one", 2, "--part", 2, *BASIS, "--database", told, "--json")
    assert ran.json["items"] == [
        {
            "agreement": "one",
            "position": 2,
            "type": "agreement.engagement-held.v1",
            "open": [2],
            "gone": [],
        }
    ]


def test_an_event_is_erased(registry: Registry, told: str) -> None:
    ran = registry("erase", "one", 2, "--part", 1, *BASIS, "--yes", "--database", told)
    assert (ran.code, ran.err) == (DONE, "")
    assert ran.out.splitlines() == [
        "agreement  position  parts erased  recorded at",
        "one        2         1             5",
    ]
    assert found_in(told, *WORDS)  # in the other agreement
    ran = registry("erase", "one", 2, *BASIS, "--yes", "--database", told, "--json")
    assert [(one["parts"], one["receipt"]["replayed"]) for one in ran.json["erased"]] == [
        ([1], True),
        ([2], False),
    ]
    assert registry("verify", "--database", told).code == DONE


def test_a_person_is_erased_to_the_last_byte(registry: Registry, told: str) -> None:
    ran = registry("erase", "--person", ADA, *BASIS, "--yes", "--database", told, "--json")
    assert (ran.code, ran.err) == (DONE, "")
    assert [(one["agreement"], one["position"]) for one in ran.json["erased"]] == [("one", 2), ("two", 4)]
    assert (ran.json["cleared"], ran.json["behind"]) == (True, [])
    assert found_in(told, *WORDS) == []
    assert found_in(told, "Bostwick")
    assert registry("verify", "--database", told).code == DONE
    assert "Adalinde" not in registry("show", "one", "--database", told).out


@pytest.mark.postgres
def test_a_person_is_erased_from_postgresql(registry: Registry, postgres_url: str, tmp_path: Path) -> None:
    path = tmp_path / "told.ndjson"
    path.write_text("".join(f"{json.dumps(event)}\n" for event in events()))
    assert registry("append", path, "--database", postgres_url).code == DONE
    assert registry("projections", "rebuild", "engagements", "--database", postgres_url).code == DONE
    ran = registry("erase", "--person", ADA, *BASIS, "--yes", "--database", postgres_url)
    assert ran.code == DONE
    assert found_in(postgres_url, *WORDS) == []
    assert registry("verify", "--database", postgres_url).code == DONE


def test_a_read_model_that_was_never_finished_is_brought_past_it_too(registry: Registry, told: str) -> None:
    engine, reading = open_writer(told), open_reader(told)
    never = next(model for model in CATALOGUE if model.name == "agreements")
    with engine.begin() as connection:
        connection.exec_driver_sql("UPDATE tracking SET state = 'retired:1' WHERE projection = 'agreements'")
        Projection(engine, Reader(reading), begin_generation(connection, never))
    engine.dispose()
    reading.dispose()
    ran = registry("erase", "--person", ADA, *BASIS, "--yes", "--database", told)
    assert ran.code == DONE
    assert found_in(told, *WORDS) == []


def test_what_others_keep_up_to_date_is_waited_for(
    registry: Registry, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.cli.erase.PATIENCE", 0.1)
    monkeypatch.setattr("registry.cli.erase.PAUSE", 0.01)
    model = next(model for model in CATALOGUE if model.name == "engagements")
    engine = open_writer(told)
    held = acquire(engine, model.lease, owner="another")
    engine.dispose()
    ran = registry("erase", "--person", ADA, *BASIS, "--yes", "--database", told)
    assert ran.code == UNREACHABLE
    assert ran.err == "erased, but not yet gone from everything: engagements; run this again\n"
    engine = open_writer(told)
    assert held is not None
    release(engine, held)
    engine.dispose()
    ran = registry("erase", "--person", ADA, *BASIS, "--yes", "--database", told)
    assert (ran.code, ran.err) == (DONE, "")
    assert found_in(told, *WORDS) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "say what to erase"),
        (("one",), "say what to erase"),
        (("one", 2, "--person", ADA), "not both"),
        (("--person", ADA, "--part", 1), "not both"),
        (("--person", "Adalinde"), "random UUID"),
        (("one", 0), "from 1"),
        (("ONE", 1), "from 1"),
    ],
)
def test_a_wrong_command_line_erases_nothing(
    registry: Registry, told: str, arguments: tuple[Any, ...], says: str
) -> None:
    ran = registry("erase", *arguments, *BASIS, "--yes", "--database", told)
    assert ran.code == USAGE
    assert says in ran.err


def test_a_legal_basis_is_a_code(registry: Registry, told: str) -> None:
    ran = registry("erase", "one", 2, "--legal-basis", "\n", "--yes", "--database", told)
    assert (ran.code, "short code" in ran.err) == (USAGE, True)
    assert registry("erase", "one", 2, "--database", told).code == USAGE


def test_what_is_not_there_is_not_erased(registry: Registry, told: str) -> None:
    for arguments in (("one", 99), ("nowhere", 2), ("--person", "1" * 8 + ADA[8:])):
        for more in ((), ("--yes",)):
            ran = registry("erase", *arguments, *BASIS, *more, "--database", told)
            assert ran.code == REFUSED, arguments
    assert registry("erase", "one", 1, *BASIS, "--database", told).code == REFUSED


def test_a_database_that_another_command_writes_is_left_alone(registry: Registry, told: str) -> None:
    with WriteLock(told):
        assert registry("erase", "one", 2, *BASIS, "--yes", "--database", told).code == LOCKED
        assert registry("erase", "one", 2, *BASIS, "--database", told).code == DONE


@pytest.fixture
def server(told: str, tmp_path: Path) -> Iterator[Server]:
    """A server that holds the database."""
    with serving("serve", "--port", "0", database=told, auth="off") as one:
        yield one


def test_a_database_that_a_server_holds_is_gone_through_that_server(
    registry: Registry, server: Server, told: str
) -> None:
    ran = registry("erase", "one", 2, "--part", 1, *BASIS, "--url", server.url, "--json")
    assert [one["open"] for one in ran.json["items"]] == [[1]]
    ran = registry("erase", "--person", ADA, *BASIS, "--url", server.url)
    assert ran.err == "nothing was changed; --yes erases 2 parts for good\n"
    ran = registry("erase", "one", 2, "--part", 1, *BASIS, "--yes", "--database", told)
    assert ran.code == DONE
    assert "going through it" in ran.err
    assert ran.out.splitlines()[1].split() == ["one", "2", "1", "5"]
    ran = registry("erase", "--person", ADA, *BASIS, "--yes", "--url", server.url, "--json")
    assert (ran.code, ran.json["cleared"]) == (DONE, True)
    assert [one["receipt"]["position"] for one in ran.json["erased"]] == [5, 6]
    assert found_in(told, *WORDS) == []
    assert registry("verify", "--database", told).code == DONE


def test_a_server_that_was_killed_before_it_had_cleared_up_does_so_when_it_is_back(
    registry: Registry, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("registry.cli.erase.PATIENCE", 0.0)
    with monkeypatch.context() as broken:
        broken.setattr("registry.projections.clearing.catch_up", lambda *_: None)
        broken.setattr(Clearing, "step", lambda _: False)
        ran = registry("erase", "--person", ADA, *BASIS, "--yes", "--database", told)
    assert ran.code == UNREACHABLE
    assert found_in(told, *WORDS)
    with serving("serve", "--port", "0", database=told, auth="off") as server:
        ran = registry("erase", "--person", ADA, *BASIS, "--yes", "--url", server.url, "--json")
        assert ran.json["cleared"]
        assert all(one["receipt"]["replayed"] for one in ran.json["erased"])
        assert found_in(told, *WORDS) == []
