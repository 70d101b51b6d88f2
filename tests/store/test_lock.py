import subprocess
import sys
from pathlib import Path

import pytest

from registry.store.lock import Locked, WriteLock, holder, lock_path


@pytest.fixture
def database(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/registry.db"


def test_the_second_to_ask_learns_where_the_first_serves(database: str) -> None:
    with WriteLock(database, "http://127.0.0.1:8000"), pytest.raises(Locked) as locked, WriteLock(database):
        pass
    assert locked.value.url == "http://127.0.0.1:8000"
    assert "held by http://127.0.0.1:8000" in str(locked.value)


def test_a_command_that_serves_nothing_is_called_a_command(database: str) -> None:
    with WriteLock(database):
        assert holder(database) == ""
        with pytest.raises(Locked, match="held by another command"), WriteLock(database):
            pass


def test_the_lock_is_free_again_after_it_was_let_go(database: str) -> None:
    with WriteLock(database, "http://127.0.0.1:8000"):
        pass
    assert holder(database) is None


def test_a_killed_process_leaves_no_lock_behind(database: str) -> None:
    program = (
        "import sys, time\nfrom registry.store.lock import WriteLock\n"
        f"with WriteLock({database!r}, 'http://x'):\n  print('held', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        assert holder(database) == "http://x"
        process.kill()
        process.wait()
    assert holder(database) is None


def test_postgresql_needs_no_lock_file() -> None:
    assert lock_path("postgresql://db/registry") is None
    with WriteLock("postgresql://db/registry"), WriteLock("postgresql://db/registry"):
        pass
