"""The command line as a whole."""

import subprocess
import sys
from argparse import Namespace
from pathlib import Path
from types import ModuleType

import pytest

from registry import __version__
from registry.__main__ import COMMANDS, main
from registry.cli import config
from registry.cli.exits import DONE, INTERRUPTED, REFUSED, UNREACHABLE, USAGE, Stop
from registry.errors import RegistryError, Unavailable


def name_of(command: ModuleType) -> str:
    """The name of a command; its module cannot have that of a keyword, nor a hyphen."""
    return command.__name__.rpartition(".")[2].rstrip("_").replace("_", "-")


def test_the_version_is_that_of_the_package(registry):
    assert registry("--version").out == f"agreement-registry {__version__}\n"


def test_help_lists_every_command(registry):
    listed = [line.split()[0] for line in registry("--help").out.splitlines() if line.startswith("    ")]
    for command in COMMANDS:
        assert name_of(command) in listed


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_says_what_it_does(registry, command):
    ran = registry(name_of(command), "--help")
    assert ran.code == DONE
    assert len(ran.out.splitlines()) > 5


def test_no_command_is_a_wrong_command_line(registry):
    assert registry().code == USAGE
    assert registry("dance").code == USAGE


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        (Stop(7, "that is all"), 7, "registry: that is all\n"),
        (
            Unavailable("the database cannot be reached"),
            UNREACHABLE,
            "registry: the database cannot be reached\n",
        ),
        (RegistryError("no"), REFUSED, "registry: no\n"),
        (KeyboardInterrupt(), INTERRUPTED, ""),
    ],
)
def test_what_ends_a_command_is_said_on_one_line(registry, monkeypatch, raised, code, said):
    def run(_: Namespace) -> int:
        raise raised

    monkeypatch.setattr(config, "run", run)
    ran = registry("config")
    assert (ran.code, ran.out, ran.err) == (code, "", said)


def test_a_fault_of_ours_keeps_its_traceback(registry, monkeypatch):
    monkeypatch.setattr(config, "run", lambda _: 1 // 0)
    with pytest.raises(ZeroDivisionError):
        main(["config"])


@pytest.mark.parametrize(
    "command", [[sys.executable, "-m", "registry"], [Path(sys.executable).with_name("registry")]]
)
def test_it_runs_as_a_module_and_as_a_program(command):
    done = subprocess.run([*command, "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"agreement-registry {__version__}\n"


def test_commands_that_need_no_database_load_none():
    program = "import sys, registry.__main__ as m; m.main(['config']); sys.exit('sqlalchemy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, check=False).returncode == 0
