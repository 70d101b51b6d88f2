"""Every command in the documentation is run, against a live demo server.

``sh`` blocks must succeed; in ``console`` blocks what follows ``$ `` must succeed and print what stands below it, where
``...`` is anything; ``python`` blocks are programs. They run in the order of their page, in the directory from which
the demo was started, with the key that it shows in ``REGISTRY_API_KEY``. Lines that begin with ``make`` name a target;
a block that starts a server is started and ended.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PUBLISHED = "http://127.0.0.1:8000"
BLOCK = re.compile(r"^```(sh|console|python)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SERVER = re.compile(r"\s*((?:[A-Z_]+=\S+ )*)(registry (?:serve|demo)\b[^\n]*)\s*")
ENVIRONMENT = {name: value for name, value in os.environ.items() if not name.startswith("REGISTRY_")} | {
    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
    "NO_COLOR": "1",
}


class Demo(NamedTuple):
    directory: Path
    url: str
    key: str


class Command(NamedTuple):
    text: str
    prints: str | None


@contextmanager
def serving(arguments: list[str], directory: Path, **environment: str) -> Iterator[tuple[str, str]]:
    """Start a server, give its URL once it says so and all it said, and end it: well, and without a traceback."""
    with subprocess.Popen(
        arguments, cwd=directory, env=ENVIRONMENT | environment, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        said = ""
        while not (found := re.search(r"serving (http://[0-9.:]+)", said)):
            line = server.stderr.readline()
            assert line, f"it ended with {server.wait()}: {said}"
            said += line
        try:
            yield found[1], said
        finally:
            server.send_signal(signal.SIGTERM)
            said += server.stderr.read()
        assert server.wait(timeout=30) == 0, said
        assert "Traceback" not in said


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    directory = tmp_path_factory.mktemp("documentation")
    with serving(["registry", "demo", "--port", "0"], directory) as (url, said):
        (key,) = re.findall(r"^  export REGISTRY_API_KEY=(\S+)$", said, re.MULTILINE)
        yield Demo(directory, url, key)


def commands(language: str, block: str) -> Iterator[Command]:
    """Take a block apart into what is run at once."""
    if language != "console":
        yield Command(block, None)
        return
    for session in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        lines = session.split("\n")
        more = 1
        while lines[more - 1].endswith("\\"):
            more += 1
        yield Command("\n".join(lines[:more]), "\n".join(lines[more:]).strip())


def as_pattern(printed: str) -> str:
    return ".*".join(re.escape(text) for text in printed.split("..."))


def free_port(text: str) -> str:
    """Let a server take a free port and, for the demo, data of its own; the shell gives way to it."""
    settings, command = SERVER.fullmatch(text).groups()
    command = re.sub(r" --port \d+", "", command) + " --port 0"
    if "registry demo" in command and "--data-dir" not in command:
        command += " --data-dir other-data"
    return f"{settings} exec {command}"


def run(language: str, command: Command, demo: Demo) -> None:
    text = command.text.replace(PUBLISHED, demo.url)
    for target in re.findall(r"^make ([a-z-]+)", text, re.MULTILINE):
        assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), target
    text = re.sub(r"^make .*$", ":", text, flags=re.MULTILINE)
    if SERVER.fullmatch(text):
        with serving(["bash", "-c", free_port(text)], demo.directory):
            return
    program = (
        [sys.executable, "-c", text] if language == "python" else ["bash", "-euo", "pipefail", "-c", text]
    )
    done = subprocess.run(
        program,
        cwd=demo.directory,
        env=ENVIRONMENT | {"REGISTRY_API_KEY": demo.key},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=120,
        check=False,
    )
    printed = done.stdout.replace(demo.url, PUBLISHED).strip()
    assert done.returncode == 0, f"{text}\n{printed}"
    if command.prints is not None:
        assert re.fullmatch(as_pattern(command.prints), printed, re.DOTALL), f"{text}\n{printed}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_does_what_the_page_says(page: Path, demo: Demo):
    for language, block in BLOCK.findall(page.read_text()):
        for command in commands(language, block):
            run(language, command, demo)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(page: Path):
    for target in re.findall(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)", page.read_text()):
        assert (page.parent / target).exists(), target
