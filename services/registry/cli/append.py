"""``registry append``: events from a file into the log, as fast as batches go, and never twice."""

import time
from argparse import Namespace
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from registry.cli import console
from registry.cli.destination import Destination, add_destination, destination
from registry.cli.environment import settings_of
from registry.cli.exits import DONE, INTERRUPTED, REFUSED, UNREACHABLE
from registry.cli.lines import Line, batches, numbered, opened
from registry.cli.outcome import Outcome, Tally
from registry.cli.problems import reason
from registry.errors import RegistryError, Unavailable

TRIES = 5
SLACK = 65_536
"""Bytes that a line may be longer than an event: white space, and escapes that become one character."""


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "append",
        help="append events from a file of CloudEvents, one a line",
        description="Append CloudEvents, one JSON object a line. What is recorded already is recognised, so "
        "an interrupted run is simply run again. A refused line is reported on standard error and costs only "
        "itself. Exit codes: 0 all in, 1 some refused, 2 a wrong command line, 3 the registry cannot be "
        "reached, 5 another command writes the database.",
    )
    parser.add_argument("file", metavar="FILE", help="NDJSON file, or - for standard input")
    parser.add_argument("--warnings", action="store_true", help="print the warnings of the receipts, too")
    parser.add_argument(
        "--dry-run",
        action="store_true",
        help="append nothing; say what would become of each line, as things stand now",
    )
    parser.add_argument("--json", action="store_true", help="summary as one JSON object")
    add_destination(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Append a file and say what became of it."""
    settings = settings_of(arguments)
    tally = Tally()
    code = DONE
    with (
        opened(arguments.file) as (stream, size),
        destination(arguments, settings, dry=arguments.dry_run) as to,
        console.progress("trying" if arguments.dry_run else "appending", size) as bar,
    ):
        began = time.monotonic()
        try:
            lines = numbered(stream, settings.max_event_bytes + SLACK)
            for batch in batches(lines, settings.max_batch_events, settings.max_batch_bytes):
                append_lines(to, batch, tally, warnings=arguments.warnings)
                bar(batch[-1].end, f"{tally.appended + tally.replayed:,} in, {tally.refused:,} refused")
        except KeyboardInterrupt:
            code = INTERRUPTED
        except Unavailable as error:
            console.note(f"registry: {error.detail}")
            code = UNREACHABLE
    if code != DONE:
        again = "nothing is recorded" if arguments.dry_run else "nothing is recorded twice"
        console.note(f"stopped after line {tally.last_line}; run it again: {again}")
    elif tally.refused:
        code = REFUSED
    seconds = time.monotonic() - began
    if arguments.json:
        dry = {"dry_run": True} if arguments.dry_run else {}
        console.say_json(msgspec.to_builtins(tally) | dry | {"seconds": round(seconds, 3)})
    else:
        console.say(tally.in_words(seconds, dry=arguments.dry_run))
    return code


def append_lines(
    to: Destination[Any], lines: Sequence[Line], tally: Tally, *, warnings: bool = False
) -> None:
    """Append what can be read of a batch, and report every line that is refused."""
    ready: list[tuple[Line, Any]] = []
    for line in lines:
        if line.too_long:
            refuse(line, "longer than an event may be", tally)
            continue
        try:
            ready.append((line, to.prepare(line)))
        except RegistryError as error:
            refuse(line, reason(error), tally)
    outcomes = patiently(to, [event for _, event in ready]) if ready else ()
    for (line, _), outcome in zip(ready, outcomes, strict=True):
        if isinstance(outcome, RegistryError):
            refuse(line, reason(outcome), tally)
            continue
        tally.took(outcome)
        for warning in outcome.warnings if warnings else ():
            console.note(f"line {line.number}: warning: {warning}")
    tally.last_line = lines[-1].number


def patiently(to: Destination[Any], events: Sequence[Any]) -> Iterable[Outcome | RegistryError]:
    """Append, and come back a few times when the registry cannot take them now. Raises Unavailable."""
    for _ in range(TRIES - 1):
        try:
            return to.append(events)
        except Unavailable as error:
            time.sleep(error.retry_after)
    return to.append(events)


def refuse(line: Line, why: str, tally: Tally) -> None:
    """Report a line that does not get in."""
    tally.refuse()
    console.note(f"line {line.number}: {why}")
