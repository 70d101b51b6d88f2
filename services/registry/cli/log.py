"""``registry log``: the keys and checkpoints of the log, and giving up its origin."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from registry.cli import console
from registry.cli.environment import add_database, settings_of
from registry.cli.exits import DONE, REFUSED, USAGE, Stop
from registry.config import Settings


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "log",
        help="keys and checkpoints of the log: key, checkpoint, new-origin",
        description="Print what others verify the log with, or its last checkpoint; make a key; or give up the origin "
        "of the log, after which it is another log with the same events.",
    )
    acts = parser.add_subparsers(metavar="ACT", required=True)
    key = acts.add_parser(
        "key",
        help="print the verifier keys of the log, or make a key",
        description="Print the verifier key of the log, one more line while it changes its key, and one if this "
        "registry is a witness. With --new, make a key instead, in a file that only its owner may read.",
    )
    key.add_argument("--new", metavar="FILE", type=Path, help="make a key in a new file; needs no database")
    key.set_defaults(run=run_key)
    checkpoint = acts.add_parser(
        "checkpoint",
        help="print the last checkpoint",
        description="Print the last checkpoint as it is published. Exit code 1 when there is none.",
    )
    checkpoint.add_argument("--size", type=int, help="the checkpoint of this size instead of the last one")
    checkpoint.set_defaults(run=run_checkpoint)
    new_origin = acts.add_parser(
        "new-origin",
        help="give up the origin of the log and go on under another",
        description="Name the log anew, and sign its head under the new name. Needed when the database is behind what "
        "the log has signed, or the key is lost. Whoever knows the log must be told the new name and key.",
    )
    new_origin.add_argument("origin", metavar="ORIGIN", help="a name that the log never had")
    new_origin.set_defaults(run=run_new_origin)
    for act in acts.choices.values():
        add_database(act)


def run_key(arguments: Namespace) -> int:
    """Print the verifier keys, or make a key."""
    from registry.audit.keys import log_keys, make_key, witness_key
    from registry.cli.database import reader

    settings = settings_of(arguments)
    with usable():
        if arguments.new is not None:
            make_key(arguments.new)
            console.note(f"made a key in {arguments.new}")
            return DONE
        keys = log_keys(settings, make=False)
        witness = witness_key(settings)
        with reader(settings) as opened:
            origin = opened.head().origin
    for key in keys:
        console.say(str(key.verifier_key(origin)))
    if witness is not None:
        console.say(str(witness))
    return DONE if keys or witness is not None else REFUSED


def run_checkpoint(arguments: Namespace) -> int:
    """Print a checkpoint."""
    from registry.audit.checkpoints import published
    from registry.cli.database import checked_reader_engine
    from registry.store.database import reachable

    with checked_reader_engine(settings_of(arguments)) as engine, reachable(), engine.connect() as connection:
        found = published(connection, arguments.size)
    if found is None:
        console.note("the log has signed no such checkpoint")
        return REFUSED
    console.say(found.note.decode().removesuffix("\n"))
    return DONE


def run_new_origin(arguments: Namespace) -> int:
    """Give up the origin, and print the first checkpoint under the new one."""
    from registry.audit.keys import kept_path, log_keys
    from registry.audit.origin import give_up_origin
    from registry.audit.standing import Kept
    from registry.cli.database import check_revision, require_file, write_lock, writer_engine
    from registry.store.reader import Reader

    settings = settings_of(arguments)
    require_file(settings)
    path = kept_path(settings)
    with write_lock(settings), writer_engine(settings) as engine, usable():
        check_revision(Reader(engine).revision())
        keys = log_keys(settings, make=True)
        first = give_up_origin(engine, keys, Kept(path) if path is not None else None, arguments.origin)
    console.say(first.note.decode().removesuffix("\n"))
    console.note("tell whoever verifies the log, and its witnesses, what `registry log key` prints now")
    return DONE


def check_configuration(settings: Settings) -> None:
    """See before serving whether the keys and files that are configured can be used. Raises Stop or Unavailable."""
    from registry.audit.publisher import open_publisher
    from registry.audit.witness import open_witness
    from registry.cli.database import checked_reader_engine
    from registry.store.arrivals import Arrivals
    from registry.store.reader import Reader

    if not settings.sqlite and not settings.log_key_file:
        raise Stop(
            USAGE,
            "REGISTRY_LOG_KEY_FILE names the key that signs checkpoints; `registry log key --new FILE` makes one",
        )
    with checked_reader_engine(settings) as engine, usable():
        reader = Reader(engine)
        open_witness(settings, engine, reader)
        open_publisher(settings, engine, reader, arrivals=Arrivals(), on_standing=lambda _: None).close()


@contextmanager
def usable() -> Iterator[None]:
    """End the command when a key or a file that is configured cannot be used."""
    from registry.audit.checkpoints import Contradiction
    from registry.audit.keys import KeyFault

    try:
        yield
    except (KeyFault, Contradiction) as error:
        raise Stop(USAGE, str(error)) from error
