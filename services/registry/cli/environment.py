"""The settings a command works with: the environment, and the options that stand above it."""

import os
import re
from argparse import Namespace
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec

from registry.cli.exits import USAGE, Stop
from registry.config import PREFIX, Settings, SettingsError, load

API_KEY = "REGISTRY_API_KEY"
"""The key that a command shows to a server; not a setting of the server, so it is kept away from those."""


def add_database(parser: Any) -> None:
    """Give a command, or a group of its options, the one that names the database."""
    parser.add_argument(
        "--database", metavar="URL", help="database, instead of REGISTRY_DATABASE (sqlite:///registry.db)"
    )


def settings_of(arguments: Namespace, **overrides: object) -> Settings:
    """Read the settings; ``overrides`` and the options stand above the environment. Raises Stop."""
    environ = {name: value for name, value in os.environ.items() if name != API_KEY}
    given = {"database": getattr(arguments, "database", None), **overrides}
    environ |= {PREFIX + name.upper(): str(value) for name, value in given.items() if value is not None}
    try:
        settings = load(environ)
    except SettingsError as error:
        raise Stop(USAGE, str(error)) from error
    if settings.database_password_file and not settings.sqlite:
        password = _password(settings.database_password_file)
        return msgspec.structs.replace(settings, database=with_password(settings.database, password))
    return settings


def api_key(environ: Mapping[str, str] = os.environ) -> str | None:
    """Return the key for a server, from the environment only: a command line is seen by every process."""
    return environ.get(API_KEY) or None


def with_password(url: str, password: str) -> str:
    """Return a URL of PostgreSQL with a password, which takes the place of any that it has. Raises Stop."""
    found = re.fullmatch(r"([\w+]+://)([^/?#@:]+)(?::[^/?#@]*)?@(.*)", url)
    if found is None:
        raise Stop(USAGE, "REGISTRY_DATABASE_PASSWORD_FILE needs a REGISTRY_DATABASE that names its user")
    scheme, user, rest = found.groups()
    return f"{scheme}{user}:{quote(password, safe='')}@{rest}"


def _password(path: str) -> str:
    """Read a password: the one line of a file. Raises Stop, and never says what stands in it."""
    try:
        text = Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise Stop(USAGE, f"REGISTRY_DATABASE_PASSWORD_FILE cannot be read: {why}") from error
    password = text.removesuffix("\n")
    if not password or "\n" in password:
        raise Stop(USAGE, "REGISTRY_DATABASE_PASSWORD_FILE holds no password on one line")
    return password


def masked(url: str) -> str:
    """Return a database URL without its password, wherever the URL carries it."""
    without = re.sub(r"^([\w+]+://[^:/]*):[^@]*@", r"\1:***@", url)
    return re.sub(r"([?&]\w*password=)[^&]*", r"\1***", without)
