"""``registry verify``: recompute the whole log from its facts."""

from argparse import ArgumentParser, Namespace
from typing import Any

import msgspec

from registry.cli import console
from registry.cli.environment import add_database, settings_of
from registry.cli.exits import DONE, REFUSED


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "verify",
        help="recompute the log and name the first place that does not hold",
        description="Recompute every leaf, commitment, tile, checkpoint and the root from the facts, while "
        "the log may grow. Exit code 1 and the first place that does not hold, if there is one.",
    )
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    add_database(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Verify, and say how far the log holds."""
    from registry.audit.verify import verify
    from registry.cli.database import checked_reader_engine

    settings = settings_of(arguments)
    with checked_reader_engine(settings) as engine, console.progress("verifying", None) as bar:
        report = verify(engine, lambda done, total: bar(done, f"{done:,} of {total:,}", total))
    if arguments.json:
        shown = msgspec.to_builtins(report) | {"root": report.root.hex(), "ok": report.ok}
        console.say_json(shown)
    elif report.finding is not None:
        console.say(f"DOES NOT HOLD: {report.finding}")
        console.say(f"{report.events:,} events before it hold")
    else:
        console.say(
            f"{report.origin} holds: {counted(report.events, 'event')}, "
            f"{counted(report.parts, 'part')} open, {report.erased:,} erased, "
            f"{counted(report.tiles, 'full tile')}, "
            f"{counted(report.checkpoints, 'checkpoint')}"
        )
        console.say(f"root {report.root.hex()}")
    return DONE if report.ok else REFUSED


def counted(number: int, what: str) -> str:
    """Say how many there are."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"
