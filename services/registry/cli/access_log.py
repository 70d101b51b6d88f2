"""``registry access-log``: who was shown personal values, entries and evidence, when and why."""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from registry.cli import console
from registry.cli.environment import add_database, settings_of
from registry.cli.exits import DONE

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LINES = 10_000
"""A table has at most so many lines, as it is put together in memory; `--json` has no end."""


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "access-log",
        help="print who was shown personal values and evidence, when and why",
        description="Print the access log: reads of personal values, entries and evidence, and exports, by time. "
        "Principals stand in it by their random ids; nobody is named.",
    )
    parser.add_argument(
        "--since", type=moment, default=0, metavar="DAY|TIME", help="from a day, or an RFC 3339 time, on"
    )
    parser.add_argument("--json", action="store_true", help="as JSON, one access a line")
    add_database(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print what was written down."""
    from registry.cli.database import checked_reader_engine

    with checked_reader_engine(settings_of(arguments)) as engine:
        accesses = every(engine, arguments.since)
        if arguments.json:
            for access in accesses:
                console.say(msgspec.json.encode(access).decode())
            return DONE
        rows = [
            (
                access["at"][:19].replace("T", " "),
                access["principal"],
                access["what"],
                str(access["agreement"] or access["position"] or ""),
                access["reason"] or "",
            )
            for access, _ in zip(accesses, range(LINES), strict=False)
        ]
    console.table(("when (UTC)", "principal", "what", "of", "why"), rows)
    return DONE


def every(engine: Any, since: int) -> Iterator[dict[str, Any]]:
    """Read the access log page by page."""
    from registry.merkle.entry import format_time
    from registry.store.access_log import read_accesses
    from registry.store.database import reachable

    after = 0
    while True:
        with reachable(), engine.connect() as connection:
            page = read_accesses(connection, since=since, after=after)
        for n, access in page:
            yield {**msgspec.structs.asdict(access), "at": format_time(access.at)}
            after = n
        if not page:
            return


def moment(text: str) -> int:
    """Read a day or a time, in microseconds since 1970. Raises ArgumentTypeError."""
    try:
        when = datetime.fromisoformat(text.upper())
        if len(text) == len("2026-01-31"):
            when = when.replace(tzinfo=UTC)
        return (when - EPOCH) // timedelta.resolution
    except (ValueError, TypeError, OverflowError):  # the second: no offset, so no one point in time
        raise ArgumentTypeError(
            f"{text!r} is neither a day nor a time such as 2026-01-31T12:00:00Z"
        ) from None
