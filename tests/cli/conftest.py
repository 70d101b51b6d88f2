"""Commands run in this process, and events to give them."""

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from cli.posts import Event
from registry.__main__ import main
from registry.cli.demo import STORY


class Ran:
    """What a command left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code, self.out, self.err = code, out, err

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[Any]:
        return [json.loads(line) for line in self.out.splitlines()]


Registry = Callable[..., Ran]


@pytest.fixture
def registry(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Run ``registry`` with these arguments, without the settings of whoever runs the tests."""
    import os

    for name in [name for name in os.environ if name.startswith("REGISTRY_")]:
        monkeypatch.delenv(name)

    def run(*arguments: object) -> Ran:
        capsys.readouterr()
        try:
            code = main([str(argument) for argument in arguments])
        except SystemExit as ended:  # argparse
            code = int(ended.code or 0)
        captured = capsys.readouterr()
        return Ran(code, captured.out, captured.err)

    return run


@pytest.fixture
def file_of(tmp_path: Path) -> Callable[[Iterable[Event | str]], Path]:
    """Write events, or lines that are none, to a file."""

    def write(lines: Iterable[Event | str]) -> Path:
        path = tmp_path / "events.ndjson"
        texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
        path.write_text("".join(f"{text}\n" for text in texts))
        return path

    return write


@pytest.fixture
def told_url(sqlite_url: str, registry: Registry) -> str:
    """A SQLite database that holds the story."""
    for report in STORY:
        assert registry("append", report, "--database", sqlite_url).code == 0
    return sqlite_url
