"""``registry doctor``: looks at everything the registry stands on, and says what is wrong."""

from argparse import Namespace
from typing import Any

import msgspec

from registry.cli import console
from registry.cli.environment import add_database, settings_of
from registry.cli.exits import DONE, REFUSED, Stop

MARKS = {"ok": "ok  ", "warn": "warn", "fail": "FAIL"}
COLOURS = {"ok": "32", "warn": "33", "fail": "31"}


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "doctor",
        help="check what the registry stands on",
        description="Check Python, the database, its migrations, triggers and lock, the clocks, the keys and the "
        "kept checkpoint. "
        "Changes nothing. Exit code 1 when a line says FAIL.",
    )
    parser.add_argument("--json", action="store_true", help="as a JSON array")
    add_database(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print a line a check."""
    from registry.cli.checks import Check, checks

    try:
        found = list(checks(settings_of(arguments)))
    except Stop as stop:
        found = [Check("settings", "fail", str(stop))]
    failed = sum(check.state == "fail" for check in found)
    if arguments.json:
        console.say_json(msgspec.to_builtins(found))
    else:
        width = max(len(check.name) for check in found)
        for check in found:
            mark = MARKS[check.state]
            line = console.folded(f"{mark}  {check.name.ljust(width)}  {check.text}", width + 8)
            console.say(console.coloured(mark, COLOURS[check.state]) + line[len(mark) :])
        warned = sum(check.state == "warn" for check in found)
        console.say(f"{len(found)} checks: {failed} failed, {warned} with a warning")
    return REFUSED if failed else DONE
