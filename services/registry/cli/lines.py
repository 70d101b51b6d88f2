"""Events from a file, one a line: numbered, bounded, and put into batches."""

import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import msgspec

from registry.cli.exits import USAGE, Stop


class Line(msgspec.Struct, frozen=True):
    """A line of the file that is not blank."""

    number: int
    """From 1."""
    raw: bytes
    """Without the white space around it."""
    end: int
    """Bytes of the file up to and with this line."""
    too_long: bool = False
    """Longer than an event may be; ``raw`` is only its beginning."""


@contextmanager
def opened(name: str) -> Iterator[tuple[BinaryIO, int | None]]:
    """Open a file, or standard input for ``-``, with its size in bytes where that is known. Raises Stop."""
    if name == "-":
        yield sys.stdin.buffer, None
        return
    path = Path(name)
    try:
        stream = path.open("rb")
    except OSError as error:
        raise Stop(USAGE, f"cannot read {name}: {error.strerror}") from error
    with stream:
        yield stream, path.stat().st_size


def numbered(stream: BinaryIO, longest: int) -> Iterator[Line]:
    """Yield every line that holds something; never more than ``longest`` bytes of one in memory."""
    end = 0
    number = 0
    while raw := stream.readline(longest + 1):
        number += 1
        end += len(raw)
        too_long = len(raw) > longest and not raw.endswith(b"\n")
        rest = raw
        while too_long and rest and not rest.endswith(b"\n"):
            rest = stream.readline(longest + 1)
            end += len(rest)
        if stripped := raw.strip(b" \t\r\n"):
            yield Line(number, stripped, end, too_long)


def batches(lines: Iterable[Line], most: int, most_bytes: int) -> Iterator[list[Line]]:
    """Put lines together: at most ``most``, and ``most_bytes`` with the commas and brackets of an array."""
    batch: list[Line] = []
    size = 2
    for line in lines:
        more = len(line.raw) + 1
        if batch and (len(batch) == most or size + more > most_bytes):
            yield batch
            batch = []
            size = 2
        batch.append(line)
        size += more
    if batch:
        yield batch
