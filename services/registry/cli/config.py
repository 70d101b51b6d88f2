"""``registry config``: the settings in force."""

from argparse import Namespace
from typing import Any, get_args, get_type_hints

import msgspec

from registry.cli import console
from registry.cli.environment import add_database, masked, settings_of
from registry.cli.exits import DONE
from registry.config import PREFIX, Settings


def add(commands: Any) -> None:
    """Declare the command."""
    parser = commands.add_parser(
        "config", help="print the settings in force", description="Print the settings in force, no secrets."
    )
    parser.add_argument("--json", action="store_true", help="as one JSON object")
    add_database(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Print each setting under the name of its environment variable."""
    settings = settings_of(arguments)
    values = msgspec.to_builtins(settings) | {"database": masked(settings.database)}
    if arguments.json:
        console.say_json(values)
        return DONE
    rows = [(PREFIX + name.upper(), str(value), meaning(name)) for name, value in values.items()]
    console.table(("variable", "value", "meaning"), rows)
    return DONE


def meaning(setting: str) -> str:
    """Return the description that the settings carry themselves."""
    hints = get_type_hints(Settings, include_extras=True)
    notes = get_args(hints[setting])[1:]
    return next(note.description or "" for note in notes if isinstance(note, msgspec.Meta))
