"""``registry import``: make an empty database the registry that a bundle of the whole log is of."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from registry.cli import console
from registry.cli.environment import add_database, masked, settings_of
from registry.cli.exits import DONE, REFUSED, USAGE, Stop
from registry.config import Settings


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "import",
        help="make an empty database the registry that `registry export` has written",
        description="Make an empty, migrated database of what `registry export --output DIR` has written: the same "
        "positions, leaves and root, on SQLite and PostgreSQL alike. Everything is verified before any of it is there. "
        "Exit codes: 1 the database is not empty, something does not hold, or the log has gone on since: then it was "
        "imported and can be read, but takes no events.",
    )
    parser.add_argument(
        "directory", metavar="DIR", type=Path, help="what `registry export --output` has written"
    )
    parser.add_argument(
        "--key",
        metavar="KEY",
        action="append",
        default=[],
        help="a verifier key of the log, which has to have signed it; without one the keys in DIR are believed",
    )
    add_database(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Import, and say what there is now."""
    from registry.audit.imported import import_whole_log
    from registry.audit.taken import Unfit, open_bundle
    from registry.cli.database import check_revision, require_file, write_lock, writer_engine
    from registry.merkle.note import parse_verifier_key
    from registry.store.reader import Reader

    settings = settings_of(arguments)
    try:
        keys = [parse_verifier_key(key) for key in arguments.key]
    except ValueError as error:
        raise Stop(USAGE, f"--key: {error}") from error
    require_file(settings)
    with (
        write_lock(settings),
        writer_engine(settings) as engine,
        console.progress("importing", None) as bar,
    ):
        check_revision(Reader(engine).revision())
        try:
            made = import_whole_log(
                engine,
                open_bundle(arguments.directory),
                trusted=keys,
                importing=lambda done, total: bar(done, f"writing: {done:,} of {total:,}", total),
                verifying=lambda done, total: bar(done, f"verifying: {done:,} of {total:,}", total),
            )
        except Unfit as error:
            raise Stop(REFUSED, str(error)) from error
        standing = _standing(settings, engine)
    report = made.report
    console.say(
        f"{masked(settings.database)} holds {report.origin}: events 1 to {report.events:,}, all verified, "
        f"{made.signatures:,} signatures hold"
    )
    console.say(f"root {report.root.hex()}")
    if made.unknown:
        console.note(
            f"{made.unknown:,} signatures are by keys that are not known here, and were taken as they are"
        )
    console.note(
        "it has the same origin as the database it was exported from: only one of them may take events from now on. "
        "Move the key of the log here, and make keys for clients anew; neither is in what was exported"
    )
    if standing:
        console.note(f"READ-ONLY: {standing}")
        return REFUSED
    return DONE


def _standing(settings: Settings, engine: Any) -> str:
    """Say why the imported log may not go on; nothing when it may."""
    from registry.audit.keys import kept_path
    from registry.audit.standing import Behind, Kept, look
    from registry.store.reader import Reader

    path = kept_path(settings)
    try:
        look(Reader(engine), Kept(path) if path is not None else None)
    except Behind as error:
        return str(error)
    return ""
