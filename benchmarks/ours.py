"""The registry as a server process runs it: its settings come from the environment."""

import os
from pathlib import Path

from litestar.types import ASGIApp

from registry.app import create_service
from registry.audit.keys import make_key
from registry.config import load
from registry.store.database import open_writer
from registry.store.migrate import migrate


def environment(url: str) -> dict[str, str]:
    """Migrate an empty database and give the settings to serve it with."""
    engine = open_writer(url)
    migrate(engine, origin="bench.example/log")
    engine.dispose()
    return {"REGISTRY_DATABASE": url, "REGISTRY_AUTH": "off"}


def signing(path: Path) -> dict[str, str]:
    """Make a key that signs checkpoints, and give the settings that name it."""
    make_key(path)
    return {"REGISTRY_LOG_KEY_FILE": str(path)}


def create() -> ASGIApp:
    return create_service(load(os.environ))
