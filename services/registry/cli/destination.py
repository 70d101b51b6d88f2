"""Where ``append`` puts events: the database of this machine, or a server."""

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol, TypeVar

from registry.cli.environment import add_database
from registry.cli.lines import Line
from registry.cli.outcome import Outcome
from registry.config import Settings
from registry.errors import RegistryError

E = TypeVar("E")


class Destination(Protocol[E]):
    """Where events go. ``E`` is a line made ready."""

    def prepare(self, line: Line) -> E:
        """Read one line. Raises RegistryError when it cannot be an event."""

    def append(self, events: Sequence[E]) -> Sequence[Outcome | RegistryError]:
        """Append each event that is not refused; none can fail its neighbours. Raises Unavailable or Stop."""


def add_destination(parser: ArgumentParser) -> None:
    """Give a command the options that say where events go."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--url", help="post to the registry at this URL instead of opening the database")
    add_database(where)


@contextmanager
def destination(arguments: Namespace, settings: Settings, *, dry: bool = False) -> Iterator[Destination[Any]]:
    """Open what the options name. While a server holds the database, it is gone through that server.

    ``dry``: what is appended there is tried alone.
    """
    from registry.cli.database import lock_or_url
    from registry.cli.local import local
    from registry.cli.remote import remote

    with ExitStack() as opened:
        url = arguments.url
        if not url:
            url = lock_or_url(opened, settings)
        yield opened.enter_context(remote(url, dry=dry) if url else local(settings, dry=dry))
