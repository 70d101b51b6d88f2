"""``registry serve``: the service, from the settings."""

import gc
import logging
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from functools import partial
from socket import socket
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from registry.cli import console
from registry.cli.environment import add_database, settings_of
from registry.cli.exits import DONE, USAGE, Stop
from registry.config import Settings

log = logging.getLogger(__name__)

MOST_WORKERS = 64


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
    parser.add_argument(
        "--workers",
        type=_number,
        default=1,
        metavar="N",
        help="processes that serve, on PostgreSQL (1); one that ends is started again",
    )
    add_database(parser)
    parser.set_defaults(run=run)


def run(arguments: Namespace) -> int:
    """Serve what the settings say."""
    settings = settings_of(arguments, host=arguments.host, port=arguments.port)
    if arguments.workers > 1 and settings.sqlite:
        raise Stop(USAGE, "SQLite has one process that writes; --workers is for PostgreSQL")
    serve(
        settings,
        before=lambda: None,
        ready=lambda url: console.note(in_words(url, settings)),
        workers=arguments.workers,
    )
    return DONE


def serve(
    settings: Settings, *, before: Callable[[], None], ready: Callable[[str], None], workers: int = 1
) -> None:
    """Serve until told to stop. ``before`` runs on the migrated database, ``ready`` once it answers.

    Raises Stop when the port or the database is taken, or the application does not start.
    """
    with loading():
        from registry.cli.database import reader, write_lock
        from registry.cli.listen import bind, url_of
        from registry.cli.log import check_configuration
        from registry.cli.migrate import migrated

    with written(settings), ExitStack() as held:
        listener = held.enter_context(bind(settings.host, settings.port))
        url = url_of(listener)
        held.enter_context(write_lock(settings, url))
        if settings.sqlite:
            migrated(settings)
        with reader(settings):
            pass  # says clearly that it cannot be reached or is not of this version, before a request does
        check_configuration(settings)
        before()
        if workers > 1:
            from registry.cli.workers import Workers

            # They tell each other their figures, so that whichever is asked tells those of all.
            directory = settings.metrics_directory or held.enter_context(
                TemporaryDirectory(prefix="registry-")
            )
            told = msgspec.structs.replace(settings, metrics_directory=directory)
            Workers(told, listener, serve_one, workers).run(lambda: ready(url))
        else:
            serve_one(settings, listener, lambda: ready(url), stopping=lambda: console.note("stopping"))
        held.pop_all().close()
        console.note("stopped")


def serve_one(
    settings: Settings,
    listener: socket,
    ready: Callable[[], None],
    stopping: Callable[[], None] = lambda: None,
) -> None:
    """Serve in this process until told to stop. Raises Stop when the application does not start."""
    with loading():
        from registry.cli.listen import serve_forever
        from registry.http.lines import configure

        configure(settings)
        service = application(settings)

    def drain() -> None:
        stopping()
        service.app.state.requests.draining = True

    def end() -> None:
        service.app.state.streams.close()  # they would go on for as long as their clients listen

    serve_forever(service, listener, settings, ready=ready, draining=drain, stopping=end)


@contextmanager
def loading() -> Iterator[None]:
    """Keep the garbage collector from looking at what is loaded, again and again: nearly all of it stays for good."""
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def written(settings: Settings) -> Iterator[None]:
    """Write what is logged as the settings say, and what a server says of itself among it where that is JSON."""
    from registry.http.lines import configure, is_json

    handler = configure(settings)
    try:
        with console.noted_by(partial(log.info, "%s")) if is_json(settings) else nullcontext():
            yield
    finally:
        logging.getLogger().removeHandler(handler)


def application(settings: Settings) -> Any:
    """Put the service together; nothing is opened yet."""
    from registry.app import create_service

    return create_service(settings)


def in_words(url: str, settings: Settings) -> str:
    """Say where it serves, and who is let in."""
    if settings.auth == "off":
        return f"serving {url} (REGISTRY_AUTH=off: every program on this machine may do everything)"
    return f"serving {url}"


def _number(text: str) -> int:
    """Read a number of processes."""
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MOST_WORKERS):
        raise ArgumentTypeError(f"a number of processes is 1 to {MOST_WORKERS}")
    return int(text)
