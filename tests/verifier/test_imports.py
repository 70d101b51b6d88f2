"""What the auditor's program rests on: what has to be read in order to trust it."""

import subprocess
import sys
from pathlib import Path

import pytest

from verifier.world import AGREEMENT, World, bundle, facts, last_note, written

SERVING = ("sqlalchemy", "psycopg", "litestar", "uvicorn", "eventsourcing", "httpx", "alembic", "rich")
PROVING = ("archive", "bundle", "database", "events", "keys", "kept", "link", "mirror", "outcome", "remote")


def loaded_by(program: str, *arguments: str) -> set[str]:
    """The modules that are loaded when a program has ended."""
    whole = (
        f"import sys\nsys.argv[1:] = {list(arguments)!r}\n{program}\nprint('LOADED', *sys.modules, sep='\\n')"
    )
    done = subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=True)
    return set(done.stdout.partition("LOADED\n")[2].split())


def test_verifying_loads_nothing_that_serves_or_stores(standing: World, tmp_path: Path):
    log, note = facts(standing.path), last_note(standing.path, standing.origin)
    files = written(bundle(log, note, standing.vkey, agreement=AGREEMENT), tmp_path / "bundle")
    program = "from registry.verifier.main import main\nassert main() == 0"
    loaded = loaded_by(program, str(files), "--key", standing.vkey, "--no-state")
    assert "registry.verifier.replay" in loaded
    assert not loaded & set(SERVING)


@pytest.mark.parametrize("target", ["bundle", "database"])
def test_without_the_replay_only_the_standard_library_and_cryptography_are_loaded(
    standing: World, tmp_path: Path, target: str
):
    log, note = facts(standing.path), last_note(standing.path, standing.origin)
    files = written(bundle(log, note, standing.vkey), tmp_path / "bundle")
    path = files if target == "bundle" else standing.copy(tmp_path / "copy.db")
    program = "from registry.verifier.main import main\nassert main() == 0"
    loaded = loaded_by(program, str(path), "--key", standing.vkey, "--no-state", "--proofs-only")
    tops = {name.partition(".")[0] for name in loaded - loaded_by("")}
    assert tops - sys.stdlib_module_names <= {"registry", "cryptography", "_cffi_backend", "_openssl"}
    assert "msgspec" not in loaded
    assert not {name for name in loaded if name.startswith(("registry.domain", "registry.errors"))}


def test_each_module_that_proves_stands_by_itself():
    program = "".join(f"import registry.verifier.{name}\n" for name in PROVING)
    loaded = loaded_by(program)
    assert not loaded & {*SERVING, "msgspec", "registry.errors", "registry.domain"}
