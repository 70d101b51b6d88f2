"""What a command writes: results on standard output, everything about them on standard error."""

import json
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol, TextIO


class Bar(Protocol):
    """Moves on as work is done."""

    def __call__(self, done: int, text: str = "", total: int | None = None) -> None:
        """``done`` of the total so far, which may be told only now; ``text`` stands beside it."""


def say(text: str) -> None:
    """Write a line of the result."""
    print(text)


def note(text: str) -> None:
    """Write a line about the work, so that standard output can be piped on."""
    _noted[-1](text)


def _print_note(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


_noted: list[Callable[[str], None]] = [_print_note]


@contextmanager
def noted_by(write: Callable[[str], None]) -> Iterator[None]:
    """Have notes written in another way meanwhile: those of a server are lines of its log."""
    _noted.append(write)
    try:
        yield
    finally:
        _noted.pop()


def say_json(value: Any) -> None:
    """Write the result as one JSON document."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def on_terminal(stream: TextIO) -> bool:
    """Tell whether a person looks at the stream."""
    return stream.isatty()


def coloured(text: str, code: str) -> str:
    """Colour a word on a terminal; ``code`` as ECMA-48 has it, such as 31 for red."""
    plain = not on_terminal(sys.stdout) or "NO_COLOR" in os.environ
    return text if plain else f"\x1b[{code}m{text}\x1b[0m"


def folded(text: str, indent: int = 0) -> str:
    """Break a long line between words on a terminal, and indent what goes on; a pipe gets it whole."""
    if not on_terminal(sys.stdout):
        return text
    width = max(40, shutil.get_terminal_size().columns)
    return textwrap.fill(
        text, width, subsequent_indent=" " * indent, break_on_hyphens=False, break_long_words=False
    )


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write rows under a header: a table on a terminal, aligned columns elsewhere."""
    if on_terminal(sys.stdout):
        _rich_table(header, rows)
        return
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for row in (header, *rows):
        say("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _rich_table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(*header, box=SIMPLE_HEAD, header_style="bold", pad_edge=False)
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    Console().print(shown)


def _silent(done: int, text: str = "", total: int | None = None) -> None:
    """Nobody looks."""


@contextmanager
def progress(title: str, total: int | None) -> Iterator[Bar]:
    """Show how far the work is, on a terminal; elsewhere do nothing. ``total`` None: not known."""
    if not on_terminal(sys.stderr):
        yield _silent
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[text]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(title, total=total, text="")
        yield lambda done, text="", total=total: shown.update(task, completed=done, total=total, text=text)
