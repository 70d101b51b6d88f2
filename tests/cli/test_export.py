"""``registry export`` and ``registry access-log``, from a database and through a server."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.conftest import Registry
from cli.servers import Server, serving
from evidence_reader import check, unzipped
from registry.__main__ import main
from registry.cli.demo import STORY

AGREEMENT = "pak-slv-2025-digital-assets"
EVENTS = 71


def files_in(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A database that holds the story, for a server."""
    path = tmp_path_factory.mktemp("served") / "registry.db"
    shutil.copy(sqlite_template, path)
    for report in STORY:
        assert main(["append", str(report), "--database", f"sqlite:///{path}"]) == 0
    return path


@pytest.fixture(scope="module")
def demo(served: Path) -> Iterator[Server]:
    """A server that holds that database, and has signed it."""
    with serving("serve", "--port", "0", database=f"sqlite:///{served}", auth="off") as server:
        yield server


@pytest.fixture(scope="module")
def told(served: Path, demo: Server) -> str:
    """A copy of the same database that nobody serves."""
    copy = served.with_name("copy.db")
    with sqlite3.connect(served) as from_, sqlite3.connect(copy) as to:
        from_.backup(to)
    from_.close()
    to.close()
    shutil.copy(f"{served}.key", f"{copy}.key")
    return f"sqlite:///{copy}"


@pytest.fixture
def vkey(told: str, registry: Registry) -> str:
    return registry("log", "key", "--database", told).out.strip()


