"""``registry serve``: the service, from the settings."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from registry.cli import console
from registry.cli.environment import add_database, settings_of
from registry.cli.exits import DONE
from registry.config import Settings


def add(commands: Any) -> None:
    """Declare the command."""
    parser: ArgumentParser = commands.add_parser(
        "serve",
        help="serve the registry over HTTP",
        description="Serve until SIGTERM or Ctrl-C. A SQLite database is made and migrated first and held by "
        "a lock file beside it; PostgreSQL is migrated by `registry migrate`. Exit codes: 2 a wrong setting, "
        "3 the database cannot be reached, 4 the port is taken, 5 another process holds the database.",
    )
    parser.add_argument("--host", help="address to listen on, instead of REGISTRY_HOST (127.0.0.1)")
    parser.add_argument(
        "--port", help="port to listen on, instead of REGISTRY_PORT (8000); 0 takes a free one"
    )
    add_database(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Serve what the settings say."""
    settings = settings_of(arguments, host=arguments.host, port=arguments.port)
    serve(settings, before=lambda: None, ready=lambda url: console.note(in_words(url, settings)))
    return DONE


def serve(settings: Settings, *, before: Callable[[], None], ready: Callable[[str], None]) -> None:
    """Serve until told to stop. ``before`` runs on the migrated database, ``ready`` once it answers.

    Raises Stop when the port or the database is taken, or the application does not start.
    """
    from registry.cli.database import reader, write_lock
    from registry.cli.listen import bind, serve_forever, url_of
    from registry.cli.log import check_configuration
    from registry.cli.migrate import migrated

    with ExitStack() as held:
        listener = held.enter_context(bind(settings.host, settings.port))
        url = url_of(listener)
        held.enter_context(write_lock(settings, url))
        if settings.sqlite:
            migrated(settings)
        with reader(settings):
            pass  # says clearly that it cannot be reached or is not of this version, before a request does
        check_configuration(settings)
        before()
        service = application(settings)

        def stopping() -> None:
            console.note("stopping")
            service.app.state.streams.close()  # they would go on for as long as their clients listen

        serve_forever(service, listener, ready=lambda: ready(url), stopping=stopping)
    console.note("stopped")


def application(settings: Settings) -> Any:
    """Put the service together; nothing is opened yet."""
    from registry.app import create_service

    return create_service(settings)


def in_words(url: str, settings: Settings) -> str:
    """Say where it serves, and who is let in."""
    if settings.auth == "off":
        return f"serving {url} (REGISTRY_AUTH=off: every program on this machine may do everything)"
    return f"serving {url}"
