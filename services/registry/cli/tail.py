"""``registry tail``: the last events of the log, and those that come."""

import json
import re
import sys
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections import deque
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from registry.cli import console
from registry.cli.environment import add_database, settings_of
from registry.cli.exits import DONE

if TYPE_CHECKING:
    from registry.cli.feed import Feed, Wanted

LAST = 10


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "tail",
        help="print the last events, and follow the log",
        description="Print events in the order of the log: a line each on a terminal, NDJSON of CloudEvents "
        "elsewhere or with --json.",
    )
    parser.add_argument(
        "-f", "--follow", action="store_true", help="go on with what is recorded, until Ctrl-C"
    )
    start = parser.add_mutually_exclusive_group()
    start.add_argument(
        "-n", "--lines", type=count, default=LAST, metavar="N", help=f"begin with the last N events ({LAST})"
    )
    start.add_argument("--after", type=count, metavar="POSITION", help="begin behind this position; 0 is all")
    parser.add_argument("--agreement", metavar="ID", help="events of this agreement only")
    parser.add_argument(
        "--type", action="append", default=[], metavar="TYPE", help="events of this type only"
    )
    parser.add_argument("--json", action="store_true", help="NDJSON, also on a terminal")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="read from the registry at this URL instead of the database")
    add_database(where)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print what is there, then what comes."""
    from registry.cli.feed import Wanted, feed

    wanted = Wanted(arguments.agreement, tuple(map(full_type, arguments.type)))
    readable = console.on_terminal(sys.stdout) and not arguments.json
    with feed(arguments.url, settings_of(arguments), follow=arguments.follow) as log:
        after = arguments.after
        if after is None:
            after = last(log, wanted, arguments.lines, readable=readable)
        while True:
            page = log.page(after, wanted)
            show_all(page.events, readable=readable)
            if page.behind == after:
                break
            after = page.behind
        for events in log.news(after, wanted) if arguments.follow else ():
            show_all(events, readable=readable)
    return DONE


def show_all(events: Sequence[dict[str, Any]], *, readable: bool) -> None:
    """Print events, so that whoever reads a pipe has them."""
    for event in events:
        show(event, readable=readable)
    sys.stdout.flush()


def last(log: "Feed", wanted: "Wanted", many: int, *, readable: bool) -> int:
    """Print the last events that are wanted, and return how far the log has been seen."""
    page = log.page(0, wanted)
    if wanted.everything:
        return max(0, page.head - many)
    kept: deque[dict[str, Any]] = deque(page.events, many)
    behind = 0
    while page.behind > behind:
        behind = page.behind
        page = log.page(behind, wanted)
        kept.extend(page.events)
    for event in kept:
        show(event, readable=readable)
    return behind


def show(event: dict[str, Any], *, readable: bool) -> None:
    """Print one event."""
    if not readable:
        console.say(json.dumps(event, ensure_ascii=False, separators=(",", ":")))
        return
    name = short(event["type"])
    recorded = event["recordedtime"][:19].replace("T", " ")
    erased = " (erased)" if "erasedparts" in event else ""
    console.say(
        f"{int(event['sequence']):>8}  {recorded}  {console.coloured(name.ljust(22), '36')}  "
        f"{event['subject']}  {event['source']} {event['id']}{erased}"
    )


def short(type_: str) -> str:
    """Return what a type says without what all of them have: ``signed`` for ``agreement.signed.v1``."""
    return type_.removeprefix("agreement.").removesuffix(".v1")


def full_type(name: str) -> str:
    """Return the type that is meant by its full or short name."""
    return name if name.startswith("agreement.") else f"agreement.{name}.v1"


def count(text: str) -> int:
    """Read a number of events or a position. Raises ArgumentTypeError."""
    if not re.fullmatch(r"[0-9]{1,15}", text):
        raise ArgumentTypeError(f"{text!r} is no whole number")
    return int(text)