def test_the_evidence_is_written_as_a_zip_or_as_files(
    told: str, vkey: str, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.chdir(tmp_path)
    common = ("export", "--agreement", AGREEMENT, "--database", told, "--valid-as-of", "2025-08-01")
    ran = registry(*common)
    assert (ran.code, ran.out) == (0, f"{AGREEMENT}-{EVENTS}.zip\n"), ran.err
    zipped = (tmp_path / f"{AGREEMENT}-{EVENTS}.zip").read_bytes()
    assert registry(*common, "--output", tmp_path / "files").code == 0
    assert files_in(tmp_path / "files") == unzipped(zipped)
    bundle = check(unzipped(zipped), vkey)
    assert len(bundle.events) == EVENTS
    assert bundle.claimed is not None
    assert bundle.claimed["status"] == "in-force"
    assert bundle.claimed["disputed"] == ["area.digital-identity.state"]
    assert (tmp_path / "files" / "entries.ndjson").stat().st_mode & 0o077 == 0
    assert b"Saqib" in zipped


def test_a_server_gives_the_same_evidence(
    *, demo: Server, served: Path, told: str, vkey: str, registry: Registry, tmp_path: Path
):
    common = ("export", "--agreement", AGREEMENT, "--valid-as-of", "2025-08-01", "--from", "29")
    assert registry(*common, "--url", demo.url, "--output", tmp_path / "a.zip").code == 0
    assert registry(*common, "--database", told, "--output", tmp_path / "b.zip").code == 0
    assert unzipped((tmp_path / "a.zip").read_bytes()) == unzipped((tmp_path / "b.zip").read_bytes())
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    through = registry(
        *common,
        "--database",
        f"sqlite:///{served}",
        "--output",
        tmp_path / "c",
        "--reason",
        "Prüfung",
    )
    assert through.code == 0
    assert "going through it" in through.err
    assert files_in(tmp_path / "c") == unzipped((tmp_path / "a.zip").read_bytes())


def test_personal_values_can_be_held_back(told: str, vkey: str, registry: Registry, tmp_path: Path):
    path = tmp_path / "without.zip"
    ran = registry("export", "--agreement", AGREEMENT, "--database", told, "--withhold", "--output", path)
    assert ran.code == 0
    content = path.read_bytes()
    bundle = check(unzipped(content), vkey)
    assert any(event.withheld for event in bundle.events)
    assert all(event.open.keys() <= {0} for event in bundle.events)
    assert b"Saqib" not in content
    assert bundle.claimed is not None
    assert bundle.claimed["status"] == "in-force"


def test_a_kept_checkpoint_is_extended(told: str, vkey: str, registry: Registry, tmp_path: Path):
    kept = tmp_path / "kept"
    kept.write_text(registry("log", "checkpoint", "--database", told).out)
    common = ("export", "--agreement", AGREEMENT, "--database", told)
    assert registry(*common, "--from", kept, "--output", tmp_path / "a.zip").code == 0
    check(unzipped((tmp_path / "a.zip").read_bytes()), vkey, kept.read_bytes())
    other = kept.read_text().split("\n")
    other[2] = "A" * 43 + "="
    kept.write_text("\n".join(other))
    refused = registry(*common, "--from", kept, "--output", tmp_path / "b.zip")
    assert refused.code == 1
    assert "does not extend" in refused.err
    assert not (tmp_path / "b.zip").exists()


def test_the_whole_log_is_written_as_files(
    *, demo: Server, served: Path, told: str, vkey: str, registry: Registry, tmp_path: Path
):
    ran = registry("export", "--database", told, "--output", tmp_path / "all")
    assert (ran.code, ran.out) == (0, f"{tmp_path / 'all'}\n")
    bundle = check(files_in(tmp_path / "all"), vkey)
    assert len(bundle.events) == EVENTS
    assert not any(event.withheld for event in bundle.events)
    live = registry("export", "--database", f"sqlite:///{served}", "--output", tmp_path / "live")
    assert live.code == 0, live.err
    assert "telling it" in live.err
    assert (tmp_path / "live" / "entries.ndjson").read_bytes() == (
        tmp_path / "all" / "entries.ndjson"
    ).read_bytes()


def test_every_export_is_in_the_access_log(
    told: str, demo: Server, served: Path, registry: Registry, tmp_path: Path
):
    common = ("export", "--agreement", AGREEMENT, "--database", told)
    assert registry(*common, "--output", tmp_path / "a.zip", "--reason", "court, file 7").code == 0
    last = registry("access-log", "--database", told, "--json").lines[-1]
    assert (last["what"], last["agreement"], last["reason"]) == (
        "registry export",
        AGREEMENT,
        "court, file 7",
    )
    shown = registry("access-log", "--database", told).out.splitlines()
    assert shown[0].split() == ["when", "(UTC)", "principal", "what", "of", "why"]
    assert "court, file 7" in shown[-1]
    assert registry("access-log", "--database", told, "--json", "--since", "2999-01-01").out == ""
    assert registry("access-log", "--database", told, "--json", "--since", last["at"]).lines == [last]
    assert registry("access-log", "--database", told, "--since", "soon").code == 2
    whole = ("export", "--database", f"sqlite:///{served}")
    assert registry(*whole, "--output", tmp_path / "whole", "--reason", "moving house").code == 0
    last = registry("access-log", "--database", f"sqlite:///{served}", "--json").lines[-1]
    assert (last["what"], last["reason"]) == ("POST /log/exports", "moving house")


def test_without_a_key_here_there_are_no_keys_in_it(told: str, registry: Registry, tmp_path: Path):
    key = Path(f"{told.removeprefix('sqlite:///')}.key")
    key.rename(tmp_path / "key")
    try:
        ran = registry("export", "--agreement", AGREEMENT, "--database", told, "--output", tmp_path / "a.zip")
    finally:
        (tmp_path / "key").rename(key)
    assert ran.code == 0
    assert "keys.txt stays empty" in ran.err
    assert unzipped((tmp_path / "a.zip").read_bytes())["keys.txt"] == b""


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (("--agreement", "nobody-knows-it"), 1, "there is no agreement"),
        (("--agreement", "No Id"), 1, "'No Id'"),
        (("--agreement", AGREEMENT, "--from", "0"), 2, "at least 1"),
        (("--agreement", AGREEMENT, "--from", "72"), 1, "71 events"),
        (("--agreement", AGREEMENT, "--from", "no-such-file"), 2, "no file that can be read"),
        (("--agreement", AGREEMENT, "--from", __file__), 2, "holds no checkpoint"),
        (("--agreement", AGREEMENT, "--valid-as-of", "2025-02-30"), 2, "is no day"),
        (("--agreement", AGREEMENT, "--reason", "x" * 201), 2, "--reason"),
        (("--agreement", AGREEMENT, "--output", __file__), 2, "already"),
        ((), 2, "--output names the directory"),
        (("--output", "all.zip"), 2, "--output names the directory"),
        (("--output", str(Path(__file__).parent)), 2, "already"),
        (("--output", "x", "--from", "3"), 2, "as it is"),
    ],
)
def test_what_cannot_be_exported_is_said(
    *,
    told: str,
    registry: Registry,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    code: int,
    says: str,
):
    monkeypatch.chdir(tmp_path)
    ran = registry("export", "--database", told, *arguments)
    assert (ran.code, says in ran.err) == (code, True), ran.err
    assert list(tmp_path.iterdir()) == []


def test_a_reason_can_be_required(
    told: str, registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("REGISTRY_REQUIRE_REASON", "true")
    ran = registry("export", "--agreement", AGREEMENT, "--database", told, "--output", tmp_path / "a.zip")
    assert ran.code == 2
    assert "--reason is required" in ran.err


def test_a_server_that_is_none_or_refuses_is_said(demo: Server, registry: Registry, tmp_path: Path):
    common = ("export", "--agreement", AGREEMENT, "--output", tmp_path / "a.zip", "--url")
    assert registry(*common, "http://127.0.0.1:9").code == 3
    refused = registry(*common, demo.url, "--from", "999")
    assert refused.code == 1
    assert "last published checkpoint" in refused.err
    assert registry(*common, demo.url, "--withhold").code == 2
    assert registry("export", "--url", demo.url, "--output", tmp_path / "all").code == 2
