"""The command line: ``registry COMMAND``. Every command is one module of ``registry.cli``."""

import argparse
import os
import sys
from collections.abc import Sequence

from registry import __version__
from registry.cli import (
    access_log,
    append,
    backup,
    config,
    contracts,
    demo,
    doctor,
    erase,
    export,
    import_,
    keys,
    log,
    migrate,
    projections,
    restore,
    serve,
    show,
    tail,
    verify,
)
from registry.cli.console import note
from registry.cli.exits import DONE, INTERRUPTED, REFUSED, UNREACHABLE, Stop
from registry.errors import RegistryError, Unavailable

COMMANDS = (
    demo,
    serve,
    append,
    show,
    tail,
    verify,
    log,
    export,
    import_,
    access_log,
    erase,
    backup,
    restore,
    projections,
    keys,
    migrate,
    contracts,
    doctor,
    config,
)


def parser() -> argparse.ArgumentParser:
    """Put the command line together."""
    top = argparse.ArgumentParser(
        prog="registry",
        usage="registry [-h] [--version] COMMAND ...",
        description="Keeps every statement about bilateral agreements, and proves that it kept it.",
        epilog="Settings come from REGISTRY_... variables; `registry config` prints them.",
    )
    top.add_argument("--version", action="version", version=f"agreement-registry {__version__}")
    commands = top.add_subparsers(title="commands", metavar="COMMAND ...", required=True, prog="registry")
    for command in COMMANDS:
        command.add(commands)
    return top


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; ``docs/cli.md`` lists the codes."""
    arguments = parser().parse_args(argv)
    try:
        code: int = arguments.run(arguments)
        sys.stdout.flush()
    except Stop as stop:
        note(f"registry: {stop}")
        return stop.code
    except Unavailable as error:
        note(f"registry: {error.detail}")
        return UNREACHABLE
    except RegistryError as error:
        note(f"registry: {error.detail}")
        return REFUSED
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader of a pipe, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return code


if __name__ == "__main__":
    sys.exit(main())
