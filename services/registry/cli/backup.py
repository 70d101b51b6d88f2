"""``registry backup``: a copy of a SQLite database, made while it is served."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from registry.cli import console
from registry.cli.environment import add_database, settings_of
from registry.cli.exits import DONE, REFUSED, USAGE, Stop

ELSEWHERE = (
    "PostgreSQL is backed up by its own tools: pg_basebackup with archived WAL, or pg_dump; "
    "docs/operations.md has the commands"
)


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "backup",
        help="copy a SQLite database while it is served, and verify the copy",
        description="Copy a SQLite database as it is now into a new directory, verify the copy, and write a manifest "
        "beside it. Nothing has to be stopped. The key of the log is not in it. Exit codes: 1 the copy cannot be "
        "made or its log does not hold, 2 on PostgreSQL, which has tools of its own.",
    )
    parser.add_argument("directory", metavar="DIR", type=Path, help="directory to make")
    add_database(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Make a backup and say what is in it."""
    from registry.audit.backups import BackupFault, make_backup
    from registry.cli.database import checked_reader_engine, file_of

    settings = settings_of(arguments)
    database = file_of(settings)
    if database is None:
        raise Stop(USAGE, ELSEWHERE)
    with checked_reader_engine(settings):
        pass  # says clearly what is not there or not of this version
    with console.progress("backing up", None) as bar:
        try:
            made = make_backup(
                database,
                arguments.directory,
                copying=lambda done, total: bar(done, f"copying: page {done:,} of {total:,}", total),
                verifying=lambda done, total: bar(done, f"verifying: {done:,} of {total:,}", total),
                lock_timeout=settings.lock_timeout,
            )
        except BackupFault as error:
            raise Stop(REFUSED, str(error)) from error
    console.say(f"{arguments.directory} holds {made.origin}: events 1 to {made.size:,}, {made.bytes:,} bytes")
    console.say(f"root {made.root}")
    return DONE
