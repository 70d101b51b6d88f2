"""``registry migrate``: bring the tables of facts to this version."""

from argparse import Namespace
from typing import Any

from registry.cli import console
from registry.cli.environment import add_database, masked, settings_of
from registry.cli.exits import DONE
from registry.config import Settings


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "migrate",
        help="bring the database to this version",
        description="Create or upgrade the tables of facts, and found the log of a new database. "
        "Read models are not touched. `serve` does this by itself for SQLite only.",
    )
    parser.add_argument(
        "--origin", help="name of a new log, instead of REGISTRY_ORIGIN; an old one keeps its own"
    )
    add_database(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Migrate and say from where to where."""
    from registry.cli.database import write_lock

    settings = settings_of(arguments, origin=arguments.origin)
    with write_lock(settings):
        before, after = migrated(settings)
    came = "new" if before is None else f"was {before}" if before != after else "already"
    console.say(f"{masked(settings.database)} is at revision {after} ({came})")
    return DONE


def migrated(settings: Settings) -> tuple[str | None, str]:
    """Migrate under the lock that the caller holds; returns the revision before and after."""
    from registry.cli.database import writer_engine
    from registry.store.database import reachable
    from registry.store.migrate import migrate

    with writer_engine(settings) as engine, reachable():
        return migrate(engine, origin=settings.origin, service_role=settings.service_role)
