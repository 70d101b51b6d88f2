"""``registry restore``: put a backup back, and say whether the log may go on from there."""

import asyncio
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from registry.cli import console
from registry.cli.environment import add_database, settings_of
from registry.cli.exits import DONE, REFUSED, USAGE, Stop
from registry.config import Settings


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "restore",
        help="put a backup back where there is no database, and verify it",
        description="Put the database of a backup in place of one that is gone, after the whole of it was verified, "
        "and hold it against the kept checkpoint and the witnesses. A database is never overwritten. Exit codes: 1 the "
        "backup does not hold, something is in its place, or it is behind what the log has signed: then it was put "
        "back and can be read, but takes no events.",
    )
    parser.add_argument("directory", metavar="DIR", type=Path, help="what `registry backup` has made")
    add_database(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Put a backup back and say where the log stands."""
    from registry.audit.backups import BackupFault, put_back
    from registry.cli.backup import ELSEWHERE
    from registry.cli.database import file_of, write_lock

    settings = settings_of(arguments)
    database = file_of(settings)
    if database is None:
        raise Stop(USAGE, ELSEWHERE)
    with write_lock(settings):
        with console.progress("verifying", None) as bar:
            try:
                found = put_back(
                    arguments.directory,
                    database,
                    verifying=lambda done, total: bar(done, f"{done:,} of {total:,}", total),
                    lock_timeout=settings.lock_timeout,
                )
            except BackupFault as error:
                raise Stop(REFUSED, str(error)) from error
        console.say(f"{database} holds {found.origin} again: events 1 to {found.size:,}, all verified")
        console.say(f"root {found.root}")
        return _standing(settings)


def _standing(settings: Settings) -> int:
    """Say whether the log is where it was seen to be."""
    from registry.audit.configured import witnesses
    from registry.audit.keys import kept_path
    from registry.audit.restored import ask_around
    from registry.audit.standing import Kept
    from registry.cli.database import writer_engine
    from registry.cli.log import usable
    from registry.cli.migrate import migrated

    migrated(settings)
    path = kept_path(settings)
    with writer_engine(settings) as engine, usable():
        asked = witnesses(Path(settings.witnesses_file)) if settings.witnesses_file else []
        standing = asyncio.run(ask_around(engine, Kept(path) if path is not None else None, asked))
    for silent in standing.silent:
        console.note(f"a witness has not confirmed it: {silent}")
    if standing.behind:
        console.note(f"READ-ONLY: {standing.behind}")
        return REFUSED
    if not standing.confirmed:
        console.note(
            f"nothing outside the database says whether the log went on after this backup: there is no {path}, and no "
            "witness has confirmed it. Compare the root with a checkpoint that somebody else has before serving it"
        )
    return DONE
