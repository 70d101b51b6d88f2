import stat
from pathlib import Path

import pytest

from cli.conftest import Registry
from cli.servers import serving
from registry.audit.keys import make_key
from registry.cli.exits import DONE, LOCKED, REFUSED, UNREACHABLE, USAGE
from registry.merkle.checkpoint import parse_checkpoint
from registry.merkle.note import COSIGNATURE, ED25519, parse_note, parse_verifier_key

EVENT = (
    '{"specversion": "1.0", "id": "g-1", "source": "https://gazette.example/", "type": "agreement.registered.v1", '
    '"subject": "che-nor-2026-rail", "data": {"title": {"en": "On railways"}, "parties": ['
    '{"id": "che", "kind": "state", "name": {"en": "Switzerland"}}, '
    '{"id": "nor", "kind": "state", "name": {"en": "Norway"}}]}}'
)


@pytest.fixture
def served(registry: Registry, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Registry:
    """The command line on a database that a server has published."""
    with serving("serve", "--port", "0", database=sqlite_url, auth="off"):
        pass
    monkeypatch.setenv("REGISTRY_DATABASE", sqlite_url)
    return registry


def test_the_key_and_the_last_checkpoint_are_printed(served: Registry):
    ran = served("log", "key")
    key = parse_verifier_key(ran.out.removesuffix("\n"))
    assert (ran.code, key.name, key.type) == (DONE, "registry.test/log", ED25519)
    ran = served("log", "checkpoint")
    note = parse_note(ran.out.encode())
    assert parse_checkpoint(note.text).size == 0
    assert note.signatures[0].key_id == key.key_id
    assert served("log", "checkpoint", "--size", "0").out == ran.out
    ran = served("log", "checkpoint", "--size", "7")
    assert (ran.code, ran.err) == (REFUSED, "the log has signed no such checkpoint\n")


def test_a_key_is_made_for_its_owner_alone(registry: Registry, tmp_path: Path):
    ran = registry("log", "key", "--new", tmp_path / "key")
    assert (ran.code, ran.out) == (DONE, "")
    assert stat.S_IMODE((tmp_path / "key").stat().st_mode) == 0o600
    ran = registry("log", "key", "--new", tmp_path / "key")
    assert ran.code == USAGE
    assert "no key is ever overwritten" in ran.err


def test_every_key_of_the_log_and_of_the_witness_is_printed(
    served: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    make_key(tmp_path / "next")
    make_key(tmp_path / "witness")
    monkeypatch.setenv("REGISTRY_LOG_KEY_FILE_NEXT", str(tmp_path / "next"))
    monkeypatch.setenv("REGISTRY_WITNESS_KEY_FILE", str(tmp_path / "witness"))
    monkeypatch.setenv("REGISTRY_WITNESS_NAME", "witness.example")
    keys = [parse_verifier_key(line) for line in served("log", "key").out.splitlines()]
    assert [key.type for key in keys] == [ED25519, ED25519, COSIGNATURE]


@pytest.mark.postgres
def test_a_log_without_a_key_has_none_to_print(registry: Registry, postgres_url: str):
    assert registry("log", "key", "--database", postgres_url).code == REFUSED


def test_a_key_that_is_not_there_is_named(registry: Registry, sqlite_url: str):
    ran = registry("log", "key", "--database", sqlite_url)
    assert ran.code == USAGE
    assert "registry.db.key" in ran.err


def test_the_origin_is_given_up_and_the_log_goes_on(
    served: Registry, tmp_path: Path, file_of, sqlite_url: str
):
    kept = tmp_path / "registry.db.checkpoint"
    ahead = kept.read_text().replace("\n0\n", "\n9\n")
    kept.write_text(ahead)
    ran = served("append", file_of([EVENT]))
    assert ran.code == UNREACHABLE
    assert "the kept checkpoint is of 9 events, and there are 0" in ran.err
    ran = served("log", "new-origin", "registry.test/two")
    assert ran.code == DONE
    assert parse_checkpoint(parse_note(ran.out.encode()).text).origin == "registry.test/two"
    assert "registry log key" in ran.err
    assert parse_verifier_key(served("log", "key").out.strip()).name == "registry.test/two"
    assert served("append", file_of([EVENT])).code == DONE
    ran = served("log", "new-origin", "registry.test/two")
    assert (ran.code, ran.out) == (USAGE, "")
    with serving("serve", "--port", "0", database=sqlite_url, auth="off"):
        ran = served("log", "new-origin", "registry.test/three")
        assert ran.code == LOCKED
    assert parse_checkpoint(parse_note(served("log", "checkpoint").out.encode()).text).size == 1


def test_a_server_is_not_started_with_a_key_that_never_signed(served: Registry, tmp_path: Path):
    make_key(tmp_path / "another")
    (tmp_path / "registry.db.key").unlink()
    ran = served("serve", "--port", "0")
    assert ran.code == USAGE
    assert ran.err.startswith("registry: cannot read the key in")
    assert len(ran.err.splitlines()) == 1
